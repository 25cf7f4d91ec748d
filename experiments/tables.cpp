#include "experiments/tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "experiments/metrics.h"
#include "experiments/units.h"

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
  if (most <= 1) return "One trial for each figure.";
  constexpr std::size_t kEnough = 6;
  const auto number = fewest == most ? counted(most, "trial") : fmt::format("{} to {} trials", fewest, most);
  return fmt::format("Median of {}{}.", number, fewest < kEnough ? ": a preview" : "");
}

TableCell figure(const Cell& cell, const Metric& metric) {
  if (cell.trials.empty()) {
    return {cell.status == CellStatus::failed ? "failed" : "not run", {}, cell.id, Quality::none};
  }
  const auto found = cell.metrics.find(metric.id);
  if (found == cell.metrics.end()) return {"-", {}, cell.id, Quality::none};
  const auto& value = found->second;
  if (value.quality == Quality::too_few) return {"too few", {}, cell.id, value.quality};
  if (!value.value) return {"-", {}, cell.id, Quality::none};
  return {metric_text(metric, *value.value), value.value, cell.id, value.quality};
}

std::string column_label(const Results& results, std::size_t level) {
  const auto& spec = results.data().spec;
  std::string text;
  for (std::size_t axis = 0; axis < spec.axes.size(); ++axis) {
    if (spec.axes.size() > 1 && spec.axes[axis].values.size() == 1) continue;
    text += (text.empty() ? "" : ", ") + spec.axes[axis].labels[spec.levels[level].at[axis]];
  }
  return text;
}

// "idle connections", or "record size, busy connections": what the columns are.
std::string axes_text(const Spec& spec) {
  std::string text;
  for (const auto& axis : spec.axes) {
    if (is_said(spec.axes, axis)) text += (text.empty() ? "" : ", ") + axis.label;
  }
  return text;
}

std::vector<std::string> reasons(const Results& results) {
  std::vector<std::string> list;
  for (const auto& cell : results.cells()) {
    if (!cell.trials.empty() || results.data().plan.series[cell.series].role != Role::model) continue;
    const auto& id = results.data().plan.series[cell.series].id;
    auto text = fmt::format("{}: {}.", id, cell.reason);
    if (std::ranges::find(list, text) == list.end()) list.push_back(std::move(text));
  }
  return list;
}

// A whole row is a reason if the series ran nowhere for one and the same reason.
std::string row_note(const Results& results, std::size_t series) {
  const auto& first = results.cell(series, 0);
  for (std::size_t level = 0; level < results.data().spec.levels.size(); ++level) {
    const auto& cell = results.cell(series, level);
    if (!cell.trials.empty() || cell.reason != first.reason) return {};
  }
  return fmt::format("{}: {}", first.status == CellStatus::failed ? "failed" : "not run", first.reason);
}

Table metric_table(const Results& results, const Metric& metric) {
  const auto& spec = results.data().spec;
  Table table;
  table.id = metric.id;
  table.title = metric.label;
  table.title.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(table.title.front())));
  if (!metric.unit.empty() && metric.unit != "%") table.title += fmt::format(" ({})", metric.unit);
  table.caption = trials_text(results);
  if (!spec.axes.empty()) table.caption += fmt::format(" Columns: {}.", axes_text(spec));
  table.columns.push_back({"model", "model", "", false});
  for (std::size_t level = 0; level < spec.levels.size(); ++level) {
    const auto label = spec.axes.empty() ? std::string(metric.short_label) : column_label(results, level);
    table.columns.push_back({spec.levels[level].id, label, std::string(metric.unit), true});
  }
  for (std::size_t series = 0; series < results.data().plan.series.size(); ++series) {
    const auto& entry = results.data().plan.series[series];
    if (entry.role == Role::ceiling && metric.id != "requests_per_s" && !metric.id.starts_with("latency_")) continue;
    Table::Row row{entry.id, {{entry.id, {}, {}, Quality::ok}}, row_note(results, series)};
    if (row.note.empty()) {
      for (std::size_t level = 0; level < spec.levels.size(); ++level) {
        row.cells.push_back(figure(results.cell(series, level), metric));
      }
    }
    table.rows.push_back(std::move(row));
  }
  if (metric.exact) table.caption = "Counted, not sampled." + table.caption.substr(trials_text(results).size());
  return table;
}

// An experiment without axes has room for several metrics side by side.
Table overview_table(const Results& results) {
  Table table;
  table.id = "overview";
  table.title = "What it costs";
  table.caption = trials_text(results);
  table.columns.push_back({"model", "model", "", false});
  std::vector<const Metric*> shown;
  for (const auto* id : {"syscalls_per_request", "server_cpu_us_per_request", "requests_per_s", "latency_p50_us",
                         "latency_p99_us", "threads", "rss_mib"}) {
    shown.push_back(find_metric(id));
    const auto& metric = *shown.back();
    auto label = std::string(metric.short_label);
    if (!metric.unit.empty() && metric.unit != "1/s") label += fmt::format(" ({})", metric.unit);
    table.columns.push_back({id, label, std::string(metric.unit), true});
  }
  for (std::size_t series = 0; series < results.data().plan.series.size(); ++series) {
    const auto& id = results.data().plan.series[series].id;
    Table::Row row{id, {{id, {}, {}, Quality::ok}}, row_note(results, series)};
    if (row.note.empty()) {
      for (const auto* metric : shown) row.cells.push_back(figure(results.cell(series, 0), *metric));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

Table cell_table(const Results& results) {
  const auto& spec = results.data().spec;
  Table table;
  table.id = "cells";
  table.title = "Every cell";
  table.caption = trials_text(results) + " The file data.csv holds every trial.";
  table.columns.push_back({"model", "model", "", false});
  for (const auto& axis : spec.axes) table.columns.push_back({axis.path, axis.label, "", true});
  std::vector<const Metric*> shown;
  for (const auto* id : {"requests_per_s",
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
                         "steal_share"}) {
    shown.push_back(find_metric(id));
    table.columns.push_back({id, std::string(shown.back()->short_label), std::string(shown.back()->unit), true});
  }
  table.columns.push_back({"marks", "marks", "", false});
  for (const auto& cell : results.cells()) {
    const auto& id = results.data().plan.series[cell.series].id;
    Table::Row row{id, {{id, {}, cell.id, Quality::ok}}, ""};
    for (std::size_t axis = 0; axis < spec.axes.size(); ++axis) {
      row.cells.push_back({spec.axes[axis].labels[spec.levels[cell.level].at[axis]], {}, cell.id, Quality::ok});
    }
    if (cell.trials.empty()) {
      row.note = fmt::format("{}: {}", cell.status == CellStatus::failed ? "failed" : "not run", cell.reason);
    } else {
      for (const auto* metric : shown) row.cells.push_back(figure(cell, *metric));
      std::string marks;
      for (const auto& mark : cell.marks) marks += (marks.empty() ? "" : ", ") + mark;
      row.cells.push_back({marks, {}, cell.id, Quality::ok});
    }
    table.rows.push_back(std::move(row));
  }
  table.notes = {
      "\"too few\": a percentile p needs at least 10 / (1 - p) requests in every trial.",
      "The row \"ceiling\" is the load generator against a server that only answers: what it can do at most."};
  return table;
}

Table call_table(const Results& results) {
  Table table;
  table.id = "calls";
  table.title = "System calls per request, by kind";
  table.caption = "Counted in the server by the thread that makes them; kinds below 0.0005 per request are left out.";
  std::vector<std::string> kinds;
  for (const auto& cell : results.cells()) {
    for (const auto& [call, value] : cell.calls_per_request) {
      if (std::ranges::find(kinds, call) == kinds.end()) kinds.push_back(call);
    }
  }
  table.columns.push_back({"model", "model", "", false});
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

std::size_t width_of(const Table& table, std::size_t column) {
  std::size_t width = display_width(table.columns[column].label);
  for (const auto& row : table.rows) {
    if (column < row.cells.size()) width = std::max(width, display_width(row.cells[column].text));
  }
  return width;
}

// One past the last column that fits beside the first; at least one more than `first`.
std::size_t columns_that_fit(const Table& table, std::size_t first, std::size_t width) {
  std::size_t used = width_of(table, 0);
  std::size_t column = first;
  while (column < table.columns.size()) {
    used += 2 + width_of(table, column);
    if (used > width && column > first) break;
    ++column;
  }
  return column;
}

// The first column and those from `first` to before `last`.
TextTable part_of(const Table& table, std::size_t first, std::size_t last) {
  TextTable text;
  text.headers.emplace_back();
  const auto wanted = [&](std::size_t column) { return column == 0 || (column >= first && column < last); };
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (!wanted(i)) continue;
    text.headers.back().push_back(table.columns[i].label);
    text.right.push_back(table.columns[i].right);
  }
  for (const auto& row : table.rows) {
    TextTable::Row line{{}, row.note};
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      if (wanted(i)) line.cells.push_back(row.cells[i].text);
    }
    text.rows.push_back(std::move(line));
  }
  return text;
}

}  // namespace

std::vector<Table> make_tables(const Results& results) {
  std::vector<Table> tables;
  if (results.data().spec.axes.empty()) {
    tables.push_back(overview_table(results));
  } else {
    tables.push_back(metric_table(results, *find_metric("syscalls_per_request")));
    for (const auto& id : results.data().spec.watch) tables.push_back(metric_table(results, *find_metric(id)));
  }
  for (std::size_t i = 0; i < tables.size() && i < 2; ++i) tables[i].in_terminal = true;
  tables.front().notes = reasons(results);
  tables.push_back(call_table(results));
  tables.push_back(cell_table(results));
  return tables;
}

nlohmann::ordered_json to_json(const Table& table) {
  using Json = nlohmann::ordered_json;
  Json columns = Json::array();
  for (const auto& column : table.columns) {
    columns.push_back({{"id", column.id},
                       {"label", column.label},
                       {"unit", column.unit},
                       {"align", column.right ? "right" : "left"}});
  }
  Json rows = Json::array();
  for (const auto& row : table.rows) {
    Json cells = Json::array();
    for (const auto& cell : row.cells) {
      cells.push_back({{"text", cell.text},
                       {"value", cell.value ? Json(*cell.value) : Json()},
                       {"cell", cell.cell.empty() ? Json() : Json(cell.cell)},
                       {"quality", std::string(name(cell.quality))}});
    }
    rows.push_back({{"series", row.series}, {"cells", cells}, {"note", row.note}});
  }
  return {{"id", table.id}, {"title", table.title}, {"caption", table.caption},        {"columns", columns},
          {"rows", rows},   {"notes", table.notes}, {"in_terminal", table.in_terminal}};
}

std::string to_text(const Table& table, const Terminal& terminal) {
  constexpr std::size_t kIndent = 4;
  std::string text = fmt::format("  {}  {}\n", bold(terminal, table.title), dim(terminal, table.caption));
  // A table that is wider than the terminal is continued below, with the models named again.
  std::size_t first = 1;
  do {
    const std::size_t last = columns_that_fit(table, first, static_cast<std::size_t>(terminal.width) - kIndent);
    text += (first > 1 ? "\n" : "") + to_text(part_of(table, first, last), terminal, kIndent);
    first = last;
  } while (first < table.columns.size());
  return text;
}

}  // namespace iolab::lab
