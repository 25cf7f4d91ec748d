#include "experiments/report/limits_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>

#include "experiments/judging/limits.h"
#include "experiments/report/charts.h"
#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

using Json = nlohmann::ordered_json;

// A window's two clocks differ by a wake-up: a hundredth beyond the limit is the limit.
constexpr double kBeyond = 1.01;

// "62 % (60 % to 65 %)"
std::string share_text(const Words& words, const Share& share) {
  const auto text = percent_text(share.value);
  if (!share.low) return text;
  return words.say("ceiling.range",
                   {{"value", text}, {"low", percent_text(*share.low)}, {"high", percent_text(*share.high)}});
}

// The words that a figure beyond its bound deserves, with both numbers.
std::string beyond(const Words& words, double reached, double most, std::string_view unit) {
  return words.say("limits.beyond", {{"reached", three_digits(reached)}, {"most", three_digits(most)}, {"unit", unit}});
}

std::string cost_text(const Words& words, const Closeness& close) {
  if (!close.of_cost) return "-";
  if (close.of_cost->value <= kBeyond) return share_text(words, *close.of_cost);
  return words.say("limits.beyond_cost",
                   {{"measured", three_digits(close.measured_us)}, {"least", three_digits(close.least_us)}});
}

std::string limit_text(const Words& words, const Closeness& close) {
  if (close.binding.empty()) return "-";
  if (close.of_limit.value <= kBeyond) return share_text(words, close.of_limit);
  return beyond(words, close.reached, close.most, unit_of(close.binding));
}

std::string name_of(const Words& words, std::string_view part_or_limit) {
  return part_or_limit.empty() ? "" : words.say(fmt::format("limit.{}", part_or_limit));
}

Json bar(const Words& words, const std::string& series, const Cell& cell, const std::optional<Share>& share,
         const std::string& text) {
  Json bar{{"series", series},        {"label", series}, {"value", Json()}, {"low", Json()},   {"high", Json()},
           {"values", Json::array()}, {"text", ""},      {"cell", cell.id}, {"quality", "ok"}, {"missing", ""},
           {"parts", Json::array()}};
  if (!share) {
    bar["missing"] = cell.reason.empty() ? words.say("limits.no_ceiling") : cell.reason;
    return bar;
  }
  const auto percent = [](double value) { return std::min(value * 100, 100.0); };
  bar["value"] = percent(share->value);
  if (share->low) {
    bar["low"] = percent(*share->low);
    bar["high"] = percent(*share->high);
  }
  bar["text"] = share->value > kBeyond ? words.say("limits.underestimated") : text;
  return bar;
}

// What one bar shows of a cell.
struct Shown {
  std::optional<Share> share;
  std::string words;
};

Json panels(const Results& results, const std::function<Shown(const Closeness&)>& show) {
  Json list = Json::array();
  for (const auto level : telling_levels(results, 2)) {
    Json bars = Json::array();
    for (std::size_t series = 0; series < results.data().plan.series.size(); ++series) {
      const auto& entry = results.data().plan.series[series];
      if (entry.role != Role::model) continue;
      const Cell& cell = results.cell(series, level);
      const Shown shown = show(closeness_of(results, cell));
      bars.push_back(bar(results.words(), entry.id, cell, shown.share, shown.words));
    }
    const auto& spec = results.data().spec;
    list.push_back({{"title", spec.axes.empty() ? std::string() : spec.levels[level].label}, {"bars", bars}});
  }
  return list;
}

bool is_empty(const Json& panels) {
  for (const auto& panel : panels) {
    for (const auto& bar : panel["bars"]) {
      if (bar["value"].is_number()) return false;
    }
  }
  return true;
}

Json chart(const char* id, const std::string& title, const std::string& subtitle, const std::string& label,
           Json panels) {
  return {{"id", id},
          {"kind", "bars"},
          {"title", title},
          {"subtitle", subtitle},
          {"alt", title + ". " + subtitle},
          {"x",
           {{"label", label},
            {"unit", "%"},
            {"scale", "linear"},
            {"min", 0},
            {"max", 100},
            {"ticks", linear_ticks(100)},
            {"note", ""}}},
          {"parts", Json::array()},
          {"panels", std::move(panels)}};
}

// The cell of a model that comes nearest to what is asked for.
struct Nearest {
  const Cell* cell = nullptr;
  Closeness close;
};
Nearest nearest(const Results& results, const std::function<double(const Closeness&)>& how_near) {
  Nearest found;
  double most = 0;
  for (const auto& cell : results.cells()) {
    if (results.data().plan.series[cell.series].role != Role::model || cell.trials.empty()) continue;
    const Closeness close = closeness_of(results, cell);
    if (how_near(close) <= most) continue;
    most = how_near(close);
    found = {&cell, close};
  }
  return found;
}

std::string where(const Results& results, const Cell& cell) {
  return results.data().plan.series[cell.series].id + at_level(results, cell.level);
}

Json rate_chart(const Results& results) {
  // What is beyond its limit says that the limit was measured badly, not that it is near.
  const auto found = nearest(
      results, [](const Closeness& close) { return close.of_limit.value > kBeyond ? 0 : close.of_limit.value; });
  const Words& words = results.words();
  const auto title = found.cell == nullptr
                         ? words.say("limits.rate_title_beyond")
                         : words.say("limits.rate_title", {{"where", where(results, *found.cell)},
                                                           {"share", percent_text(found.close.of_limit.value)},
                                                           {"limit", name_of(words, found.close.binding)}});
  return chart("limits", title, words.say("limits.rate_subtitle"), words.say("limits.rate_axis"),
               panels(results, [&](const Closeness& each) -> Shown {
                 if (each.binding.empty()) return {};
                 return {each.of_limit, words.say("limits.bar", {{"share", percent_text(each.of_limit.value)},
                                                                 {"limit", name_of(words, each.binding)}})};
               }));
}

Json cost_chart(const Results& results) {
  const auto found = nearest(results, [](const Closeness& close) { return close.of_cost ? close.of_cost->value : 0; });
  if (found.cell == nullptr) return {};
  const Words& words = results.words();
  const auto title = words.say("limits.cost_title", {{"share", percent_text(std::min(1.0, found.close.of_cost->value))},
                                                     {"where", where(results, *found.cell)}});
  return chart("least-cost", title, words.say("limits.cost_subtitle"), words.say("limits.cost_axis"),
               panels(results, [&](const Closeness& each) -> Shown {
                 if (!each.of_cost) return {};
                 return {each.of_cost, words.say("limits.cost_bar", {{"share", percent_text(each.of_cost->value)},
                                                                     {"least", three_digits(each.least_us)},
                                                                     {"measured", three_digits(each.measured_us)}})};
               }));
}

}  // namespace

Table limits_table(const Results& results) {
  const Words& words = results.words();
  const auto& spec = results.data().spec;
  Table table;
  table.id = "limits";
  table.title = words.say("limits.title");
  table.caption = words.say("limits.caption");
  table.columns.push_back({"model", words.say("table.model"), "", false});
  for (const auto& axis : spec.axes) table.columns.push_back({axis.path, axis.label, "", true});
  table.columns.push_back({"cpu", words.say("limits.cpu"), "us", true});
  table.columns.push_back({"least", words.say("limits.least"), "us", true});
  table.columns.push_back({"of_cost", words.say("limits.of_cost"), "", true});
  table.columns.push_back({"part", words.say("limits.part"), "", false});
  table.columns.push_back({"limit", words.say("limits.binding"), "", false});
  table.columns.push_back({"of_limit", words.say("limits.used"), "", true});
  for (const auto& cell : results.cells()) {
    const auto& series = results.data().plan.series[cell.series];
    if (cell.trials.empty() || series.role == Role::ceiling) continue;
    const Closeness close = closeness_of(results, cell);
    Table::Row row{series.id, {{series.id, {}, cell.id, Quality::ok}}, ""};
    for (std::size_t axis = 0; axis < spec.axes.size(); ++axis) {
      row.cells.push_back({spec.axes[axis].labels[spec.levels[cell.level].at[axis]], {}, cell.id, Quality::ok});
    }
    const auto number = [&](double value) -> TableCell {
      if (!close.of_cost) return {"-", {}, cell.id, Quality::none};
      return {three_digits(value), value, cell.id, Quality::ok};
    };
    row.cells.push_back(number(close.measured_us));
    row.cells.push_back(number(close.least_us));
    row.cells.push_back({cost_text(words, close), close.of_cost ? std::optional(close.of_cost->value) : std::nullopt,
                         cell.id, Quality::ok});
    row.cells.push_back({name_of(words, close.largest_part), {}, cell.id, Quality::ok});
    row.cells.push_back({name_of(words, close.binding), {}, cell.id, Quality::ok});
    row.cells.push_back({limit_text(words, close), close.of_limit.value, cell.id, Quality::ok});
    table.rows.push_back(std::move(row));
  }
  return table;
}

std::vector<Json> limits_charts(const Results& results) {
  std::vector<Json> charts;
  for (auto each : {rate_chart(results), cost_chart(results)}) {
    if (!each.is_null() && !is_empty(each["panels"])) charts.push_back(std::move(each));
  }
  return charts;
}

void note_limits(const Results& results, std::vector<Sentence>& notes) {
  const Words& words = results.words();
  const auto say = [&](const Cell& cell, const std::string& what, const std::string& beyond) {
    notes.push_back({"limit",
                     words.say("limits.note", {{"where", where(results, cell)}, {"what", what}, {"beyond", beyond}}),
                     {cell.id}});
  };
  for (const auto& cell : results.cells()) {
    if (cell.trials.empty()) continue;
    const Closeness close = closeness_of(results, cell);
    if (close.of_cost && close.of_cost->value > kBeyond) say(cell, words.say("limits.least"), cost_text(words, close));
    // The load generator's ceiling has a note of its own.
    if (close.of_limit.value > kBeyond && close.binding != "client") {
      say(cell, name_of(words, close.binding), limit_text(words, close));
    }
  }
}

}  // namespace iolab::lab
