#include "experiments/statistics/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace iolab::lab {

namespace {

// P(Binomial(n, p) = k), by logarithms: 0.5^n is no double any more beyond n = 1,074.
double binomial_at(int n, double p, int k) {
  return std::exp(std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0) + k * std::log(p) +
                  (n - k) * std::log1p(-p));
}

}  // namespace

double binomial_half_cdf(int n, int k) {
  double sum = 0;
  for (int i = 0; i <= k; ++i) sum += binomial_at(n, 0.5, i);
  return std::min(sum, 1.0);
}

double median(std::span<const double> values) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::vector<double> sorted(values.begin(), values.end());
  std::ranges::sort(sorted);
  const std::size_t middle = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

std::optional<MedianInterval> median_interval(std::span<const double> values, double confidence) {
  const int n = static_cast<int>(values.size());
  // The r-th smallest and the r-th largest value enclose the median unless fewer than r values fall on one side of it:
  // coverage = 1 - 2 P(Binomial(n, 1/2) <= r - 1). The narrowest pair of ranks that still covers enough is taken.
  int rank = 0;
  double beyond = 0;  // P(Binomial(n, 1/2) <= rank - 1)
  while (2 * (rank + 1) <= n) {
    const double next = beyond + binomial_at(n, 0.5, rank);
    if (1 - 2 * next < confidence) break;
    beyond = next;
    ++rank;
  }
  if (rank == 0) return std::nullopt;
  std::vector<double> sorted(values.begin(), values.end());
  std::ranges::sort(sorted);
  return MedianInterval{.low = sorted[static_cast<std::size_t>(rank - 1)],
                        .high = sorted[static_cast<std::size_t>(n - rank)],
                        .low_rank = rank,
                        .high_rank = n + 1 - rank,
                        .coverage = 1 - 2 * beyond};
}

Spread spread_of(const std::vector<double>& values) {
  const auto [low, high] = std::ranges::minmax(values);
  const auto interval = median_interval(values);
  return {.value = median(values), .low = interval ? interval->low : low, .high = interval ? interval->high : high};
}

namespace {

// P(Binomial(n, p) <= k)
double binomial_cdf(int n, double p, int k) {
  if (k >= n || p <= 0) return 1;
  if (p >= 1) return 0;
  double sum = 0;
  for (int i = 0; i <= k; ++i) sum += binomial_at(n, p, i);
  return sum;
}

// Where a falling function of [0, 1] passes through `level`.
template <class Falling>
double where_it_falls_to(double level, Falling&& function) {
  double low = 0;
  double high = 1;
  constexpr int kHalvings = 50;
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = (low + high) / 2;
    (function(middle) > level ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace

Proportion proportion(int successes, int tries, double confidence) {
  const double tail = (1 - confidence) / 2;
  Proportion result{.value = static_cast<double>(successes) / tries, .low = 0, .high = 1};
  if (successes > 0) {
    result.low = where_it_falls_to(1 - tail, [&](double p) { return binomial_cdf(tries, p, successes - 1); });
  }
  if (successes < tries) {
    result.high = where_it_falls_to(tail, [&](double p) { return binomial_cdf(tries, p, successes); });
  }
  return result;
}

bool enough_for_percentile(std::uint64_t samples, double fraction) {
  constexpr double kBeyond = 10;
  constexpr double kRounding = 1e-6;  // 1 - 0.99 is not quite 0.01
  return static_cast<double>(samples) * (1 - fraction) >= kBeyond - kRounding * kBeyond;
}

std::vector<double> ratios(std::span<const Pair> blocks) {
  std::vector<double> result;
  for (const auto& block : blocks) {
    if (std::isfinite(block.value) && std::isfinite(block.baseline) && block.baseline > 0 && block.value > 0) {
      result.push_back(block.value / block.baseline);
    }
  }
  return result;
}

std::optional<double> noise_floor(std::span<const double> ratios_of_the_same) {
  if (ratios_of_the_same.empty()) return std::nullopt;
  double farthest = 0;
  for (const double ratio : ratios_of_the_same) farthest = std::max(farthest, std::max(ratio, 1 / ratio) - 1);
  return farthest;
}

Direction direction(std::span<const double> ratios, double floor) {
  if (ratios.size() < kFewestBlocks) return Direction::not_told;
  if (std::ranges::all_of(ratios, [&](double ratio) { return ratio > 1 + floor; })) return Direction::above;
  if (std::ranges::all_of(ratios, [&](double ratio) { return ratio < 1 / (1 + floor); })) return Direction::below;
  return Direction::not_told;
}

}  // namespace iolab::lab
