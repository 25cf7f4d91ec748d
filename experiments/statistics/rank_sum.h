// Two groups of trials that were not made side by side: by what factor one lies above the other, and how sure that is.
//
// Inside a run, trials of one block are compared pair by pair. Trials of two runs have no partner, so every trial of
// the one is held against every trial of the other: the median of all these ratios is the factor, and two of them,
// counted off from the ends, enclose it. How many to count off is exact, from the number of ways in which ranks can
// fall (H. B. Mann and D. R. Whitney, "On a Test of Whether One of Two Random Variables Is Stochastically Larger than
// the Other", Annals of Mathematical Statistics 18, 1947; the interval is that of L. E. Moses). It assumes that trials
// are independent and that the two groups differ by a factor only; it assumes no particular distribution.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "experiments/statistics/statistics.h"

namespace iolab::lab {

// The number of pairs (a, b) with b < a, if nothing differs: its exact distribution for groups of these sizes.
class RankSum {
 public:
  static constexpr std::size_t kMost = 100;  // of each group; more take long to count and change nothing

  RankSum(std::size_t first, std::size_t second);
  double at_most(std::size_t pairs) const;  // P(U <= pairs)

 private:
  std::vector<double> cumulative_;
};

struct TwoGroups {
  double ratio = 1;                        // second to first: the median of all ratios
  std::optional<MedianInterval> interval;  // ranks count all ratios; nothing below four trials in each for 0.95
  double p = 1;                            // two-sided; ties count for "nothing differs"
};

// Values above 0. Of more than RankSum::kMost trials the first ones are taken. Nothing: a group is empty.
std::optional<TwoGroups> compare_groups(std::span<const double> first, std::span<const double> second,
                                        double confidence);

}  // namespace iolab::lab
