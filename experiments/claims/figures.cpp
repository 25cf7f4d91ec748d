#include "experiments/claims/figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "experiments/spec/metrics.h"
#include "experiments/statistics/verdicts.h"
#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

std::string missing_text(const Check& check, const Results& results, const CheckedFigure& figure) {
  const Slot cell("cell", figure.cell);
  switch (figure.lack) {
    case Lack::nothing: break;
    case Lack::no_cell: return recorded("claim.no_cell", {{"run", check.run}, cell});
    case Lack::not_run: {
      const auto& reason = results.find_cell(figure.cell)->reason;
      if (!reason.empty()) return recorded("claim.cell_not_run", {cell, {"reason", reason}});
      return recorded("claim.no_figure", {cell, {"metric", check.metric}});
    }
    case Lack::no_figure: return recorded("claim.no_figure", {cell, {"metric", check.metric}});
    case Lack::no_ratio: return recorded("claim.no_ratio", {cell});
    case Lack::few_requests: return recorded("claim.few_requests", {cell, {"metric", check.metric}});
    case Lack::few_trials: return recorded("claim.few_trials", {cell, {"trials", figure.count}});
  }
  return {};
}

// What chance reached in this run: how far the same model, entered twice, was from itself, by the middle of its ratios
// where they have one, else by the farthest (statistics/verdicts.h says why). Duets have been held against that when
// they were judged; counts need no statistics.
double reach_of(const Check& check, const Results& results, const CheckedFigure& figure) {
  const Cell* cell = results.find_cell(check.cell);
  if (cell == nullptr || check.against.empty() || figure.of == "duets" || find_metric(check.metric)->exact) return 0;
  const auto baseline = results.baseline();
  const auto again = results.find_series(again_id(results.data().spec.baseline));
  if (!baseline || !again) return 0;
  const auto middle = floor_of(results.block_ratios(*again, *baseline, cell->level, check.metric), 0);
  return middle ? *middle : results.noise(check.metric, cell->level).value_or(0);
}

// A ratio has to lie beyond its border by more than chance reached.
Standing standing_of(const Check& check, const CheckedFigure& figure, double reach) {
  if (!figure.value || !std::isfinite(*figure.value)) return Standing::missing;
  const auto moved = [](const std::optional<double>& border, double by) {
    return border ? std::optional(*border * by) : std::nullopt;
  };
  const double chance = 1 + reach;
  if (side_of(figure, moved(check.above, chance), moved(check.below, 1 / chance)) == Side::beyond) {
    return Standing::holds;
  }
  if (side_of(figure, moved(check.above, 1 / chance), moved(check.below, chance)) == Side::within) {
    return Standing::fails;
  }
  return Standing::open;
}

Figure figure_of(const Check& check, const FindRun& find) {
  Figure figure{.check = &check, .found = {}};
  const Results* results = find(check.run);
  if (results == nullptr) {
    figure.missing = recorded("claim.no_run", {{"run", check.run}});
    return figure;
  }
  figure.found = checked_figure(*results, {check.cell, check.metric, check.per, check.against});
  if (!figure.found.value) figure.missing = missing_text(check, *results, figure.found);
  figure.reach = reach_of(check, *results, figure.found);
  figure.standing = standing_of(check, figure.found, figure.reach);
  return figure;
}

// A claim that is not measured at all, or has nothing yet to be measured by.
Ruling without_verdict(const Claim& claim) {
  if (claim.is("historical")) return Ruling::historical;
  return claim.is("definitional") ? Ruling::definitional : Ruling::cannot_say;
}

void rule(Judged& judged) {
  const auto any = [](const std::vector<Figure>& figures, Standing standing) -> const Figure* {
    const auto found = std::ranges::find(figures, standing, &Figure::standing);
    return found == figures.end() ? nullptr : &*found;
  };
  if (any(judged.checks, Standing::fails) != nullptr) {
    judged.ruling = Ruling::contradicted;
    return;
  }
  for (const auto* figures : {&judged.checks, &judged.limits}) {
    if (const auto* figure = any(*figures, Standing::missing)) {
      judged.why = figure->missing;
      return;
    }
  }
  if (const auto* figure = any(judged.checks, Standing::open)) {
    judged.why = recorded("claim.trials_disagree", {{"cell", figure->check->cell}});
  } else if (any(judged.limits, Standing::holds) != nullptr) {
    judged.ruling = Ruling::only_if;
  } else if (const auto* limit = any(judged.limits, Standing::open)) {
    judged.why = recorded("claim.trials_disagree", {{"cell", limit->check->cell}});
  } else {
    judged.ruling = Ruling::supported;
  }
}

// "45.7", or the figure with its unit. A share of one metric in another, and a small count, keep two digits.
std::string number_text(const Words& words, const Check& check, double value) {
  constexpr double kSmall = 0.01;
  if (!check.against.empty()) return three_digits(value);
  if (!check.per.empty()) return value != 0 && value < kSmall ? fmt::format("{:.2g}", value) : three_digits(value);
  return metric_phrase(words, *find_metric(check.metric), value);
}

// "45.7 times"
std::string value_text(const Words& words, const Check& check, double value) {
  const auto number = number_text(words, check, value);
  return check.against.empty() ? number : words.say("ratio.one", {{"ratio", number}});
}

// "1.19 to 1.67, 10 blocks", with the farthest of them if the interval leaves some out: a figure whose ends print alike
// is not one that all trials gave.
std::string range_text(const Words& words, const Check& check, const CheckedFigure& figure) {
  const auto text_of = [&](double value) { return number_text(words, check, value); };
  const Slot n("n", figure.count);
  const Slot of("of", words.say(fmt::format("claim.of_{}", figure.of), {n}));
  const Slot low("low", text_of(figure.low)), high("high", text_of(figure.high));
  const Slot least("least", text_of(figure.least)), most("most", text_of(figure.most));
  if (least.text == most.text) return words.say("claim.every", {of, n});
  if (low.text == high.text) return words.say("claim.spread", {of, n, least, most});
  if (low.text == least.text && high.text == most.text) return words.say("claim.range", {low, high, of, n});
  return words.say("claim.range_and_spread", {low, high, of, n, least, most});
}

}  // namespace

std::string_view name(Standing standing) {
  static constexpr std::array<std::string_view, 4> kNames{"holds", "fails", "open", "missing"};
  return kNames[static_cast<std::size_t>(standing)];
}

Judged judge(const Claim& claim, const FindRun& find) {
  Judged judged{.claim = &claim, .ruling = without_verdict(claim), .checks = {}, .limits = {}, .why = ""};
  for (const auto& check : claim.checks) judged.checks.push_back(figure_of(check, find));
  for (const auto& limit : claim.limits) judged.limits.push_back(figure_of(limit, find));
  // History is cited, never supported.
  const bool measured = claim.is("measured") && !claim.is("historical") && !claim.checks.empty();
  if (measured) judged.ruling = Ruling::cannot_say;
  if (measured) rule(judged);
  if (judged.ruling == Ruling::cannot_say && judged.why.empty()) judged.why = recorded("claim.no_checks");
  return judged;
}

std::string figure_text(const Words& words, const Figure& figure) {
  const Check& check = *figure.check;
  auto what = metric_label(words, *find_metric(check.metric));
  if (!check.per.empty()) {
    what = words.say("claim.per", {{"what", what}, {"per", metric_label(words, *find_metric(check.per))}});
  }
  what = words.say("claim.of", {{"what", what}, {"cell", check.cell}});
  if (!check.against.empty()) what = words.say("claim.against", {{"what", what}, {"cell", check.against}});
  const auto text_of = [&](double value) { return value_text(words, check, value); };
  std::vector<std::string> borders;
  if (check.above) borders.push_back(words.say("claim.above", {{"border", text_of(*check.above)}}));
  if (check.below) borders.push_back(words.say("claim.below", {{"border", text_of(*check.below)}}));
  auto value = words.retold(figure.missing);
  if (figure.found.value) {
    const auto range = range_text(words, check, figure.found);
    value = words.say("claim.value", {{"value", text_of(*figure.found.value)}, {"range", range}});
    if (figure.reach > 0) {
      value = words.say("claim.value_and_chance", {{"value", value}, {"chance", percent_text(figure.reach)}});
    }
  }
  return words.say("claim.figure", {{"what", what},
                                    {"value", value},
                                    {"borders", words.comma_parted(borders)},
                                    {"verdict", words.say(fmt::format("claim.{}", name(figure.standing)))}});
}

}  // namespace iolab::lab
