#include "experiments/judging/comparisons.h"

#include <algorithm>
#include <cmath>

#include "experiments/judging/told_figures.h"
#include "experiments/judging/traps.h"
#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

// "3.31 to 3.72 times", or "3.50 times" where both ends print alike.
std::string ratio_range(const Words& words, std::vector<double> ratios) {
  std::ranges::sort(ratios);
  const auto low = ratio_text(ratios.front());
  const auto high = ratio_text(ratios.back());
  return low == high ? words.say("ratio.one", {{"ratio", low}})
                     : words.say("ratio.range", {{"low", low}, {"high", high}});
}

std::string untold_at(const Results& results, std::size_t level, const std::string& ratios) {
  const auto& spec = results.data().spec;
  if (spec.axes.empty()) return results.words().say("found.untold_here", {{"ratios", ratios}});
  return results.words().say("found.untold_at", {{"level", spec.levels[level].label}, {"ratios", ratios}});
}

// One model against the baseline, level by level: what the question asks.
void say_focus(const Results& results, const Metric& metric, const std::vector<std::size_t>& levels,
               std::vector<Sentence>& found) {
  const Words& words = results.words();
  const auto baseline = results.baseline();
  for (const auto& model : results.data().spec.focus) {
    const auto series = results.find_series(model);
    if (!series || !baseline || series == baseline) continue;
    Sentence sentence{"measured", "", {}};
    std::vector<std::string> told;
    std::vector<std::string> untold;
    std::optional<std::size_t> last_above;
    for (const auto level : levels) {
      const auto ratios = results.block_ratios(*series, *baseline, level, metric.id);
      if (ratios.empty()) continue;
      sentence.cells.push_back(results.cell(*series, level).id);
      sentence.cells.push_back(results.cell(*baseline, level).id);
      const auto told_direction = direction(ratios, results.noise(metric.id, level).value_or(0));
      if (told_direction == Direction::above) last_above = level;
      if (told_direction == Direction::not_told) {
        untold.push_back(untold_at(results, level, ratio_range(words, ratios)));
      } else {
        told.push_back(ratio_range(words, ratios) + at_level(results, level));
      }
    }
    std::vector<std::string> parts;
    const auto& reference = results.data().spec.baseline;
    if (!told.empty()) {
      parts.push_back(words.say("found.focus", {{"model", model},
                                                {"baseline", reference},
                                                {"metric", metric_label(words, metric)},
                                                {"ratios", words.listed(told)}}));
    }
    const bool dearer = last_above && metric.id.starts_with("server_");
    if (dearer) parts.push_back(cause_of(results, *series, *last_above, true));
    if (!untold.empty()) {
      parts.push_back(words.say("found.focus_untold",
                                {{"model", model}, {"baseline", reference}, {"levels", words.listed(untold)}}));
    }
    std::erase(parts, "");
    sentence.text = words.sentences(parts);
    if (!parts.empty()) found.push_back(std::move(sentence));
  }
}

// Everyone else against the baseline, at one level.
void say_level(const Results& results, const Metric& metric, std::size_t level, std::vector<Sentence>& found) {
  const auto baseline = results.baseline();
  if (!baseline) return;
  const Words& words = results.words();
  Sentence sentence{"measured", "", {results.cell(*baseline, level).id}};
  std::vector<std::string> more;
  std::vector<std::string> less;
  std::vector<std::string> untold;
  for (std::size_t series = 0; series < results.data().plan.series.size(); ++series) {
    if (!results.is_model(series) || series == *baseline) continue;
    const auto ratios = results.block_ratios(series, *baseline, level, metric.id);
    if (ratios.empty()) continue;
    const auto& id = results.data().plan.series[series].id;
    sentence.cells.push_back(results.cell(series, level).id);
    switch (direction(ratios, results.noise(metric.id, level).value_or(0))) {
      case Direction::above: more.push_back(id + " " + ratio_range(words, ratios)); break;
      case Direction::below: less.push_back(id + " " + ratio_range(words, ratios)); break;
      case Direction::not_told: untold.push_back(id); break;
    }
  }
  if (more.empty() && less.empty() && untold.empty()) return;
  std::vector<std::string> parts;
  if (!more.empty()) parts.push_back(words.say("found.level_more", {{"models", words.listed(more)}}));
  if (!less.empty()) parts.push_back(words.say("found.level_less", {{"models", words.listed(less)}}));
  if (!untold.empty()) parts.push_back(words.say("found.level_untold", {{"models", words.listed(untold)}}));
  sentence.text = words.say("found.level", {{"metric", metric_label(words, metric)},
                                            {"baseline", results.data().spec.baseline},
                                            {"where", at_level(results, level)},
                                            {"parts", words.clauses(parts)}});
  found.push_back(std::move(sentence));
}

// Whether the baseline itself moved from the first level to the last.
void say_growth(const Results& results, const Metric& metric, double floor, std::vector<Sentence>& found) {
  const auto baseline = results.baseline();
  // One model alone has told its figures at every level (told_figures.h).
  if (!baseline || has_one_model(results) || results.data().spec.axes.size() != 1 ||
      results.data().spec.levels.size() < 2)
    return;
  const auto& first = results.cell(*baseline, 0);
  const auto& last = results.cell(*baseline, results.data().spec.levels.size() - 1);
  const auto from = first.median_of(metric.id);
  const auto to = last.median_of(metric.id);
  if (!from || !to || *from <= 0) return;
  const double change = *to / *from;
  const bool moved = std::max(change, 1 / change) > 1 + floor;
  const Words& words = results.words();
  found.push_back(
      {"measured",
       words.say(moved ? "found.growth" : "found.growth_still", {{"baseline", results.data().spec.baseline},
                                                                 {"from", metric_phrase(words, metric, *from)},
                                                                 {"where_from", at_level(results, first.level)},
                                                                 {"to", metric_phrase(words, metric, *to)},
                                                                 {"where_to", at_level(results, last.level)}}),
       {first.id, last.id}});
}

}  // namespace

std::string cause_of(const Results& results, std::size_t series, std::size_t level, bool dearer) {
  constexpr double kAsMany = 0.05;
  constexpr double kMoreSwitches = 0.2;  // per request
  const Words& words = results.words();
  const auto figure = [&](std::size_t of, std::string_view metric) {
    return results.cell(of, level).median_of(metric);
  };
  const auto explains = [&](double own, double reference, double least) {
    return (dearer ? own - reference : reference - own) > least;
  };
  const auto& baseline = results.data().spec.baseline;
  const auto switches = figure(series, "voluntary_switches_per_request");
  const auto few = figure(*results.baseline(), "voluntary_switches_per_request");
  if (switches && few && explains(*switches, *few, kMoreSwitches)) {
    return words.say("found.cause_switches",
                     {{"times", three_digits(*switches)}, {"baseline", baseline}, {"reference", three_digits(*few)}});
  }
  const auto calls = figure(series, "syscalls_per_request");
  const auto reference = figure(*results.baseline(), "syscalls_per_request");
  if (!calls || !reference) return words.say("found.cause_unknown");
  if (explains(*calls, *reference, *reference * kAsMany)) {
    return words.say(
        "found.cause_number",
        {{"calls", three_digits(*calls)}, {"baseline", baseline}, {"reference", three_digits(*reference)}});
  }
  if (std::abs(*calls / *reference - 1) > kAsMany) return words.say("found.cause_unknown");
  return words.say(dearer ? "found.cause_calls" : "found.cause_calls_less",
                   {{"calls", three_digits(*calls)}, {"reference", three_digits(*reference)}});
}

void say_comparisons(const Results& results, const Metric& metric, double floor,
                     std::optional<std::size_t> judged_level, std::vector<Sentence>& found) {
  const auto others = [&](std::size_t most) {
    auto levels = telling_levels(results, most);
    if (judged_level) std::erase(levels, *judged_level);
    return levels;
  };
  say_focus(results, metric, others(5), found);
  for (const auto level : others(2)) say_level(results, metric, level, found);
  // Levels stand in different blocks: on a machine of two speeds they may have met different ones.
  const auto speeds = two_speeds_of(results);
  say_growth(results, metric, speeds ? std::max(floor, speeds->ratio - 1) : floor, found);
}

namespace {

// Of the models that the question names, or of all.
std::string largest_difference(const Results& results, std::string_view metric, bool of_focus) {
  const auto& focus = results.data().spec.focus;
  const auto baseline = results.baseline();
  double farthest = 1;
  std::string text;
  for (const auto& cell : results.cells()) {
    const auto& id = results.data().plan.series[cell.series].id;
    if (!results.is_model(cell.series) || cell.series == *baseline) continue;
    if (of_focus && std::ranges::find(focus, id) == focus.end()) continue;
    const auto ratios = results.block_ratios(cell.series, *baseline, cell.level, metric);
    if (direction(ratios, *results.noise(metric, cell.level)) == Direction::not_told) continue;
    const double middle = median(ratios);
    const double distance = std::max(middle, 1 / middle);
    if (distance <= farthest) continue;
    farthest = distance;
    text = results.words().say("chart.difference", {{"model", id},
                                                    {"ratios", ratio_range(results.words(), ratios)},
                                                    {"baseline", results.data().spec.baseline},
                                                    {"where", at_level(results, cell.level)}});
  }
  return text;
}

}  // namespace

std::string largest_difference(const Results& results, std::string_view metric) {
  if (!results.baseline() || !results.noise(metric)) return {};
  const auto named = largest_difference(results, metric, true);
  return named.empty() ? largest_difference(results, metric, false) : named;
}

}  // namespace iolab::lab
