#include "experiments/judging/sentences.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>

#include "experiments/judging/comparisons.h"
#include "experiments/judging/judgement.h"
#include "experiments/judging/refutation.h"
#include "experiments/judging/told_figures.h"
#include "experiments/spec/metrics.h"
#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

// Models by the printed value of a count at one level.
std::vector<ValueGroup> grouped(const Results& results, std::size_t level, const Metric& metric,
                                std::vector<std::string>& cells, const std::function<bool(std::size_t)>& wanted) {
  std::vector<ValueGroup> groups;
  for (std::size_t series = 0; series < results.data().plan.series.size(); ++series) {
    const auto& cell = results.cell(series, level);
    const auto value = cell.median_of(metric.id);
    if (!results.is_model(series) || !value || !wanted(series)) continue;
    put(groups, metric_text(metric, *value), *value, results.data().plan.series[series].id);
    cells.push_back(cell.id);
  }
  put_in_order(groups);
  return groups;
}

// At the first level all models, at the last only those whose count is another one there.
void say_counts(const Results& results, std::vector<Sentence>& found) {
  const Words& words = results.words();
  const Metric& metric = *find_metric("syscalls_per_request");
  const auto levels = telling_levels(results, 2);
  if (levels.empty()) return;
  Sentence all{"exact", "", {}};
  const auto groups = grouped(results, levels.front(), metric, all.cells, [](std::size_t) { return true; });
  if (groups.empty()) return;
  all.text =
      words.say("found.counts", {{"where", at_level(results, levels.front())}, {"groups", groups_text(words, groups)}});
  found.push_back(std::move(all));
  if (levels.size() < 2) return;
  Sentence changed{"exact", "", {}};
  const auto differs = [&](std::size_t series) {
    constexpr double kChange = 0.02;
    const auto before = results.cell(series, levels.front()).median_of(metric.id);
    const auto now = results.cell(series, levels.back()).median_of(metric.id);
    return before && now && std::abs(*now / *before - 1) > kChange;
  };
  const auto others = grouped(results, levels.back(), metric, changed.cells, differs);
  const auto& level = results.data().spec.levels[levels.back()].label;
  changed.text = others.empty()
                     ? words.say("found.counts_same", {{"level", level}})
                     : words.say("found.counts_changed", {{"level", level}, {"groups", groups_text(words, others)}});
  if (others.empty()) changed.cells.push_back(results.cell(0, levels.back()).id);
  found.push_back(std::move(changed));
}

// What else is exact, where the load is busiest or the idlest are most: at the last level.
void say_more_counts(const Results& results, std::vector<Sentence>& found) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kMore{
      {{"wake_ups_per_request", "found.wake_ups"}, {"copied_bytes_per_request", "found.copied"}}};
  const auto levels = telling_levels(results, 2);
  if (levels.empty()) return;
  for (const auto& [metric, key] : kMore) {
    Sentence sentence{"exact", "", {}};
    const auto groups =
        grouped(results, levels.back(), *find_metric(metric), sentence.cells, [](std::size_t) { return true; });
    if (groups.empty()) continue;
    sentence.text = results.words().say(
        key, {{"where", at_level(results, levels.back())}, {"groups", groups_text(results.words(), groups)}});
    found.push_back(std::move(sentence));
  }
}

void say_in_vain(const Results& results, std::vector<Sentence>& found) {
  constexpr double kWorthSaying =
      1.5;  // one EAGAIN per request is how an edge-triggered loop knows that it has drained
  for (std::size_t series = 0; series < results.data().plan.series.size(); ++series) {
    if (!results.is_model(series)) continue;
    std::vector<std::string> parts;
    Sentence sentence{"exact", "", {}};
    for (const auto level : telling_levels(results, 3)) {
      const auto& cell = results.cell(series, level);
      const auto value = cell.median_of("would_block_per_request");
      if (!value || *value < kWorthSaying) continue;
      parts.push_back(three_digits(*value) + at_level(results, level));
      sentence.cells.push_back(cell.id);
    }
    if (parts.empty()) continue;
    const auto& words = results.words();
    sentence.text =
        words.say("found.in_vain", {{"model", results.data().plan.series[series].id}, {"counts", words.listed(parts)}});
    found.push_back(std::move(sentence));
  }
}

void say_threads(const Results& results, std::vector<Sentence>& found) {
  const auto levels = telling_levels(results, 2);
  if (levels.empty()) return;
  Sentence sentence{"exact", "", {}};
  const auto groups =
      grouped(results, levels.back(), *find_metric("threads"), sentence.cells, [](std::size_t) { return true; });
  if (groups.size() < 2) return;
  sentence.text = results.words().say(
      "found.threads", {{"where", at_level(results, levels.back())}, {"groups", groups_text(results.words(), groups)}});
  found.push_back(std::move(sentence));
}

// " with 900 and 5,000 idle connections" where one axis varies.
std::string at_levels(const Results& results, const std::vector<std::size_t>& levels) {
  const auto& spec = results.data().spec;
  std::vector<std::string> where;
  for (const auto level : levels) where.push_back(spec.levels[level].label);
  if (spec.axes.size() == 1) {
    const auto& axis = spec.axes.front();
    for (std::size_t i = 0; i + 1 < levels.size(); ++i) where[i] = axis.labels[spec.levels[levels[i]].at.front()];
  }
  return results.words().say("level.where", {{"level", results.words().listed(where)}});
}

void say_not_run(const Results& results, std::vector<Sentence>& found) {
  struct Missing {
    std::string reason;
    std::map<std::size_t, std::vector<std::size_t>> levels_by_series;
    std::vector<std::string> cells;
  };
  std::vector<Missing> list;
  for (const auto& cell : results.cells()) {
    const bool missing = cell.status == CellStatus::not_run;
    if (!missing || !results.is_model(cell.series)) continue;
    auto entry = std::ranges::find(list, cell.reason, &Missing::reason);
    if (entry == list.end()) entry = list.insert(list.end(), Missing{cell.reason, {}, {}});
    entry->levels_by_series[cell.series].push_back(cell.level);
    entry->cells.push_back(cell.id);
  }
  for (const auto& missing : list) {
    std::vector<std::string> who;
    for (const auto& [series, levels] : missing.levels_by_series) {
      std::string text = results.data().plan.series[series].id;
      if (levels.size() < results.data().spec.levels.size()) {
        text += at_levels(results, levels);
      }
      who.push_back(std::move(text));
    }
    const Words& words = results.words();
    found.push_back({"not-run", words.say("found.not_run", {{"who", words.listed(who)}, {"reason", missing.reason}}),
                     missing.cells});
  }
}

std::size_t trials_per_cell(const Results& results) {
  std::size_t most = 0;
  for (const auto& cell : results.cells()) most = std::max(most, cell.trials.size());
  return most;
}

void say_noise(const Results& results, const Metric& metric, std::optional<double> floor,
               std::vector<Sentence>& found) {
  const Words& words = results.words();
  const auto& baseline = results.data().spec.baseline;
  if (!floor && results.data().spec.timing.repeat == 1) return;  // say_preview() says it
  if (!floor) {
    const bool enough = trials_per_cell(results) >= kFewestBlocks;  // pairs of a model whose figure is 0 have no ratio
    found.push_back(
        {"noise",
         enough ? words.say("found.noise_no_ratio", {{"baseline", baseline}, {"metric", metric_label(words, metric)}})
                : words.say("found.noise_unknown", {{"baseline", baseline}}),
         {}});
    return;
  }
  found.push_back(
      {"noise",
       words.say("found.noise",
                 {{"baseline", baseline}, {"floor", percent_text(*floor)}, {"metric", metric_label(words, metric)}}),
       {}});
}

void say_preview(const Results& results, std::vector<Sentence>& found) {
  const auto trials = trials_per_cell(results);
  constexpr std::size_t kEnough = 6;
  if (trials == 0 || trials >= kEnough) return;
  const Words& words = results.words();
  const auto& spec = results.data().spec;
  if (spec.timing.repeat == 1) {
    found.push_back({"preview", words.say("found.preview_one"), {}});
    return;
  }
  // A run of a file of one's own is repeated in another way.
  const auto command = "iolab run " + spec.name;
  const bool repeatable = spec.profile == "quick" && results.data().command.starts_with(command + " ");
  found.push_back(
      {"preview",
       repeatable ? words.say("found.preview_command",
                              {{"trials", trials}, {"enough", kEnough}, {"command", command + " --profile standard"}})
                  : words.say("found.preview", {{"trials", trials}, {"enough", kEnough}}),
       {}});
}

}  // namespace

std::string at_level(const Results& results, std::size_t level) {
  if (results.data().spec.axes.empty()) return {};
  return results.words().say("level.where", {{"level", results.data().spec.levels[level].label}});
}

std::vector<std::size_t> telling_levels(const Results& results, std::size_t most) {
  // Only levels at which something ran.
  std::vector<std::size_t> levels;
  for (std::size_t level = 0; level < results.data().spec.levels.size(); ++level) {
    const bool ran = std::ranges::any_of(results.cells(), [&](const Cell& cell) {
      return cell.level == level && !cell.trials.empty() && results.is_model(cell.series);
    });
    if (ran) levels.push_back(level);
  }
  if (levels.size() <= most || most < 2) return levels;
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < most; ++i) chosen.push_back(levels[i * (levels.size() - 1) / (most - 1)]);
  return chosen;
}

std::vector<Sentence> what_was_found(const Results& results) {
  std::vector<Sentence> found;
  const Metric& metric = *find_metric(results.data().spec.watch.front());
  const auto floor = results.noise(metric.id);
  const bool compared = floor && trials_per_cell(results) >= kFewestBlocks;
  // A run that judged opens with its answer; any other with what needs no statistics.
  const auto judgement = judgement_of(results);
  const auto judged = judgement ? judgement_in_words(results, *judgement) : std::vector<Sentence>();
  found.insert(found.end(), judged.begin(), judged.end());
  say_refutation(results, found);
  say_figures(results, found);
  say_counts(results, found);
  say_more_counts(results, found);
  say_in_vain(results, found);
  say_threads(results, found);
  // What was judged has its sentence, by stricter rules and perhaps by duets: one figure, one sentence.
  const bool told = !judged.empty() && judgement->metric == metric.id;
  const auto judged_level = told ? std::optional(judgement->level) : std::nullopt;
  if (compared) say_comparisons(results, metric, *floor, judged_level, found);
  say_noise(results, metric, floor, found);
  say_not_run(results, found);
  if (judged.empty()) say_preview(results, found);
  return found;
}

}  // namespace iolab::lab
