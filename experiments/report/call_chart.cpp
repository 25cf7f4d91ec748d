// System calls per request by kind: the one picture that is the same on every machine.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>

#include "experiments/judging/sentences.h"
#include "experiments/report/charts.h"
#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

using Json = nlohmann::ordered_json;

// Kinds of calls in fixed colours, so that `recv` looks the same in every picture.
Json part_of(std::string_view call) {
  struct Look {
    std::string_view calls, color, hatch;
  };
  static constexpr std::array kLooks{
      Look{" recv recvmsg read ", "#0072B2", ""},
      Look{" send sendmsg write ", "#E69F00", "--"},
      Look{" epoll_wait poll select rt_sigtimedwait ", "#56B4E9", ".."},
      Look{" io_uring_enter ", "#009E73", "//"},
      Look{" futex_wait futex_wake tgkill sched_yield nanosleep ", "#D55E00", "xx"},
      Look{" pwrite pread ", "#BBBBBB", ""},
  };
  const auto word = fmt::format(" {} ", call);
  const auto found =
      std::ranges::find_if(kLooks, [&](const Look& look) { return look.calls.find(word) != std::string_view::npos; });
  const bool known = found != kLooks.end();
  return {{"id", call},
          {"label", call},
          {"color", known ? found->color : "#CC79A7"},
          {"hatch", known ? found->hatch : "\\\\"}};
}

// A spinning model makes a hundred times the calls of the others; on its scale nobody else has a bar. What is longer
// than four times the median bar is cut there, and says so.
double longest_whole_bar(const Json& chart) {
  std::vector<double> values;
  for (const auto& panel : chart["panels"]) {
    for (const auto& bar : panel["bars"]) {
      if (bar["value"].is_number()) values.push_back(bar["value"].get<double>());
    }
  }
  if (values.empty()) return 0;
  const double limit = 4 * median(values);
  double longest = 0;
  for (const double value : values) {
    if (value <= limit) longest = std::max(longest, value);
  }
  return longest;
}

void cut(const Words& words, Json& bar, double end) {
  const double value = bar["value"].get<double>();
  for (auto& part : bar["parts"]) part["value"] = part["value"].get<double>() * end / value;
  bar["value"] = end;
  bar["values"] = Json::array();
  bar["text"] = words.say("calls.bar_cut", {{"value", bar["text"].get<std::string>()}});
}

void cut_long_bars(const Words& words, Json& chart) {
  const double longest = longest_whole_bar(chart);
  if (longest <= 0) return;
  const double end = longest * 1.6;
  bool any = false;
  for (auto& panel : chart["panels"]) {
    for (auto& bar : panel["bars"]) {
      if (!bar["value"].is_number() || bar["value"].get<double>() <= end) continue;
      cut(words, bar, end);
      any = true;
    }
  }
  if (!any) return;
  chart["x"]["max"] = end;
  chart["x"]["ticks"] = linear_ticks(longest);
  chart["x"]["note"] = words.say("calls.bars_cut");
}

void add_parts(const Cell& cell, Json& bar, std::vector<std::string>& kinds) {
  constexpr double kWorthDrawing = 0.02;
  for (const auto& [call, value] : cell.calls_per_request) {
    if (!is_system_call(call) || value < kWorthDrawing) continue;
    if (std::ranges::find(kinds, call) == kinds.end()) kinds.push_back(call);
    bar["parts"].push_back({{"part", call}, {"value", value}, {"text", three_digits(value)}});
  }
}

std::string title_for(const Results& results, std::size_t level) {
  const Words& words = results.words();
  const Metric& metric = *find_metric("syscalls_per_request");
  const Cell* least = nullptr;
  const Cell* most = nullptr;
  for (const auto& cell : results.cells()) {
    const auto value = cell.median_of(metric.id);
    if (cell.level != level || !value || results.data().plan.series[cell.series].role != Role::model) continue;
    if (least == nullptr || *value < *least->median_of(metric.id)) least = &cell;
    if (most == nullptr || *value > *most->median_of(metric.id)) most = &cell;
  }
  if (least == nullptr) return words.say("chart.title", {{"metric", metric_label(words, metric)}});
  const auto text = [&](const Cell& cell) {
    return words.say("count.group", {{"value", metric_text(metric, *cell.median_of(metric.id))},
                                     {"models", results.data().plan.series[cell.series].id}});
  };
  return words.say("calls.title",
                   {{"least", text(*least)}, {"most", text(*most)}, {"where", at_level(results, level)}});
}

}  // namespace

nlohmann::ordered_json call_chart(const Results& results) {
  const Metric& metric = *find_metric("syscalls_per_request");
  auto chart = bar_chart(results, metric);
  std::vector<std::string> kinds;
  const auto levels = telling_levels(results, 2);
  for (std::size_t panel = 0; panel < levels.size(); ++panel) {
    for (auto& bar : chart["panels"][panel]["bars"]) {
      const auto series = results.find_series(bar["series"].get<std::string>());
      add_parts(results.cell(*series, levels[panel]), bar, kinds);
    }
  }
  for (const auto& kind : kinds) chart["parts"].push_back(part_of(kind));
  if (!levels.empty()) {
    const Words& words = results.words();
    const auto title = title_for(results, levels.front());
    chart["title"] = title;
    chart["alt"] = words.say("chart.alt_bars", {{"metric", metric_label(words, metric)}, {"title", title}});
  }
  chart["subtitle"] = results.words().say("calls.subtitle");
  cut_long_bars(results.words(), chart);
  return chart;
}

}  // namespace iolab::lab
