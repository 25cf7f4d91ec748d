#include "experiments/claims/figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "experiments/judging/judgement.h"
#include "experiments/spec/metrics.h"
#include "experiments/statistics/statistics.h"
#include "experiments/statistics/verdicts.h"
#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

// Median and interval; the extremes where there are too few values for an interval.
void settle(Figure& figure, std::vector<double> values) {
  std::erase_if(values, [](double value) { return !std::isfinite(value); });
  if (values.empty()) return;
  const auto spread = spread_of(values);
  figure.count = values.size();
  figure.value = spread.value;
  figure.low = spread.low;
  figure.high = spread.high;
}

std::vector<double> values_of(const Cell& cell, const std::string& metric) {
  const auto found = cell.metrics.find(metric);
  return found == cell.metrics.end() ? std::vector<double>() : found->second.values;
}

// Of one cell, divided by another metric of the same trials if the check asks for it.
Figure of_cell(const Check& check, const Cell& cell) {
  Figure figure{.check = &check, .value = {}, .of = "trials"};
  auto values = values_of(cell, check.metric);
  if (!check.per.empty()) {
    const auto divisors = values_of(cell, check.per);
    values.resize(std::min(values.size(), divisors.size()));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] /= divisors[i];
  }
  settle(figure, std::move(values));
  if (figure.value) return figure;
  figure.missing = cell.reason.empty() ? recorded("claim.no_figure", {{"cell", cell.id}, {"metric", check.metric}})
                                       : recorded("claim.cell_not_run", {{"cell", cell.id}, {"reason", cell.reason}});
  return figure;
}

// What the run itself was fixed to judge, it has judged better than a check could: by duets, if it has some.
std::optional<Figure> of_duets(const Check& check, const Results& results, const Cell& cell, const Cell& other) {
  const auto verdict = verdict_by_duets(results, cell, other, check.metric);
  if (!verdict) return std::nullopt;
  const auto& id = results.data().plan.series[cell.series].id;
  return Figure{.check = &check,
                .value = verdict->ratio,
                .low = verdict->interval->low,
                .high = verdict->interval->high,
                .count = duet_ratios(results.data(), id, check.metric).size(),
                .of = "duets"};
}

// One cell over another: inside blocks if both are of one level, else by their medians, with the farthest ends.
Figure of_two(const Check& check, const Results& results, const Cell& cell, const Cell& other) {
  if (auto judged = of_duets(check, results, cell, other)) return *judged;
  Figure figure{.check = &check, .value = {}, .of = "blocks"};
  if (cell.level == other.level && cell.series != other.series && check.per.empty()) {
    settle(figure, results.block_ratios(cell.series, other.series, cell.level, check.metric));
    if (figure.value) return figure;
  }
  Figure above = of_cell(check, cell);
  const Figure below = of_cell(check, other);
  if (!above.value || !below.value) {
    above.value.reset();
    if (above.missing.empty()) above.missing = below.missing;
    return above;
  }
  figure = above;
  figure.of = "medians";
  figure.count = std::min(above.count, below.count);
  figure.value = *above.value / *below.value;
  figure.low = above.low / below.high;
  figure.high = above.high / below.low;
  return figure;
}

// What chance reached in this run: how far the same model, entered twice, was from itself, by the middle of its ratios
// where they have one, else by the farthest (statistics/verdicts.h says why). Duets have been held against that when
// they were judged; counts need no statistics.
double reach_of(const Results& results, const Figure& figure, const Cell& cell) {
  const auto& metric = figure.check->metric;
  if (figure.of == "duets" || find_metric(metric)->exact) return 0;
  const auto baseline = results.baseline();
  const auto again = results.find_series(again_id(results.data().spec.baseline));
  if (!baseline || !again) return 0;
  const auto middle = floor_of(results.block_ratios(*again, *baseline, cell.level, metric), 0);
  return middle ? *middle : results.noise(metric, cell.level).value_or(0);
}

// A ratio has to lie beyond its bound by more than chance reached.
Standing standing_of(const Figure& figure) {
  if (!figure.value || !std::isfinite(*figure.value)) return Standing::missing;
  const double chance = 1 + figure.reach;
  const auto beyond = [&](double low, double border) { return low > border * chance; };
  const auto within = [&](double high, double border) { return high < border / chance; };
  const auto& [above, below] = std::pair(figure.check->above, figure.check->below);
  if ((!above || beyond(figure.low, *above)) && (!below || within(figure.high, *below))) return Standing::holds;
  if ((above && figure.high * chance <= *above) || (below && figure.low >= *below * chance)) return Standing::fails;
  return Standing::open;
}

Figure figure_of(const Check& check, const FindRun& find) {
  Figure none{.check = &check, .value = {}, .of = "trials"};
  const Results* results = find(check.run);
  if (results == nullptr) {
    none.missing = recorded("claim.no_run", {{"run", check.run}});
    return none;
  }
  for (const auto& id : {check.cell, check.against}) {
    if (id.empty() || results->find_cell(id) != nullptr) continue;
    none.missing = recorded("claim.no_cell", {{"run", check.run}, {"cell", id}});
    return none;
  }
  const Cell& cell = *results->find_cell(check.cell);
  auto figure =
      check.against.empty() ? of_cell(check, cell) : of_two(check, *results, cell, *results->find_cell(check.against));
  if (!check.against.empty()) figure.reach = reach_of(*results, figure, cell);
  figure.standing = standing_of(figure);
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
  if (figure.value) {
    const auto low = number_text(words, check, figure.low);
    const auto high = number_text(words, check, figure.high);
    const auto of = words.say(fmt::format("claim.of_{}", figure.of));
    const auto range = low == high
                           ? words.say("claim.every", {{"of", of}, {"n", figure.count}})
                           : words.say("claim.range", {{"low", low}, {"high", high}, {"of", of}, {"n", figure.count}});
    value = words.say("claim.value", {{"value", text_of(*figure.value)}, {"range", range}});
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
