#include "experiments/judging/effects.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "experiments/spec/levels.h"
#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

// One cell: where it stands in each factor, and the logarithms of its trials.
struct Point {
  std::vector<std::size_t> at;  // the model, then the axes
  std::vector<double> values;
};

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

// Every value of the cell, or nothing: one is missing, or cannot have a logarithm.
std::optional<std::vector<double>> logarithms(const Results& results, const Cell& cell, std::string_view metric) {
  std::vector<double> values;
  for (const auto* trial : cell.trials) {
    const auto value = results.metric_of(*trial, metric);
    if (!value || *value <= 0) return std::nullopt;
    values.push_back(std::log(*value));
  }
  return values.empty() ? std::nullopt : std::optional(std::move(values));
}

// Of the models that have figures at every level; the others are named.
std::vector<Point> points_of(const Results& results, std::string_view metric, std::vector<std::string>& left_out) {
  const auto& data = results.data();
  std::vector<Point> points;
  std::size_t model = 0;
  for (std::size_t series = 0; series < data.plan.series.size(); ++series) {
    if (!results.is_model(series)) continue;
    std::vector<Point> own;
    for (std::size_t level = 0; level < data.spec.levels.size(); ++level) {
      auto values = logarithms(results, results.cell(series, level), metric);
      if (!values) break;
      Point point{{model}, std::move(*values)};
      const auto& at = data.spec.levels[level].at;
      point.at.insert(point.at.end(), at.begin(), at.end());
      own.push_back(std::move(point));
    }
    if (own.size() == data.spec.levels.size()) {
      points.insert(points.end(), std::make_move_iterator(own.begin()), std::make_move_iterator(own.end()));
      ++model;
    } else {
      left_out.push_back(data.plan.series[series].id);
    }
  }
  return points;
}

// A sum of squares over the cells, and how many free differences between their means are in it.
struct Variation {
  double squares = 0;
  double degrees = 0;
};

// Of a factor's means around the grand mean. No degrees: it has one value, and is no factor here.
Variation between(const std::vector<Point>& points, std::size_t factor, double grand) {
  std::map<std::size_t, std::vector<double>> by_value;
  for (const auto& point : points) by_value[point.at[factor]].push_back(mean(point.values));
  Variation found{.squares = 0, .degrees = static_cast<double>(by_value.size()) - 1};
  for (const auto& [value, means] : by_value) {
    found.squares += static_cast<double>(means.size()) * std::pow(mean(means) - grand, 2);
  }
  return found;
}

// What trials of one cell differ by.
struct Chance {
  double per_trial = 0;   // squares around the means of the cells, per trial: cells may have lost some
  double per_degree = 0;  // what it puts into the means of the cells: a mean of n trials is off by a variance / n
};

// Nothing: a cell has one trial only.
std::optional<Chance> chance_of(const std::vector<Point>& points) {
  Chance chance;
  Variation inside;
  double parts = 0;
  for (const auto& point : points) {
    const auto trials = static_cast<double>(point.values.size());
    if (trials < 2) return std::nullopt;
    const double own = mean(point.values);
    double squares = 0;
    for (const double value : point.values) squares += std::pow(value - own, 2);
    chance.per_trial += squares / trials;
    inside.squares += squares;
    inside.degrees += trials - 1;
    parts += 1 / trials;
  }
  chance.per_degree = inside.squares / inside.degrees * parts / static_cast<double>(points.size());
  return chance;
}

// In the order of the columns of a table: what any of them has, because a figure that only one model has everywhere has
// no share of the model.
std::vector<std::string> factors_of(const std::vector<std::pair<std::string, Effects>>& found, const Spec& spec) {
  std::vector<std::string> order{"model"};
  for (const auto& axis : spec.axes) order.push_back(axis.path);
  order.insert(order.end(), {"together", "chance"});
  std::erase_if(order, [&](const std::string& factor) {
    return std::ranges::none_of(
        found, [&](const auto& row) { return std::ranges::count(row.second.shares, factor, &Effect::factor) > 0; });
  });
  return order;
}

// One note, if the same models are missing from every figure; otherwise one for each figure that misses some.
std::vector<std::string> notes_of(const std::vector<std::pair<std::string, Effects>>& found, const Words& words) {
  const auto& first = found.front().second.left_out;
  if (std::ranges::all_of(found, [&](const auto& row) { return row.second.left_out == first; })) {
    if (first.empty()) return {};
    return {words.say("effects.left_out", {{"models", words.listed(first)}})};
  }
  std::vector<std::string> notes;
  for (const auto& [label, effects] : found) {
    if (effects.left_out.empty()) continue;
    notes.push_back(words.say("effects.left_out_of", {{"figure", label}, {"models", words.listed(effects.left_out)}}));
  }
  return notes;
}

}  // namespace

std::optional<Effects> effects_of(const Results& results, std::string_view metric) {
  Effects effects;
  const auto points = points_of(results, metric, effects.left_out);
  if (points.size() < 4) return std::nullopt;
  const auto chance = chance_of(points);
  if (!chance) return std::nullopt;
  std::vector<double> means;
  for (const auto& point : points) means.push_back(mean(point.values));
  const double grand = mean(means);
  Variation left{.squares = 0, .degrees = static_cast<double>(points.size()) - 1};
  for (const double own : means) left.squares += std::pow(own - grand, 2);
  const double all = left.squares + chance->per_trial;
  if (all <= 0) return std::nullopt;
  double of_chance = 1;
  const auto add = [&](const std::string& factor, const Variation& own) {
    const double share = std::max(0.0, own.squares - own.degrees * chance->per_degree) / all;
    effects.shares.push_back({factor, share});
    of_chance -= share;
  };
  std::vector<std::string> factors{"model"};
  for (const auto& axis : results.data().spec.axes) factors.push_back(axis.path);
  for (std::size_t factor = 0; factor < factors.size(); ++factor) {
    const auto own = between(points, factor, grand);
    if (own.degrees < 1) continue;
    add(factors[factor], own);
    left.squares -= own.squares;
    left.degrees -= own.degrees;
  }
  if (effects.shares.size() < 2) return std::nullopt;
  add("together", left);
  effects.shares.push_back({"chance", of_chance});
  return effects;
}

std::optional<Table> effects_table(const Results& results) {
  const Words& words = results.words();
  const auto& spec = results.data().spec;
  std::vector<std::pair<std::string, Effects>> found;  // by the label of the figure
  for (const auto& id : spec.watch) {
    if (auto effects = effects_of(results, id)) found.emplace_back(metric_label(words, *find_metric(id)), *effects);
  }
  if (found.empty()) return std::nullopt;
  Table table{.id = "effects",
              .title = words.say("effects.title"),
              .caption = words.say("effects.caption"),
              .columns = {{"metric", words.say("effects.metric"), "", false}},
              .rows = {},
              .notes = notes_of(found, words)};
  const auto factors = factors_of(found, spec);
  for (const auto& factor : factors) {
    const bool is_axis = std::ranges::count(spec.axes, factor, &Axis::path) > 0;
    const auto label = is_axis ? axis_label(words, factor) : words.say(fmt::format("effects.{}", factor));
    table.columns.push_back({factor, label, "%"});
  }
  for (const auto& [label, effects] : found) {
    Table::Row row{"", {{label}}, ""};
    for (const auto& factor : factors) {
      const auto own = std::ranges::find(effects.shares, factor, &Effect::factor);
      row.cells.push_back(own == effects.shares.end() ? TableCell{"-", {}, "", Quality::none}
                                                      : TableCell{percent_text(own->share), own->share});
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace iolab::lab
