#include "experiments/report/tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "experiments/judging/effects.h"
#include "experiments/judging/grade.h"
#include "experiments/report/limits_report.h"
#include "experiments/report/resource_tables.h"
#include "experiments/spec/metrics.h"
#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

std::string trials_text(const Results& results) {
  // As many as there are, which are fewer than planned where a run was interrupted or trials failed.
  std::size_t fewest = std::numeric_limits<std::size_t>::max();
  std::size_t most = 0;
  for (const auto& cell : results.cells()) {
    if (cell.trials.empty()) continue;
    fewest = std::min(fewest, cell.trials.size());
    most = std::max(most, cell.trials.size());
  }
  const Words& words = results.words();
  if (most <= 1) return words.say("table.one_trial");
  constexpr std::size_t kEnough = 6;
  const auto number = fewest == most ? words.say("table.trials", {{"trials", most}})
                                     : words.say("table.trials_between", {{"fewest", fewest}, {"most", most}});
  return words.say(fewest < kEnough ? "table.median_preview" : "table.median", {{"trials", number}});
}

TableCell figure(const Words& words, const Cell& cell, const Metric& metric) {
  if (cell.trials.empty()) {
    const bool failed = cell.status == CellStatus::failed;
    return {words.say(failed ? "cell.failed" : "cell.not_run"), {}, cell.id, Quality::none};
  }
  const auto found = cell.metrics.find(metric.id);
  if (found == cell.metrics.end()) return {"-", {}, cell.id, Quality::none};
  const auto& value = found->second;
  if (value.quality == Quality::not_ours) return {words.say("cell.not_ours"), {}, cell.id, value.quality};
  if (value.quality == Quality::too_few) return {words.say("cell.too_few"), {}, cell.id, value.quality};
  if (!value.value) return {"-", {}, cell.id, Quality::none};
  return {metric_text(metric, *value.value), value.value, cell.id, value.quality};
}

std::string column_label(const Results& results, std::size_t level) {
  const auto& spec = results.data().spec;
  std::vector<std::string> parts;
  for (std::size_t axis = 0; axis < spec.axes.size(); ++axis) {
    if (!is_said(spec.axes, spec.axes[axis])) continue;
    parts.push_back(spec.axes[axis].labels[spec.levels[level].at[axis]]);
  }
  return results.words().comma_parted(parts);
}

// "idle connections", or "record size, busy connections": what the columns are.
std::string axes_text(const Words& words, const Spec& spec) {
  std::vector<std::string> parts;
  for (const auto& axis : spec.axes) {
    if (is_said(spec.axes, axis)) parts.push_back(axis.label);
  }
  return words.comma_parted(parts);
}

std::vector<std::string> reasons(const Results& results) {
  std::vector<std::string> list;
  for (const auto& cell : results.cells()) {
    if (!cell.trials.empty() || results.data().plan.series[cell.series].role != Role::model) continue;
    const auto& id = results.data().plan.series[cell.series].id;
    auto text = results.words().say("table.reason", {{"model", id}, {"reason", cell.reason}});
    if (std::ranges::find(list, text) == list.end()) list.push_back(std::move(text));
  }
  return list;
}

std::string why_no_figures(const Words& words, const Cell& cell) {
  const bool failed = cell.status == CellStatus::failed;
  return words.say(failed ? "cell.failed_because" : "cell.not_run_because", {{"reason", cell.reason}});
}

// A whole row is a reason if the series ran nowhere for one and the same reason.
std::string row_note(const Results& results, std::size_t series) {
  const auto& first = results.cell(series, 0);
  for (std::size_t level = 0; level < results.data().spec.levels.size(); ++level) {
    const auto& cell = results.cell(series, level);
    if (!cell.trials.empty() || cell.reason != first.reason) return {};
  }
  return why_no_figures(results.words(), first);
}

std::string title_of(const Words& words, const Metric& metric) {
  const Slot label("metric", metric_label(words, metric));
  if (metric.unit.empty() || metric.unit == "%") return words.say("table.title", {label});
  return words.say("table.title_unit", {label, {"unit", metric.unit}});
}

Table metric_table(const Results& results, const Metric& metric) {
  const Words& words = results.words();
  const auto& spec = results.data().spec;
  Table table;
  table.id = metric.id;
  table.title = title_of(words, metric);
  std::vector<std::string> caption{metric.exact ? words.say("table.counted") : trials_text(results)};
  if (!spec.axes.empty()) caption.push_back(words.say("table.columns", {{"axes", axes_text(words, spec)}}));
  table.caption = words.sentences(caption);
  table.columns.push_back({"model", words.say("table.model"), "", false});
  for (std::size_t level = 0; level < spec.levels.size(); ++level) {
    const auto label = spec.axes.empty() ? metric_short_label(words, metric) : column_label(results, level);
    table.columns.push_back({spec.levels[level].id, label, std::string(metric.unit), true});
  }
  for (std::size_t series = 0; series < results.data().plan.series.size(); ++series) {
    const auto& entry = results.data().plan.series[series];
    if (entry.role == Role::ceiling && metric.id != "requests_per_s" && !metric.id.starts_with("latency_")) continue;
    Table::Row row{entry.id, {{entry.id, {}, {}, Quality::ok}}, row_note(results, series)};
    if (row.note.empty()) {
      for (std::size_t level = 0; level < spec.levels.size(); ++level) {
        row.cells.push_back(figure(words, results.cell(series, level), metric));
      }
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

// An experiment without axes has room for several metrics side by side.
Table overview_table(const Results& results) {
  const Words& words = results.words();
  Table table;
  table.id = "overview";
  table.title = words.say("table.overview");
  table.caption = trials_text(results);
  table.columns.push_back({"model", words.say("table.model"), "", false});
  std::vector<const Metric*> shown;
  std::vector<std::string> ids{"syscalls_per_request",
                               "server_cpu_us_per_request",
                               "requests_per_s",
                               "latency_p50_us",
                               "latency_p99_us",
                               "threads",
                               "rss_mib"};
  if (!results.data().spec.probe.empty()) ids = results.data().spec.watch;
  for (const auto& id : ids) {
    shown.push_back(find_metric(id));
    const auto& metric = *shown.back();
    auto label = metric_short_label(words, metric);
    if (!metric.unit.empty() && metric.unit != "1/s") {
      label = words.say("table.overview_column", {{"metric", label}, {"unit", metric.unit}});
    }
    table.columns.push_back({id, label, std::string(metric.unit), true});
  }
  for (std::size_t series = 0; series < results.data().plan.series.size(); ++series) {
    const auto& id = results.data().plan.series[series].id;
    Table::Row row{id, {{id, {}, {}, Quality::ok}}, row_note(results, series)};
    if (row.note.empty()) {
      for (const auto* metric : shown) row.cells.push_back(figure(words, results.cell(series, 0), *metric));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

std::vector<std::string> ids_of_every_cell(const Spec& spec) {
  if (!spec.probe.empty()) return spec.watch;
  return {"requests_per_s",
          "latency_p50_us",
          "latency_p90_us",
          "latency_p99_us",
          "latency_p99_9_us",
          "latency_max_us",
          "server_cpu_us_per_request",
          "server_user_us_per_request",
          "server_system_us_per_request",
          "client_cpu_us_per_request",
          "syscalls_per_request",
          "wake_ups_per_request",
          "would_block_per_request",
          "voluntary_switches_per_request",
          "involuntary_switches_per_request",
          "threads",
          "rss_mib",
          "client_cpu_share",
          "ceiling_share",
          "steal_share"};
}

Table cell_table(const Results& results) {
  const Words& words = results.words();
  const auto& spec = results.data().spec;
  Table table;
  table.id = "cells";
  table.title = words.say("table.cells");
  table.caption = words.sentences(std::array{trials_text(results), words.say("table.csv")});
  table.columns.push_back({"model", words.say("table.model"), "", false});
  for (const auto& axis : spec.axes) table.columns.push_back({axis.path, axis.label, "", true});
  std::vector<const Metric*> shown;
  for (const auto& id : ids_of_every_cell(spec)) {
    shown.push_back(find_metric(id));
    table.columns.push_back({id, metric_short_label(words, *shown.back()), std::string(shown.back()->unit), true});
  }
  table.columns.push_back({"marks", words.say("table.marks"), "", false});
  for (const auto& cell : results.cells()) {
    const auto& id = results.data().plan.series[cell.series].id;
    Table::Row row{id, {{id, {}, cell.id, Quality::ok}}, ""};
    for (std::size_t axis = 0; axis < spec.axes.size(); ++axis) {
      row.cells.push_back({spec.axes[axis].labels[spec.levels[cell.level].at[axis]], {}, cell.id, Quality::ok});
    }
    if (cell.trials.empty()) {
      row.note = why_no_figures(words, cell);
    } else {
      for (const auto* metric : shown) row.cells.push_back(figure(words, cell, *metric));
      std::vector<std::string> marks;
      for (const auto& mark : cell.marks) marks.push_back(words.say("mark." + mark));
      row.cells.push_back({words.comma_parted(marks), {}, cell.id, Quality::ok});
    }
    table.rows.push_back(std::move(row));
  }
  table.notes = {words.say("table.note_too_few"), words.say("table.note_ceiling")};
  return table;
}

Table call_table(const Results& results) {
  const Words& words = results.words();
  Table table;
  table.id = "calls";
  table.title = words.say("table.calls");
  table.caption = words.say("table.calls_caption");
  std::vector<std::string> kinds;
  for (const auto& cell : results.cells()) {
    for (const auto& [call, value] : cell.calls_per_request) {
      if (std::ranges::find(kinds, call) == kinds.end()) kinds.push_back(call);
    }
  }
  table.columns.push_back({"model", words.say("table.model"), "", false});
  for (const auto& axis : results.data().spec.axes) table.columns.push_back({axis.path, axis.label, "", true});
  for (const auto& kind : kinds) table.columns.push_back({kind, kind, "", true});
  for (const auto& cell : results.cells()) {
    if (cell.trials.empty() || results.data().plan.series[cell.series].role == Role::ceiling) continue;
    const auto& id = results.data().plan.series[cell.series].id;
    Table::Row row{id, {{id, {}, cell.id, Quality::ok}}, ""};
    for (std::size_t axis = 0; axis < results.data().spec.axes.size(); ++axis) {
      const auto& level = results.data().spec.levels[cell.level];
      row.cells.push_back({results.data().spec.axes[axis].labels[level.at[axis]], {}, cell.id, Quality::ok});
    }
    for (const auto& kind : kinds) {
      const auto found = std::ranges::find(cell.calls_per_request, kind, &std::pair<std::string, double>::first);
      if (found == cell.calls_per_request.end()) {
        row.cells.push_back({"", {}, cell.id, Quality::ok});
      } else {
        row.cells.push_back({three_digits(found->second), found->second, cell.id, Quality::ok});
      }
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace

std::vector<Table> make_tables(const Results& results) {
  std::vector<Table> tables;
  const bool serves = results.data().spec.probe.empty();  // a probe has no server, and no resource that it fills
  if (results.data().spec.axes.empty()) {
    tables.push_back(overview_table(results));
  } else {
    if (serves) tables.push_back(metric_table(results, *find_metric("syscalls_per_request")));
    for (const auto& id : results.data().spec.watch) tables.push_back(metric_table(results, *find_metric(id)));
  }
  for (std::size_t i = 0; i < tables.size() && i < 2; ++i) tables[i].in_terminal = true;
  tables.front().notes = reasons(results);
  if (serves) tables.push_back(limits_table(results));
  tables.push_back(self_table(results));
  if (auto effects = effects_table(results)) tables.push_back(std::move(*effects));
  if (auto resources = resource_table(results); serves && resources) tables.push_back(std::move(*resources));
  if (serves) tables.push_back(call_table(results));
  if (auto kernel = kernel_table(results)) tables.push_back(std::move(*kernel));
  tables.push_back(cell_table(results));
  return tables;
}

}  // namespace iolab::lab
