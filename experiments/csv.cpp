// data.csv: one line per trial, for spreadsheets and pandas.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "experiments/metrics.h"
#include "experiments/report.h"

namespace iolab::lab {
namespace {

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

}  // namespace

std::string make_csv(const Results& results) {
  const auto& data = results.data();
  std::set<std::string> calls;
  for (const auto& trial : data.trials) {
    for (const auto& [call, number] : trial.server.calls) calls.insert(call);
  }
  std::string text = "index,block,cell,series,model";
  for (const auto& axis : data.spec.axes) text += "," + csv_field(axis.path);
  text += ",status,reason,window_s";
  for (const auto& metric : metrics()) text += fmt::format(",{}", metric.id);
  for (const auto& call : calls) text += fmt::format(",calls_{}_per_request", call);
  text += "\n";
  for (const auto& trial : data.trials) {
    text += fmt::format("{},{},{},{},{}", trial.index, trial.block, csv_field(trial.cell), csv_field(trial.series),
                        csv_field(trial.model));
    const auto level = std::ranges::find(data.spec.levels, trial.level, &Level::id);
    for (std::size_t i = 0; i < data.spec.axes.size(); ++i) {
      text += "," + (level == data.spec.levels.end() ? "" : csv_field(data.spec.axes[i].values[level->at[i]]));
    }
    text += fmt::format(",{},{},{:.6f}", trial.ok ? "ok" : "failed", csv_field(trial.reason), trial.load.duration_s);
    for (const auto& metric : metrics()) {
      const auto value = trial.ok ? results.metric_of(trial, metric.id) : std::nullopt;
      text += value ? fmt::format(",{:.6g}", *value) : ",";
    }
    const auto requests = trial.server.counts.find("requests");
    for (const auto& call : calls) {
      const auto found = trial.server.calls.find(call);
      const bool known = trial.ok && !trial.model.empty() && requests != trial.server.counts.end();
      const double number = found == trial.server.calls.end() ? 0 : static_cast<double>(found->second);
      text += known ? fmt::format(",{:.6g}", number / static_cast<double>(requests->second)) : ",";
    }
    text += "\n";
  }
  return text;
}

}  // namespace iolab::lab
