#include "experiments/report/charts.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "experiments/judging/sentences.h"
#include "experiments/judging/told_figures.h"
#include "experiments/report/chart_parts.h"
#include "experiments/spec/metrics.h"
#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

using Json = nlohmann::ordered_json;

bool drawn(const Results& results, std::size_t series, const Metric& metric) {
  const auto role = results.data().plan.series[series].role;
  return role != Role::ceiling || metric.id == "requests_per_s";
}

// Where the values of an axis go: by logarithm if they are numbers that span decades, zero set apart; else evenly.
std::vector<double> positions(const Words& words, const Axis& axis, std::string& note) {
  std::vector<double> at;
  double lowest = std::numeric_limits<double>::infinity();
  bool numeric = true;
  for (const double number : axis.numbers) {
    numeric = numeric && number >= 0;  // NaN is no number
    if (number > 0) lowest = std::min(lowest, number);
  }
  if (!numeric || !std::isfinite(lowest)) {
    for (std::size_t i = 0; i < axis.numbers.size(); ++i) at.push_back(static_cast<double>(i));
    return at;
  }
  bool has_zero = false;
  for (const double number : axis.numbers) {
    has_zero = has_zero || number == 0;
    at.push_back(number == 0 ? -0.7 : std::log10(number / lowest));
  }
  note = words.say(has_zero ? "chart.spaced_with_zero" : "chart.spaced");
  return at;
}

struct Layout {
  std::size_t x_axis = 0;                              // index into spec.axes
  std::vector<std::vector<std::size_t>> panel_levels;  // for each panel: level of each x value
  std::vector<std::string> titles;
};

// The axis with the most values goes along x; every combination of the others is a panel.
Layout lay_out(const Words& words, const Spec& spec) {
  Layout layout;
  for (std::size_t i = 1; i < spec.axes.size(); ++i) {
    if (spec.axes[i].values.size() > spec.axes[layout.x_axis].values.size()) layout.x_axis = i;
  }
  std::vector<std::vector<std::size_t>> keys;
  for (std::size_t level = 0; level < spec.levels.size(); ++level) {
    auto key = spec.levels[level].at;
    key[layout.x_axis] = 0;
    auto found = std::ranges::find(keys, key);
    if (found == keys.end()) {
      found = keys.insert(keys.end(), key);
      layout.panel_levels.emplace_back(spec.axes[layout.x_axis].values.size());
      std::vector<std::string> parts;
      for (std::size_t axis = 0; axis < spec.axes.size(); ++axis) {
        if (axis == layout.x_axis) continue;
        parts.push_back(
            words.say("chart.panel", {{"axis", spec.axes[axis].label}, {"value", spec.axes[axis].labels[key[axis]]}}));
      }
      layout.titles.push_back(words.comma_parted(parts));
    }
    const auto panel = static_cast<std::size_t>(found - keys.begin());
    layout.panel_levels[panel][spec.levels[level].at[layout.x_axis]] = level;
  }
  return layout;
}

// Where a series ends, with the reason: the wall is part of the answer.
Json walls(const Results& results, const std::vector<std::size_t>& levels, const std::vector<double>& at) {
  Json marks = Json::array();
  for (std::size_t series = 0; series < results.data().plan.series.size(); ++series) {
    if (results.data().plan.series[series].role != Role::model) continue;
    for (std::size_t i = 0; i < levels.size(); ++i) {
      const auto& cell = results.cell(series, levels[i]);
      if (!cell.trials.empty()) continue;
      const bool ran_before = i > 0 && !results.cell(series, levels[i - 1]).trials.empty();
      if (!ran_before && i > 0) continue;
      const auto& id = results.data().plan.series[series].id;
      marks.push_back({{"kind", "wall"},
                       {"series", id},
                       {"at", at[i]},
                       {"text", results.words().say("chart.wall", {{"model", id}, {"reason", cell.reason}})}});
      break;
    }
  }
  return marks;
}

Json line_chart(const Results& results, const Metric& metric) {
  const auto& spec = results.data().spec;
  const Words& words = results.words();
  const Layout layout = lay_out(words, spec);
  const Axis& axis = spec.axes[layout.x_axis];
  std::string note;
  const auto at = positions(words, axis, note);
  Json ticks = Json::array();
  for (std::size_t i = 0; i < at.size(); ++i) ticks.push_back({{"at", at[i]}, {"label", axis.labels[i]}});
  Span span;
  Json panels = Json::array();
  std::string described;
  for (std::size_t panel = 0; panel < layout.panel_levels.size(); ++panel) {
    const auto& levels = layout.panel_levels[panel];
    Json lines = Json::array();
    for (std::size_t series = 0; series < results.data().plan.series.size(); ++series) {
      if (!drawn(results, series, metric)) continue;
      Json points = Json::array();
      bool any = false;
      for (std::size_t i = 0; i < levels.size(); ++i) {
        const auto& cell = results.cell(series, levels[i]);
        Json point{{"at", at[i]}};
        point.update(point_of(results.words(), cell, metric));
        any = any || point["value"].is_number();
        span.add(point);
        points.push_back(std::move(point));
      }
      if (any) lines.push_back({{"id", results.data().plan.series[series].id}, {"points", points}});
    }
    panels.push_back({{"title", layout.titles[panel]}, {"series", lines}, {"marks", walls(results, levels, at)}});
  }
  const auto [low, high] = std::ranges::minmax(at);
  const double margin = std::max(0.05 * (high - low), 0.1);
  const auto title = chart_title(results, metric);
  return {{"id", std::string(metric.id)},
          {"kind", "lines"},
          {"title", title},
          {"subtitle", chart_subtitle(results)},
          {"alt", words.say("chart.alt_lines",
                            {{"metric", metric_label(words, metric)}, {"axis", axis.label}, {"title", title}})},
          {"x",
           {{"label", axis.label},
            {"unit", ""},
            {"scale", "linear"},
            {"min", low - margin},
            {"max", high + margin},
            {"ticks", ticks},
            {"note", note}}},
          {"y", value_axis(words, metric, span, true)},
          {"panels", panels}};
}

Json bar_of(const Results& results, const Cell& cell, const Metric& metric) {
  const auto& id = results.data().plan.series[cell.series].id;
  Json bar{{"series", id}, {"label", id}};
  bar.update(point_of(results.words(), cell, metric));
  if (bar["value"].is_number()) bar["text"] = metric_text(metric, *cell.median_of(metric.id));
  bar["missing"] =
      bar["value"].is_null() ? (cell.reason.empty() ? results.words().say("cell.not_measured") : cell.reason) : "";
  bar["parts"] = Json::array();
  return bar;
}

// Where an axis of bars ends. A bar four times as long as the one in the middle would press all others together, so it
// is cut off there instead; the note says so, and the bar's number is printed beside it as always.
Json bar_axis(const Words& words, const Metric& metric, Span span, std::vector<double> values) {
  if (values.empty()) return value_axis(words, metric, span, false);
  std::ranges::sort(values);
  const double longest_whole = 4 * values[values.size() / 2];
  if (values.back() <= longest_whole) return value_axis(words, metric, span, false);
  span.high = *std::prev(std::ranges::upper_bound(values, longest_whole)) * 1.2;
  auto axis = value_axis(words, metric, span, false);
  axis["note"] = words.say("chart.torn");
  return axis;
}

}  // namespace

Json bar_chart(const Results& results, const Metric& metric) {
  Span span;
  std::vector<double> values;
  Json panels = Json::array();
  for (const auto level : telling_levels(results, 2)) {
    Json bars = Json::array();
    for (std::size_t series = 0; series < results.data().plan.series.size(); ++series) {
      if (!drawn(results, series, metric)) continue;
      auto bar = bar_of(results, results.cell(series, level), metric);
      span.add(bar);
      if (bar["value"].is_number()) values.push_back(bar["value"].get<double>());
      bars.push_back(std::move(bar));
    }
    const auto& spec = results.data().spec;
    panels.push_back({{"title", spec.axes.empty() ? "" : spec.levels[level].label}, {"bars", bars}});
  }
  const Words& words = results.words();
  const auto title = chart_title(results, metric);
  return {{"id", std::string(metric.id)},
          {"kind", "bars"},
          {"title", title},
          {"subtitle", chart_subtitle(results)},
          {"alt", words.say("chart.alt_bars", {{"metric", metric_label(words, metric)}, {"title", title}})},
          {"x", bar_axis(words, metric, span, std::move(values))},
          {"y", no_axis()},
          {"parts", Json::array()},
          {"panels", panels}};
}

Json make_charts(const Results& results) {
  Json charts = Json::array();
  const auto& spec = results.data().spec;
  const bool varied = std::ranges::any_of(spec.axes, [](const Axis& axis) { return axis.values.size() > 1; });
  for (const auto& id : spec.watch) {
    const Metric& metric = *find_metric(id);
    charts.push_back(varied ? line_chart(results, metric) : bar_chart(results, metric));
  }
  // A probe has no server whose calls were counted, and one model alone has nobody to share a map with.
  if (spec.probe.empty()) {
    charts.insert(charts.begin() + std::min<std::ptrdiff_t>(1, static_cast<std::ptrdiff_t>(charts.size())),
                  call_chart(results));
    charts.push_back(cpu_chart(results));
    charts.push_back(tail_chart(results));
  }
  if (!has_one_model(results)) charts.push_back(map_chart(results));
  std::erase_if(charts.get_ref<Json::array_t&>(), [](const Json& chart) { return chart.is_null(); });
  return charts;
}

}  // namespace iolab::lab
