#include "experiments/report/sheets.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "experiments/spec/metrics.h"

namespace iolab::lab {
namespace {

using Row = std::vector<Sheet::Value>;

Sheet::Value words(std::string_view text) {
  return {std::string(text), false};
}

Sheet::Value number(std::optional<double> value) {
  return {value && std::isfinite(*value) ? fmt::format("{:.6g}", *value) : "", true};
}

Sheet::Value count(auto value) {
  return {fmt::format("{}", value), true};
}

// The values of the axes, one column each; empty if the level is none of the spec's.
void add_axes(const Spec& spec, const Level* level, Row& row) {
  for (std::size_t i = 0; i < spec.axes.size(); ++i) {
    row.push_back(words(level == nullptr ? "" : spec.axes[i].values[level->at[i]]));
  }
}

void add_axis_names(const Spec& spec, std::vector<std::string>& names) {
  for (const auto& axis : spec.axes) names.push_back(axis.path);
}

const Level* level_of(const Spec& spec, const std::string& id) {
  const auto found = std::ranges::find(spec.levels, id, &Level::id);
  return found == spec.levels.end() ? nullptr : &*found;
}

std::set<std::string> calls_of(const RunData& data) {
  std::set<std::string> calls;
  for (const auto& trial : data.trials) {
    for (const auto& [call, made] : trial.server.calls) calls.insert(call);
  }
  return calls;
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

std::string without(std::string_view text, std::string_view unwanted) {
  std::string clean(text);
  std::ranges::replace_if(clean, [&](char c) { return unwanted.find(c) != std::string_view::npos; }, ' ');
  return clean;
}

// Lines of fields, the names first.
template <class Field>
std::string lines(const Sheet& sheet, std::string_view separator, Field&& field) {
  std::string text;
  const auto add = [&](const auto& values, auto&& text_of) {
    for (std::size_t i = 0; i < values.size(); ++i)
      text += fmt::format("{}{}", i > 0 ? separator : "", text_of(values[i]));
    text += '\n';
  };
  add(sheet.names, field);
  for (const auto& row : sheet.rows) add(row, [&](const Sheet::Value& value) { return field(value.text); });
  return text;
}

}  // namespace

Sheet trials_sheet(const Results& results) {
  const auto& data = results.data();
  const auto calls = calls_of(data);
  Sheet sheet{.names = {"index", "block", "cell", "series", "model"}, .rows = {}};
  add_axis_names(data.spec, sheet.names);
  for (const auto* name : {"status", "reason", "window_s"}) sheet.names.emplace_back(name);
  for (const Metric* metric : results.told_metrics()) sheet.names.emplace_back(metric->id);
  for (const auto& call : calls) sheet.names.push_back(fmt::format("calls_{}_per_request", call));
  for (const auto& trial : data.trials) {
    Row row{count(trial.index), count(trial.block), words(trial.cell), words(trial.series), words(trial.model)};
    add_axes(data.spec, level_of(data.spec, trial.level), row);
    row.push_back(words(trial.ok ? "ok" : "failed"));
    row.push_back(words(trial.reason));
    row.push_back({fmt::format("{:.6f}", trial.load.duration_s), true});
    for (const Metric* metric : results.told_metrics()) {
      row.push_back(number(trial.ok ? results.metric_of(trial, metric->id) : std::nullopt));
    }
    const auto requests = trial.server.counts.find("requests");
    const bool known = trial.ok && !trial.model.empty() && requests != trial.server.counts.end();
    for (const auto& call : calls) {
      const auto found = trial.server.calls.find(call);
      const double made = found == trial.server.calls.end() ? 0 : static_cast<double>(found->second);
      row.push_back(number(known ? std::optional(made / static_cast<double>(requests->second)) : std::nullopt));
    }
    sheet.rows.push_back(std::move(row));
  }
  return sheet;
}

Sheet cells_sheet(const Results& results) {
  const auto& data = results.data();
  Sheet sheet{.names = {"cell", "series", "model"}, .rows = {}};
  add_axis_names(data.spec, sheet.names);
  for (const auto* name : {"status", "reason", "trials"}) sheet.names.emplace_back(name);
  for (const Metric* metric : results.told_metrics()) {
    for (const auto* part : {"", "_low", "_high"}) sheet.names.push_back(fmt::format("{}{}", metric->id, part));
  }
  for (const auto& cell : results.cells()) {
    const auto& series = data.plan.series[cell.series];
    Row row{words(cell.id), words(series.id), words(series.model)};
    add_axes(data.spec, &data.spec.levels[cell.level], row);
    row.push_back(words(name(cell.status)));
    row.push_back(words(cell.reason));
    row.push_back(count(cell.trials.size()));
    for (const Metric* metric : results.told_metrics()) {
      const auto found = cell.metrics.find(metric->id);
      const auto value = found == cell.metrics.end() ? MetricValue{} : found->second;
      for (const auto& part : {value.value, value.low, value.high}) row.push_back(number(part));
    }
    sheet.rows.push_back(std::move(row));
  }
  return sheet;
}

Sheet duets_sheet(const RunData& data) {
  Sheet sheet{
      .names = {"index", "round", "session", "series", "level", "status", "reason", "started", "cpu_ratio",
                "cpu_ratio_low", "cpu_ratio_high", "rate_ratio", "answered_baseline", "answered_model", "steal_share"},
      .rows = {}};
  for (const auto& duet : data.duets) {
    const auto ratio = [&](double value) {
      return number(duet.ok && std::isfinite(value) ? std::optional(value) : std::nullopt);
    };
    sheet.rows.push_back({count(duet.index), count(duet.round), count(duet.session), words(duet.series),
                          words(duet.level), words(duet.ok ? "ok" : "failed"), words(duet.reason), words(duet.started),
                          ratio(duet.cpu_ratio), ratio(duet.cpu_ratio_low), ratio(duet.cpu_ratio_high),
                          ratio(duet.rate_ratio), count(duet.answered_baseline), count(duet.answered_model),
                          number(duet.machine.steal_share)});
  }
  return sheet;
}

std::string to_csv(const Sheet& sheet) {
  return lines(sheet, ",", csv_field);
}

std::string to_plain(const Sheet& sheet) {
  return lines(sheet, "\t", [](std::string_view text) { return without(text, "\t\r\n"); });
}

std::string to_markdown(const Sheet& sheet) {
  std::string text = "|";
  for (const auto& name : sheet.names) text += fmt::format(" {} |", name);
  text += "\n|";
  for (std::size_t i = 0; i < sheet.names.size(); ++i) {
    const bool right = !sheet.rows.empty() && sheet.rows.front()[i].number;
    text += right ? "---:|" : "---|";
  }
  text += "\n";
  for (const auto& row : sheet.rows) {
    text += "|";
    for (const auto& value : row) text += fmt::format(" {} |", without(value.text, "|\r\n"));
    text += "\n";
  }
  return text;
}

std::string to_json_text(const Sheet& sheet) {
  using Json = nlohmann::ordered_json;
  Json list = Json::array();
  for (const auto& row : sheet.rows) {
    Json object = Json::object();
    for (std::size_t i = 0; i < row.size(); ++i) {
      const auto& [text, is_number] = row[i];
      object[sheet.names[i]] = !is_number ? Json(text) : text.empty() ? Json() : Json::parse(text);
    }
    list.push_back(std::move(object));
  }
  return list.dump(1) + "\n";
}

}  // namespace iolab::lab
