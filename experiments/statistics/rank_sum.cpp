#include "experiments/statistics/rank_sum.h"

#include <algorithm>

namespace iolab::lab {

RankSum::RankSum(std::size_t first, std::size_t second) {
  // The largest of all values belongs to the first group with probability i / (i + j), and then lies above all j of the
  // second; else it belongs to the second and adds no pair. `row[j]` is the distribution for groups of i and j.
  const std::size_t size = first * second + 1;
  std::vector<std::vector<double>> row(second + 1, std::vector<double>(size, 0));
  for (auto& one : row) one[0] = 1;  // an empty first group has no pairs
  for (std::size_t i = 1; i <= first; ++i) {
    for (std::size_t j = 1; j <= second; ++j) {
      const double share = static_cast<double>(i) / static_cast<double>(i + j);
      for (std::size_t u = i * j + 1; u-- > 0;) {
        const double with = u >= j ? row[j][u - j] : 0;  // still the row of i - 1
        row[j][u] = share * with + (1 - share) * row[j - 1][u];
      }
    }
  }
  cumulative_ = std::move(row[second]);
  for (std::size_t u = 1; u < size; ++u) cumulative_[u] += cumulative_[u - 1];
}

double RankSum::at_most(std::size_t pairs) const {
  return cumulative_[std::min(pairs, cumulative_.size() - 1)];
}

std::optional<TwoGroups> compare_groups(std::span<const double> first, std::span<const double> second,
                                        double confidence) {
  if (first.empty() || second.empty()) return std::nullopt;
  first = first.first(std::min(first.size(), RankSum::kMost));
  second = second.first(std::min(second.size(), RankSum::kMost));
  std::vector<double> ratios;
  std::size_t above = 0;
  std::size_t below = 0;
  for (const double a : first) {
    for (const double b : second) {
      ratios.push_back(b / a);
      above += b > a;
      below += b < a;
    }
  }
  std::ranges::sort(ratios);
  TwoGroups result{.ratio = median(ratios)};
  const RankSum chance(first.size(), second.size());
  const std::size_t ties = ratios.size() - above - below;
  result.p = std::min(1.0, 2 * chance.at_most(std::min(above, below) + ties));
  std::size_t rank = 0;
  while (2 * (rank + 1) <= ratios.size() && 1 - 2 * chance.at_most(rank) >= confidence) ++rank;
  if (rank == 0) return result;
  result.interval = MedianInterval{.low = ratios[rank - 1],
                                   .high = ratios[ratios.size() - rank],
                                   .low_rank = static_cast<int>(rank),
                                   .high_rank = static_cast<int>(ratios.size() + 1 - rank),
                                   .coverage = 1 - 2 * chance.at_most(rank - 1)};
  return result;
}

}  // namespace iolab::lab
