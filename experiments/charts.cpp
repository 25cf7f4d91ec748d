#include "experiments/charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "experiments/metrics.h"
#include "experiments/sentences.h"
#include "experiments/units.h"

namespace iolab::lab {
namespace {

using Json = nlohmann::ordered_json;

Json optional_number(std::optional<double> value) {
  return value && std::isfinite(*value) ? Json(*value) : Json();
}

bool drawn(const Results& results, std::size_t series, const Metric& metric) {
  const auto role = results.data().plan.series[series].role;
  return role != Role::ceiling || metric.id == "requests_per_s";
}

double in_chart_unit(const Metric& metric, double value) {
  if (metric.unit == "%") return value * 100;
  if (metric.id == "bytes_per_s") return value / 1e6;
  return value;
}

Json measured(const Cell& cell, const Metric& metric) {
  const auto found = cell.metrics.find(metric.id);
  const MetricValue value = found == cell.metrics.end() ? MetricValue{} : found->second;
  const auto scaled = [&](std::optional<double> number) -> Json {
    return number ? optional_number(in_chart_unit(metric, *number)) : Json();
  };
  Json values = Json::array();
  for (const double each : value.values) values.push_back(scaled(each));
  std::string text = "-";
  if (value.quality == Quality::too_few) text = "too few";
  if (value.value) text = metric_phrase(metric, *value.value);
  return {{"value", scaled(value.value)},
          {"low", scaled(value.low)},
          {"high", scaled(value.high)},
          {"values", values},
          {"text", text},
          {"cell", cell.id},
          {"quality", std::string(name(value.quality))}};
}

struct Span {
  double low = std::numeric_limits<double>::infinity();
  double high = 0;
  void add(const Json& point) {
    for (const auto& key : {"value", "low", "high"}) {
      if (point[key].is_number()) add(point[key].get<double>());
    }
    for (const auto& value : point["values"]) {
      if (value.is_number()) add(value.get<double>());
    }
  }
  void add(double value) {
    if (value > 0) low = std::min(low, value);
    high = std::max(high, value);
  }
  bool empty() const { return high <= 0; }
  // Values that differ tenfold cannot be read on one linear axis.
  bool wide() const { return !empty() && high / low > 8; }
};

Json value_axis(const Metric& metric, const Span& span, bool may_be_logarithmic) {
  Json axis{{"label", std::string(metric.label)}, {"unit", std::string(metric.unit)}};
  if (may_be_logarithmic && span.wide()) {
    axis["scale"] = "log";
    axis["min"] = span.low / 1.3;
    axis["max"] = span.high * 1.3;
    axis["ticks"] = logarithmic_ticks(span.low / 1.3, span.high * 1.3);
    axis["note"] = "logarithmic";
  } else {
    const double high = span.empty() ? 1 : span.high * 1.08;
    axis["scale"] = "linear";
    axis["min"] = 0;
    axis["max"] = high;
    axis["ticks"] = linear_ticks(high);
    axis["note"] = "";
  }
  return axis;
}

// Where the values of an axis go: by logarithm if they are numbers that span decades, zero set apart; else evenly.
std::vector<double> positions(const Axis& axis, std::string& note) {
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
  note = has_zero ? "spaced by logarithm; 0 set apart" : "spaced by logarithm";
  return at;
}

struct Layout {
  std::size_t x_axis = 0;                              // index into spec.axes
  std::vector<std::vector<std::size_t>> panel_levels;  // for each panel: level of each x value
  std::vector<std::string> titles;
};

// The axis with the most values goes along x; every combination of the others is a panel.
Layout lay_out(const Spec& spec) {
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
      std::string title;
      for (std::size_t axis = 0; axis < spec.axes.size(); ++axis) {
        if (axis == layout.x_axis) continue;
        title += fmt::format("{}{}: {}", title.empty() ? "" : ", ", spec.axes[axis].label,
                             spec.axes[axis].labels[key[axis]]);
      }
      layout.titles.push_back(std::move(title));
    }
    const auto panel = static_cast<std::size_t>(found - keys.begin());
    layout.panel_levels[panel][spec.levels[level].at[layout.x_axis]] = level;
  }
  return layout;
}

std::string trials_phrase(const Results& results) {
  const int repeat = results.data().spec.timing.repeat;
  constexpr int kEnough = 6;
  if (repeat >= kEnough) {
    return fmt::format("median of {} trials, whiskers: interval of the median with at least 95 %", repeat);
  }
  return repeat == 1 ? "one trial" : fmt::format("median of {} trials, every trial shown", repeat);
}

// "16 busy connections, 100 B records, closed loop; median of 3 trials, every trial shown": what does not vary.
std::string subtitle_for(const Results& results) {
  const auto& spec = results.data().spec;
  const auto& work = spec.levels.front().workload;
  const auto varies = [&](std::string_view path) {
    return std::ranges::any_of(spec.axes, [&](const Axis& axis) { return axis.path == path; });
  };
  std::vector<std::string> parts;
  parts.push_back(work.kind == "fetch" ? "fetching" : "producing");
  if (!varies("workload.record_size")) parts.back() += fmt::format(" records of {}", size_text(work.record_bytes));
  if (!varies("workload.connections"))
    parts.push_back(counted(static_cast<std::uint64_t>(work.connections), "busy connection"));
  parts.push_back(work.rate_per_s || varies("workload.arrivals.rate") ? "open loop" : "closed loop");
  auto text = parts.front();
  for (std::size_t i = 1; i < parts.size(); ++i) text += ", " + parts[i];
  text.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
  return fmt::format("{}; {}", text, trials_phrase(results));
}

std::string title_for(const Results& results, const Metric& metric) {
  const auto difference = largest_difference(results, metric.id);
  std::string label(metric.label);
  label.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(label.front())));
  if (!difference.empty()) return fmt::format("{}: {}", label, difference);
  if (results.noise(metric.id)) {
    return fmt::format("{}: no model can be told from {} here", label, results.data().spec.baseline);
  }
  return label;
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
      marks.push_back(
          {{"kind", "wall"}, {"series", id}, {"at", at[i]}, {"text", fmt::format("{}: {}", id, cell.reason)}});
      break;
    }
  }
  return marks;
}

Json line_chart(const Results& results, const Metric& metric) {
  const auto& spec = results.data().spec;
  const Layout layout = lay_out(spec);
  const Axis& axis = spec.axes[layout.x_axis];
  std::string note;
  const auto at = positions(axis, note);
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
        point.update(measured(cell, metric));
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
  const auto title = title_for(results, metric);
  return {{"id", std::string(metric.id)},
          {"kind", "lines"},
          {"title", title},
          {"subtitle", subtitle_for(results)},
          {"alt", fmt::format("Lines of {} over {}, one for each model. {}.", metric.label, axis.label, title)},
          {"x",
           {{"label", axis.label},
            {"unit", ""},
            {"scale", "linear"},
            {"min", low - margin},
            {"max", high + margin},
            {"ticks", ticks},
            {"note", note}}},
          {"y", value_axis(metric, span, true)},
          {"panels", panels}};
}

Json no_axis() {
  return {{"label", ""},    {"unit", ""},     {"scale", "linear"},
          {"min", nullptr}, {"max", nullptr}, {"ticks", Json::array()},
          {"note", ""}};
}

Json bar_of(const Results& results, const Cell& cell, const Metric& metric) {
  const auto& id = results.data().plan.series[cell.series].id;
  Json bar{{"series", id}, {"label", id}};
  bar.update(measured(cell, metric));
  if (bar["value"].is_number()) bar["text"] = metric_text(metric, *cell.median_of(metric.id));
  bar["missing"] = bar["value"].is_null() ? (cell.reason.empty() ? std::string("not measured") : cell.reason) : "";
  bar["parts"] = Json::array();
  return bar;
}

// Where an axis of bars ends. A bar four times as long as the one in the middle would press all others together, so it
// is cut off there instead; the note says so, and the bar's number is printed beside it as always.
Json bar_axis(const Metric& metric, Span span, std::vector<double> values) {
  if (values.empty()) return value_axis(metric, span, false);
  std::ranges::sort(values);
  const double longest_whole = 4 * values[values.size() / 2];
  if (values.back() <= longest_whole) return value_axis(metric, span, false);
  span.high = *std::prev(std::ranges::upper_bound(values, longest_whole)) * 1.2;
  auto axis = value_axis(metric, span, false);
  axis["note"] = "a torn end: longer than drawn";
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
  const auto title = title_for(results, metric);
  return {{"id", std::string(metric.id)},
          {"kind", "bars"},
          {"title", title},
          {"subtitle", subtitle_for(results)},
          {"alt", fmt::format("Bars of {}, one for each model. {}.", metric.label, title)},
          {"x", bar_axis(metric, span, std::move(values))},
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
  charts.insert(charts.begin() + std::min<std::ptrdiff_t>(1, static_cast<std::ptrdiff_t>(charts.size())),
                call_chart(results));
  return charts;
}

}  // namespace iolab::lab
