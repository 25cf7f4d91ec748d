#include "experiments/judging/effects.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

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

bool varies(const Axis& axis) {
  return axis.values.size() > 1;
}

// Of the models that ran at every level; the others are named.
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
      for (std::size_t axis = 0; axis < data.spec.axes.size(); ++axis) {
        if (varies(data.spec.axes[axis])) point.at.push_back(data.spec.levels[level].at[axis]);
      }
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

// Sum over the cells of the squared distance of a factor's mean from the grand mean.
double between(const std::vector<Point>& points, std::size_t factor, double grand) {
  std::map<std::size_t, std::vector<double>> by_value;
  for (const auto& point : points) by_value[point.at[factor]].push_back(mean(point.values));
  double sum = 0;
  for (const auto& [value, means] : by_value) {
    sum += static_cast<double>(means.size()) * std::pow(mean(means) - grand, 2);
  }
  return sum;
}

}  // namespace

std::optional<Effects> effects_of(const Results& results, std::string_view metric) {
  Effects effects;
  const auto points = points_of(results, metric, effects.left_out);
  std::vector<std::string> factors{"model"};
  for (const auto& axis : results.data().spec.axes) {
    if (varies(axis)) factors.push_back(axis.path);
  }
  if (points.size() < 4 || factors.size() < 2) return std::nullopt;
  std::vector<double> means;
  double chance = 0;  // of a cell's trials around its mean, per trial: cells may have lost some
  for (const auto& point : points) {
    if (point.values.size() < 2) return std::nullopt;
    const double own = mean(point.values);
    means.push_back(own);
    double squares = 0;
    for (const double value : point.values) squares += std::pow(value - own, 2);
    chance += squares / static_cast<double>(point.values.size());
  }
  const double grand = mean(means);
  double cells = 0;
  for (const double own : means) cells += std::pow(own - grand, 2);
  const double all = cells + chance;
  if (all <= 0) return std::nullopt;
  double together = cells;
  for (std::size_t factor = 0; factor < factors.size(); ++factor) {
    const double own = between(points, factor, grand);
    effects.shares.push_back({factors[factor], own / all});
    together -= own;
  }
  effects.shares.push_back({"together", std::max(0.0, together) / all});
  effects.shares.push_back({"chance", chance / all});
  return effects;
}

std::optional<Table> effects_table(const Results& results) {
  const Words& words = results.words();
  const auto& spec = results.data().spec;
  Table table{.id = "effects",
              .title = words.say("effects.title"),
              .caption = words.say("effects.caption"),
              .columns = {},
              .rows = {},
              .notes = {}};
  const auto label = [&](const std::string& factor) {
    const bool is_axis = std::ranges::count(spec.axes, factor, &Axis::path) > 0;
    return is_axis ? axis_label(words, factor) : words.say(fmt::format("effects.{}", factor));
  };
  for (const auto& id : spec.watch) {
    const auto effects = effects_of(results, id);
    if (!effects) continue;
    if (table.columns.empty()) {
      table.columns.push_back({"metric", words.say("effects.metric"), "", false});
      for (const auto& effect : effects->shares) table.columns.push_back({effect.factor, label(effect.factor), "%"});
      if (!effects->left_out.empty()) {
        table.notes.push_back(words.say("effects.left_out", {{"models", words.listed(effects->left_out)}}));
      }
    }
    Table::Row row{"", {{metric_label(words, *find_metric(id))}}, ""};
    for (const auto& effect : effects->shares) row.cells.push_back({percent_text(effect.share), effect.share});
    table.rows.push_back(std::move(row));
  }
  return table.rows.empty() ? std::nullopt : std::optional(std::move(table));
}

}  // namespace iolab::lab
