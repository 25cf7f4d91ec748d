// The tail: from the request in the middle to the slowest, a line for each model. One more nine is one step to the
// right, so that p99.9 has as much room as everything below the median. A percentile that too few requests support has
// no point; the line crosses its place dotted.
#include <array>
#include <nlohmann/json.hpp>

#include "experiments/judging/sentences.h"
#include "experiments/report/chart_parts.h"
#include "experiments/report/charts.h"

namespace iolab::lab {
namespace {

using Json = nlohmann::ordered_json;

struct Step {
  std::string_view metric;
  std::string_view label;
};
constexpr std::array kSteps{Step{"latency_p50_us", "p50"}, Step{"latency_p90_us", "p90"}, Step{"latency_p99_us", "p99"},
                            Step{"latency_p99_9_us", "p99.9"}, Step{"latency_max_us", "max"}};

// A line of one cell; null if it has no latency at all. The trials are in the table of cells: five steps of eleven
// models would bury their lines under them.
Json line_of(const Results& results, const Cell& cell, Span& span) {
  Json points = Json::array();
  bool any = false;
  for (std::size_t step = 0; step < kSteps.size(); ++step) {
    Json point{{"at", step}};
    point.update(point_of(results.words(), cell, *find_metric(kSteps[step].metric)));
    point["values"] = Json::array();
    any = any || point["value"].is_number();
    span.add(point);
    points.push_back(std::move(point));
  }
  if (!any) return {};
  return {{"id", results.data().plan.series[cell.series].id}, {"points", points}};
}

// The farthest percentile that still tells models apart gives the title.
std::string title_of(const Results& results) {
  for (const auto* id : {"latency_p99_9_us", "latency_p99_us"}) {
    if (!largest_difference(results, id).empty()) return chart_title(results, *find_metric(id));
  }
  return results.words().say("tail.title_untold");
}

Json step_axis(const Words& words) {
  Json ticks = Json::array();
  for (std::size_t step = 0; step < kSteps.size(); ++step) {
    ticks.push_back(
        {{"at", step},
         {"label", step + 1 == kSteps.size() ? words.say("tail.slowest") : std::string(kSteps[step].label)}});
  }
  constexpr double kMargin = 0.2;
  return {{"label", words.say("tail.axis")},
          {"unit", ""},
          {"scale", "linear"},
          {"min", -kMargin},
          {"max", static_cast<double>(kSteps.size()) - 1 + kMargin},
          {"ticks", ticks},
          {"note", words.say("tail.note")}};
}

}  // namespace

Json tail_chart(const Results& results) {
  const Words& words = results.words();
  const auto& spec = results.data().spec;
  Span span;
  Json panels = Json::array();
  for (const auto level : telling_levels(results, 2)) {
    Json lines = Json::array();
    for (std::size_t series = 0; series < results.data().plan.series.size(); ++series) {
      if (results.data().plan.series[series].role == Role::ceiling) continue;
      if (auto line = line_of(results, results.cell(series, level), span); !line.is_null()) {
        lines.push_back(std::move(line));
      }
    }
    panels.push_back(
        {{"title", spec.axes.empty() ? "" : spec.levels[level].label}, {"series", lines}, {"marks", Json::array()}});
  }
  if (span.empty()) return {};
  const auto title = title_of(results);
  auto y = value_axis(words, *find_metric("latency_p99_us"), span, true);
  y["label"] = words.say("tail.latency");
  return {{"id", "tail"},
          {"kind", "lines"},
          {"title", title},
          {"subtitle", words.say("tail.subtitle")},
          {"alt", words.say("tail.alt", {{"title", title}})},
          {"gaps", "dotted"},
          {"x", step_axis(words)},
          {"y", y},
          {"panels", panels}};
}

}  // namespace iolab::lab
