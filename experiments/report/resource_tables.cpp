// What a request cost besides its time: CPU in the program and in the kernel, switches, threads, memory.
#include "experiments/report/resource_tables.h"

#include <array>

#include "experiments/judging/sentences.h"
#include "experiments/spec/metrics.h"
#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

constexpr std::array<std::string_view, 6> kResources{"server_user_us_per_request",
                                                     "server_system_us_per_request",
                                                     "voluntary_switches_per_request",
                                                     "involuntary_switches_per_request",
                                                     "threads",
                                                     "rss_mib"};

TableCell figure(const Cell& cell, const Metric& metric) {
  const auto value = cell.median_of(metric.id);
  if (!value) return {"-", {}, cell.id, Quality::none};
  return {metric_text(metric, *value), *value, cell.id, cell.metrics.find(metric.id)->second.quality};
}

}  // namespace

std::optional<Table> resource_table(const Results& results) {
  const Words& words = results.words();
  const auto levels = telling_levels(results, 2);
  if (levels.empty()) return std::nullopt;
  const auto level = levels.back();
  Table table;
  table.id = "resources";
  table.title = words.say("table.resources", {{"where", at_level(results, level)}});
  table.caption = words.say("table.resources_caption");
  table.columns.push_back({"model", words.say("table.model"), "", false});
  for (const auto id : kResources) {
    const Metric& metric = *find_metric(id);
    table.columns.push_back({std::string(id), metric_label(words, metric), std::string(metric.unit)});
  }
  for (std::size_t series = 0; series < results.data().plan.series.size(); ++series) {
    const auto& entry = results.data().plan.series[series];
    const Cell& cell = results.cell(series, level);
    if (entry.role == Role::ceiling) continue;
    Table::Row row{entry.id, {{entry.id}}, cell.trials.empty() ? cell.reason : ""};
    for (const auto id : kResources) {
      if (row.note.empty()) row.cells.push_back(figure(cell, *find_metric(id)));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace iolab::lab
