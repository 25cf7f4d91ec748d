#include "experiments/judging/refutation.h"

#include <fmt/format.h>

#include <algorithm>

#include "experiments/spec/metrics.h"
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

std::string missing_text(const Results& results, const RefutingCheck& check, const CheckedFigure& figure) {
  const Words& words = results.words();
  const Cell* cell = results.find_cell(figure.cell);
  if (cell == nullptr) return words.say("story.no_cell", {{"cell", figure.cell}});
  const Slot of("cell", cell_text(results, *cell));
  const Slot metric("metric", metric_label(words, *find_metric(check.metric)));
  switch (figure.lack) {
    case Lack::nothing:
    case Lack::no_cell: break;
    case Lack::not_run: return words.say("story.not_run", {of, {"reason", cell->reason}});
    case Lack::no_figure: return words.say("story.no_figure", {of, metric});
    case Lack::no_ratio: return words.say("story.no_ratio", {of});
    case Lack::few_requests: return words.say("story.too_few", {of, metric});
    case Lack::few_trials: return words.say("story.few_trials", {of, {"trials", figure.count}});
  }
  return {};
}

RefutingFigure figure_of(const Results& results, const RefutingCheck& check) {
  RefutingFigure figure{.check = &check,
                        .found = checked_figure(results, {check.cell, check.metric, check.per, check.against})};
  if (!figure.found.value) {
    figure.missing = missing_text(results, check, figure.found);
    return figure;
  }
  switch (side_of(figure.found, check.above, check.below)) {
    case Side::beyond: figure.refuted = Refuted::yes; break;
    case Side::within: figure.refuted = Refuted::no; break;
    case Side::open: figure.refuted = Refuted::cannot_say; break;
  }
  return figure;
}

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
  const CheckedFigure& found = figure.found;
  const Slot value("value", text(*found.value));
  if (text(found.low) != text(found.high)) {
    return words.say("story.figure",
                     {{"what", what}, value, {"low", bare(found.low)}, {"high", text(found.high)}, asked});
  }
  if (text(found.least) == text(found.most)) return words.say("story.figure_exact", {{"what", what}, value, asked});
  return words.say("story.figure_spread",
                   {{"what", what},
                    value,
                    {"n", found.count},
                    {"of", words.say(fmt::format("claim.of_{}", found.of), {{"n", found.count}})},
                    {"least", bare(found.least)},
                    {"most", text(found.most)},
                    asked});
}

}  // namespace

std::optional<Refutation> refutation_of(const Results& results) {
  const auto& when = results.data().spec.refuted_when;
  if (when.checks.empty()) return std::nullopt;
  Refutation refutation;
  for (const auto& check : when.checks) refutation.figures.push_back(figure_of(results, check));
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
