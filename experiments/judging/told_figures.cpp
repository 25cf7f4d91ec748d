#include "experiments/judging/told_figures.h"

#include <algorithm>

namespace iolab::lab {
namespace {

constexpr std::size_t kMostFigures = 3;  // watched ones that get a sentence
constexpr std::size_t kMostGroups = 4;   // of more, only the ends are told

// "100 % with way level and way edge", or "2.00 in blocking".
std::string group_text(const Words& words, const ValueGroup& group, bool of_levels) {
  const Slot value("value", group.value);
  const auto names = words.listed(group.names);
  if (!of_levels) return words.say("count.group", {value, {"models", names}});
  return words.say("count.group_where", {value, {"where", words.say("level.where", {{"level", names}})}});
}

std::string told(const Words& words, const std::vector<ValueGroup>& groups, bool of_levels) {
  std::vector<std::string> parts;
  for (const auto& group : groups) parts.push_back(group_text(words, group, of_levels));
  if (parts.size() <= kMostGroups) return words.clauses(parts);
  return words.say("count.from_to", {{"least", parts.front()}, {"most", parts.back()}});
}

// The levels of the one model.
std::vector<ValueGroup> by_level(const Results& results, const Metric& metric, std::size_t most_levels,
                                 std::vector<std::string>& cells) {
  std::vector<ValueGroup> groups;
  for (const auto level : telling_levels(results, most_levels)) {
    for (std::size_t series = 0; series < results.data().plan.series.size(); ++series) {
      const auto& cell = results.cell(series, level);
      const auto value = cell.median_of(metric.id);
      if (!results.is_model(series) || !value) continue;
      put(groups, metric_phrase(results.words(), metric, *value), *value, results.data().spec.levels[level].label);
      cells.push_back(cell.id);
    }
  }
  put_in_order(groups);
  return groups;
}

// The models at one level.
std::vector<ValueGroup> by_model(const Results& results, const Metric& metric, std::size_t level,
                                 std::vector<std::string>& cells) {
  std::vector<ValueGroup> groups;
  for (std::size_t series = 0; series < results.data().plan.series.size(); ++series) {
    const auto& cell = results.cell(series, level);
    const auto value = cell.median_of(metric.id);
    if (!results.is_model(series) || !value) continue;
    put(groups, metric_phrase(results.words(), metric, *value), *value, results.data().plan.series[series].id);
    cells.push_back(cell.id);
  }
  put_in_order(groups);
  return groups;
}

void say(const Results& results, const Metric& metric, const std::string& where, const std::string& figures,
         std::vector<std::string> cells, std::vector<Sentence>& found) {
  const Words& words = results.words();
  found.push_back(
      {metric.exact ? "exact" : "measured",
       words.say("found.figures", {{"metric", metric_label(words, metric)}, {"where", where}, {"figures", figures}}),
       std::move(cells)});
}

}  // namespace

void put(std::vector<ValueGroup>& groups, const std::string& value, double number, const std::string& name) {
  auto group = std::ranges::find(groups, value, &ValueGroup::value);
  if (group == groups.end()) group = groups.insert(groups.end(), ValueGroup{value, {}, number});
  group->names.push_back(name);
}

void put_in_order(std::vector<ValueGroup>& groups) {
  std::ranges::stable_sort(groups, {}, &ValueGroup::number);
}

std::string groups_text(const Words& words, const std::vector<ValueGroup>& groups) {
  std::vector<std::string> parts;
  for (const auto& group : groups) parts.push_back(group_text(words, group, false));
  return words.clauses(parts);
}

bool has_one_model(const Results& results) {
  const auto& series = results.data().plan.series;
  return std::ranges::count_if(
             series, [](const Series& one) { return one.role == Role::model || one.role == Role::target; }) == 1;
}

void say_figures(const Results& results, std::vector<Sentence>& found) {
  const auto& spec = results.data().spec;
  const bool one = has_one_model(results);
  if (spec.target || (!one && spec.probe.empty())) return;
  for (std::size_t i = 0; i < std::min(kMostFigures, spec.watch.size()); ++i) {
    const Metric& metric = *find_metric(spec.watch[i]);
    if (one) {
      std::vector<std::string> cells;
      const auto groups = by_level(results, metric, kMostGroups, cells);
      if (!groups.empty()) say(results, metric, "", told(results.words(), groups, !spec.axes.empty()), cells, found);
      continue;
    }
    for (const auto level : telling_levels(results, 2)) {
      std::vector<std::string> cells;
      const auto groups = by_model(results, metric, level, cells);
      if (groups.empty()) continue;
      say(results, metric, at_level(results, level), told(results.words(), groups, false), cells, found);
    }
  }
}

std::string least_and_most(const Results& results, const Metric& metric) {
  const auto& spec = results.data().spec;
  const bool one = has_one_model(results);
  const auto levels = telling_levels(results, 2);
  if (spec.target || (!one && spec.probe.empty()) || levels.empty() || (one && spec.axes.empty())) return {};
  std::vector<std::string> cells;
  const auto groups =
      one ? by_level(results, metric, spec.levels.size(), cells) : by_model(results, metric, levels.back(), cells);
  if (groups.size() < 2) return {};
  const Words& words = results.words();
  const auto ends =
      words.comma_parted(std::vector{group_text(words, groups.front(), one), group_text(words, groups.back(), one)});
  return one ? ends : ends + at_level(results, levels.back());
}

}  // namespace iolab::lab
