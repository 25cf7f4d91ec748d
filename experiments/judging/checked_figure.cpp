#include "experiments/judging/checked_figure.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "experiments/judging/judgement.h"
#include "experiments/spec/metrics.h"
#include "experiments/statistics/statistics.h"

namespace iolab::lab {
namespace {

CheckedFigure lacks(Lack lack, const std::string& cell, std::size_t count = 0) {
  return {.value = {}, .count = count, .lack = lack, .cell = cell};
}

bool is_exact(const AskedFigure& asked) {
  return find_metric(asked.metric)->exact && (asked.per.empty() || find_metric(asked.per)->exact);
}

CheckedFigure summary(const std::vector<double>& values, const AskedFigure& asked, const Cell& cell, const char* of) {
  if (values.size() < kFewestBlocks && !is_exact(asked)) return lacks(Lack::few_trials, cell.id, values.size());
  const auto spread = spread_of(values);
  const auto [least, most] = std::ranges::minmax(values);
  return {.value = spread.value,
          .low = spread.low,
          .high = spread.high,
          .least = least,
          .most = most,
          .count = values.size(),
          .of = of};
}

CheckedFigure of_cell(const Results& results, const AskedFigure& asked, const std::string& id) {
  const Cell* cell = results.find_cell(id);
  if (cell == nullptr) return lacks(Lack::no_cell, id);
  if (cell->trials.empty()) return lacks(Lack::not_run, id);
  const auto measured = cell->metrics.find(asked.metric);
  if (measured != cell->metrics.end() && measured->second.quality == Quality::too_few) {
    return lacks(Lack::few_requests, id);
  }
  std::vector<double> values;
  for (const auto* trial : cell->trials) {
    const auto value = results.metric_of(*trial, asked.metric);
    const auto per = asked.per.empty() ? std::optional(1.0) : results.metric_of(*trial, asked.per);
    if (value && per && *per != 0) values.push_back(*value / *per);
  }
  return values.empty() ? lacks(Lack::no_figure, id) : summary(values, asked, *cell, "trials");
}

// A divisor that may be 0 leaves the upper end open.
CheckedFigure of_medians(const CheckedFigure& one, const CheckedFigure& other, const Cell& against) {
  if (*other.value <= 0) return lacks(Lack::no_ratio, against.id);
  const auto over = [](double above, double below) {
    return below > 0 ? above / below : std::numeric_limits<double>::infinity();
  };
  return {.value = *one.value / *other.value,
          .low = one.low / other.high,
          .high = over(one.high, other.low),
          .least = one.least / other.most,
          .most = over(one.most, other.least),
          .count = std::min(one.count, other.count),
          .of = "medians"};
}

// What the run was fixed to judge by duets has one figure, that of its verdict.
std::optional<CheckedFigure> of_duets(const Results& results, const AskedFigure& asked, const Cell& cell,
                                      const Cell& against) {
  const auto verdict = verdict_by_duets(results, cell, against, asked.metric);
  if (!verdict) return std::nullopt;
  const auto all = duet_ratios(results.data(), results.data().plan.series[cell.series].id, asked.metric);
  const auto [least, most] = std::ranges::minmax(all);
  return CheckedFigure{.value = verdict->ratio,
                       .low = verdict->interval->low,
                       .high = verdict->interval->high,
                       .least = least,
                       .most = most,
                       .count = all.size(),
                       .of = "duets"};
}

}  // namespace

CheckedFigure checked_figure(const Results& results, const AskedFigure& asked) {
  for (const auto& id : {asked.cell, asked.against}) {
    if (!id.empty() && results.find_cell(id) == nullptr) return lacks(Lack::no_cell, id);
  }
  if (asked.against.empty()) return of_cell(results, asked, asked.cell);
  const Cell& cell = *results.find_cell(asked.cell);
  const Cell& against = *results.find_cell(asked.against);
  const bool same_blocks = cell.level == against.level && cell.series != against.series && asked.per.empty();
  if (same_blocks) {
    if (auto judged = of_duets(results, asked, cell, against)) return *judged;
  }
  const auto one = of_cell(results, asked, asked.cell);
  if (one.lack != Lack::nothing) return one;
  const auto other = of_cell(results, asked, asked.against);
  if (other.lack != Lack::nothing) return other;
  if (same_blocks) {
    const auto ratios = results.block_ratios(cell.series, against.series, cell.level, asked.metric);
    if (!ratios.empty()) return summary(ratios, asked, cell, "blocks");
  }
  return of_medians(one, other, against);
}

Side side_of(const CheckedFigure& figure, const std::optional<double>& above, const std::optional<double>& below) {
  if ((!above || figure.low > *above) && (!below || figure.high < *below)) return Side::beyond;
  if ((above && figure.high <= *above) || (below && figure.low >= *below)) return Side::within;
  return Side::open;
}

}  // namespace iolab::lab
