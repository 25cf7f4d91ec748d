#include "experiments/report/chart_parts.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "experiments/judging/sentences.h"
#include "experiments/judging/told_figures.h"
#include "experiments/report/charts.h"
#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

using Json = nlohmann::ordered_json;

Json optional_number(std::optional<double> value) {
  return value && std::isfinite(*value) ? Json(*value) : Json();
}

double in_chart_unit(const Metric& metric, double value) {
  if (metric.unit == "%") return value * 100;
  if (metric.id == "bytes_per_s") return value / 1e6;
  return value;
}

std::string trials_phrase(const Results& results) {
  const int repeat = results.data().spec.timing.repeat;
  constexpr int kEnough = 6;
  const Words& words = results.words();
  if (repeat >= kEnough) return words.say("chart.trials_interval", {{"trials", repeat}});
  return repeat == 1 ? words.say("chart.trials_one") : words.say("chart.trials_shown", {{"trials", repeat}});
}

}  // namespace

Json point_of(const Words& words, const Cell& cell, const Metric& metric) {
  const auto found = cell.metrics.find(metric.id);
  const MetricValue value = found == cell.metrics.end() ? MetricValue{} : found->second;
  const auto scaled = [&](std::optional<double> number) -> Json {
    return number ? optional_number(in_chart_unit(metric, *number)) : Json();
  };
  Json values = Json::array();
  for (const double each : value.values) values.push_back(scaled(each));
  std::string text = "-";
  if (value.quality == Quality::too_few) text = words.say("cell.too_few");
  if (value.value) text = metric_phrase(words, metric, *value.value);
  return {{"value", scaled(value.value)},
          {"low", scaled(value.low)},
          {"high", scaled(value.high)},
          {"values", values},
          {"text", text},
          {"cell", cell.id},
          {"quality", std::string(name(value.quality))}};
}

void Span::add(const Json& point) {
  for (const auto& key : {"value", "low", "high"}) {
    if (point[key].is_number()) add(point[key].get<double>());
  }
  for (const auto& value : point["values"]) {
    if (value.is_number()) add(value.get<double>());
  }
}

void Span::add(double value) {
  if (value > 0) low = std::min(low, value);
  high = std::max(high, value);
}

bool Span::wide() const {
  constexpr double kReadable = 8;
  return !empty() && high / low > kReadable;
}

Json value_axis(const Words& words, const Metric& metric, const Span& span, bool may_be_logarithmic) {
  Json axis{{"label", metric_label(words, metric)}, {"unit", std::string(metric.unit)}};
  if (may_be_logarithmic && span.wide()) {
    axis["scale"] = "log";
    axis["min"] = span.low / 1.3;
    axis["max"] = span.high * 1.3;
    axis["ticks"] = logarithmic_ticks(span.low / 1.3, span.high * 1.3);
    axis["note"] = words.say("chart.logarithmic");
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

Json no_axis() {
  return {{"label", ""},    {"unit", ""},     {"scale", "linear"},
          {"min", nullptr}, {"max", nullptr}, {"ticks", Json::array()},
          {"note", ""}};
}

// "16 busy connections, 100 B records, closed loop; median of 3 trials, every trial shown": what does not vary.
std::string chart_subtitle(const Results& results) {
  const auto& spec = results.data().spec;
  if (!spec.probe.empty()) {
    return results.words().say("chart.probe_subtitle", {{"probe", spec.probe}, {"trials", trials_phrase(results)}});
  }
  const auto& work = spec.levels.front().workload;
  const auto varies = [&](std::string_view path) {
    return std::ranges::any_of(spec.axes, [&](const Axis& axis) { return axis.path == path; });
  };
  const Words& words = results.words();
  const bool fetches = work.kind == "fetch";
  std::vector<std::string> parts;
  if (varies("workload.record_size")) {
    parts.push_back(words.say(fetches ? "chart.fetch" : "chart.produce"));
  } else {
    parts.push_back(
        words.say(fetches ? "chart.fetch_sized" : "chart.produce_sized", {{"size", size_text(work.record_bytes)}}));
  }
  if (!varies("workload.connections")) {
    parts.push_back(words.say("level.workload.connections", {{"value", work.connections}}));
  }
  const bool open = work.rate_per_s || varies("workload.arrivals.rate");
  parts.push_back(words.say(open ? "chart.open_loop" : "chart.closed_loop"));
  return words.say("chart.subtitle", {{"work", words.comma_parted(parts)}, {"trials", trials_phrase(results)}});
}

std::string chart_title(const Results& results, const Metric& metric) {
  const Words& words = results.words();
  const auto difference = largest_difference(results, metric.id);
  const Slot label("metric", metric_label(words, metric));
  if (!difference.empty()) return words.say("chart.title_difference", {label, {"difference", difference}});
  if (const auto ends = least_and_most(results, metric); !ends.empty()) {
    return words.say("chart.title_ends", {label, {"ends", ends}});
  }
  if (results.noise(metric.id) && !has_one_model(results)) {
    return words.say("chart.title_untold", {label, {"baseline", results.data().spec.baseline}});
  }
  return words.say("chart.title", {label});
}

}  // namespace iolab::lab
