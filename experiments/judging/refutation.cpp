#include "experiments/judging/refutation.h"

#include <algorithm>

#include "experiments/judging/judgement.h"
#include "experiments/spec/metrics.h"
#include "experiments/statistics/statistics.h"
#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

// "select (900 idle connections)"
std::string cell_text(const Results& results, const Cell& cell) {
  const auto& series = results.data().plan.series[cell.series].id;
  if (results.data().spec.axes.empty()) return series;
  return results.words().say("story.cell",
                             {{"series", series}, {"level", results.data().spec.levels[cell.level].label}});
}

class Figures {
 public:
  Figures(const Results& results, const RefutingCheck& check)
      : results_(results), words_(results.words()), check_(check), metric_(*find_metric(check.metric)) {}

  RefutingFigure of_the_check() const {
    RefutingFigure figure = check_.against.empty() ? of_cell(check_.cell) : of_two();
    figure.check = &check_;
    if (!figure.missing.empty()) return figure;
    const auto& [above, below] = std::pair(check_.above, check_.below);
    const bool beyond = (!above || figure.low > *above) && (!below || figure.high < *below);
    const bool within = (above && figure.high <= *above) || (below && figure.low >= *below);
    figure.refuted = beyond ? Refuted::yes : within ? Refuted::no : Refuted::cannot_say;
    return figure;
  }

 private:
  static RefutingFigure missing(std::string why) { return {.missing = std::move(why)}; }

  // Below kFewestBlocks what is no exact count is an anecdote.
  RefutingFigure summary(const std::vector<double>& values, const Cell& cell) const {
    if (values.size() < kFewestBlocks && !metric_.exact) {
      return missing(words_.say("story.few_trials", {{"cell", cell_text(results_, cell)}, {"trials", values.size()}}));
    }
    const auto spread = spread_of(values);
    return {.value = spread.value, .low = spread.low, .high = spread.high};
  }

  RefutingFigure of_cell(const std::string& id) const {
    const Cell* cell = results_.find_cell(id);
    if (cell == nullptr) return missing(words_.say("story.no_cell", {{"cell", id}}));
    if (cell->trials.empty()) {
      return missing(words_.say("story.not_run", {{"cell", cell_text(results_, *cell)}, {"reason", cell->reason}}));
    }
    const auto measured = cell->metrics.find(check_.metric);
    const Slot of("cell", cell_text(results_, *cell));
    const Slot metric("metric", metric_label(words_, metric_));
    if (measured != cell->metrics.end() && measured->second.quality == Quality::too_few) {
      return missing(words_.say("story.too_few", {of, metric}));
    }
    std::vector<double> values;
    for (const auto* trial : cell->trials) {
      const auto value = results_.metric_of(*trial, check_.metric);
      const auto per = check_.per.empty() ? std::optional(1.0) : results_.metric_of(*trial, check_.per);
      if (value && per && *per != 0) values.push_back(*value / *per);
    }
    if (values.empty()) return missing(words_.say("story.no_figure", {of, metric}));
    return summary(values, *cell);
  }

  // Inside blocks where both are at one level; otherwise of the medians, with the interval that both intervals allow.
  RefutingFigure of_two() const {
    const auto one = of_cell(check_.cell);
    const auto other = of_cell(check_.against);
    if (!one.missing.empty()) return one;
    if (!other.missing.empty()) return other;
    const Cell& cell = *results_.find_cell(check_.cell);
    const Cell& against = *results_.find_cell(check_.against);
    if (cell.level == against.level && check_.per.empty()) {
      if (auto judged = of_duets(cell, against)) return *judged;
      const auto ratios = results_.block_ratios(cell.series, against.series, cell.level, check_.metric);
      if (!ratios.empty()) return summary(ratios, cell);
    } else if (other.low > 0) {
      return {.value = one.value / other.value, .low = one.low / other.high, .high = one.high / other.low};
    }
    return missing(words_.say("story.no_ratio", {{"cell", cell_text(results_, against)}}));
  }

  // What the run was fixed to judge by duets has one figure, that of its verdict.
  std::optional<RefutingFigure> of_duets(const Cell& cell, const Cell& against) const {
    const auto verdict = verdict_by_duets(results_, cell, against, check_.metric);
    if (!verdict) return std::nullopt;
    return RefutingFigure{.value = verdict->ratio, .low = verdict->interval->low, .high = verdict->interval->high};
  }

  const Results& results_;
  const Words& words_;
  const RefutingCheck& check_;
  const Metric& metric_;
};

// "server CPU per request, select (900 idle connections) over epoll (900 idle connections): 1.90 times (1.85 to 1.95;
// refuted if below 1.02 times)"
std::string figure_text(const Results& results, const RefutingFigure& figure) {
  if (!figure.missing.empty()) return figure.missing;
  const Words& words = results.words();
  const RefutingCheck& check = *figure.check;
  const Metric& metric = *find_metric(check.metric);
  const auto cell = [&](const std::string& id) { return cell_text(results, *results.find_cell(id)); };
  auto what = metric_label(words, metric);
  if (!check.per.empty()) {
    what = words.say("story.per", {{"what", what}, {"per", metric_label(words, *find_metric(check.per))}});
  }
  what = check.against.empty()
             ? words.say("story.of", {{"what", what}, {"cell", cell(check.cell)}})
             : words.say("story.over", {{"what", what}, {"cell", cell(check.cell)}, {"other", cell(check.against)}});
  const auto bare = [&](double value) {
    if (!check.against.empty()) return ratio_text(value);
    return check.per.empty() ? metric_text(metric, value) : three_digits(value);
  };
  const auto text = [&](double value) {
    if (!check.against.empty()) return words.say("ratio.one", {{"ratio", bare(value)}});
    return check.per.empty() ? metric_phrase(words, metric, value) : bare(value);
  };
  std::vector<std::string> borders;
  if (check.above) borders.push_back(words.say("story.above", {{"border", text(*check.above)}}));
  if (check.below) borders.push_back(words.say("story.below", {{"border", text(*check.below)}}));
  const Slot asked("borders", words.listed(borders));
  if (text(figure.low) == text(figure.high)) {
    return words.say("story.figure_exact", {{"what", what}, {"value", text(figure.value)}, asked});
  }
  return words.say(
      "story.figure",
      {{"what", what}, {"value", text(figure.value)}, {"low", bare(figure.low)}, {"high", text(figure.high)}, asked});
}

}  // namespace

std::optional<Refutation> refutation_of(const Results& results) {
  const auto& when = results.data().spec.refuted_when;
  if (when.checks.empty()) return std::nullopt;
  Refutation refutation;
  for (const auto& check : when.checks) refutation.figures.push_back(Figures(results, check).of_the_check());
  const auto& figures = refutation.figures;
  const auto decides = when.any ? Refuted::yes : Refuted::no;  // by itself; its opposite only if all agree
  const auto otherwise = when.any ? Refuted::no : Refuted::yes;
  if (std::ranges::count(figures, decides, &RefutingFigure::refuted) > 0) {
    refutation.verdict = decides;
  } else if (std::ranges::all_of(figures, [&](const auto& figure) { return figure.refuted == otherwise; })) {
    refutation.verdict = otherwise;
  }
  return refutation;
}

void say_refutation(const Results& results, std::vector<Sentence>& found) {
  constexpr std::size_t kMost = 3;  // figures in one sentence
  const auto refutation = refutation_of(results);
  if (!refutation) return;
  const Words& words = results.words();
  Sentence sentence{"story", "", {}};
  std::vector<std::string> parts;
  std::size_t more = 0;
  for (const auto& figure : refutation->figures) {
    if (figure.refuted != refutation->verdict) continue;
    if (parts.size() == kMost) {
      ++more;
      continue;
    }
    parts.push_back(figure_text(results, figure));
    for (const auto& id : {figure.check->cell, figure.check->against}) {
      const bool known = results.find_cell(id) != nullptr;
      if (known && std::ranges::find(sentence.cells, id) == sentence.cells.end()) sentence.cells.push_back(id);
    }
  }
  if (more > 0) parts.push_back(words.say("story.more", {{"more", more}}));
  const Slot figures("figures", words.clauses(parts));
  switch (refutation->verdict) {
    case Refuted::yes: sentence.text = words.say("story.refuted", {figures}); break;
    case Refuted::no: sentence.text = words.say("story.not_refuted", {figures}); break;
    case Refuted::cannot_say: sentence.text = words.say("story.cannot_say", {figures}); break;
  }
  found.push_back(std::move(sentence));
}

}  // namespace iolab::lab
