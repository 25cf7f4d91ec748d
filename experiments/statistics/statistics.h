// The statistics of this lab, all of it: medians over trials, the exact interval of a median, and ratios formed inside
// a block. A student can do each of them with a pencil.
//
// The replicate is the trial, not the request: a million latencies of one server process are one observation. So every
// function here takes one number per trial and never a number per request.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace iolab::lab {

// NaN for an empty span; of an even number of values the mean of the middle two.
double median(std::span<const double> values);

// How often of n fair coins at most k fall on one side: P(Binomial(n, 1/2) <= k). n is a number of trials, so at most a
// few hundred.
double binomial_half_cdf(int n, int k);

// An interval that holds the median of whatever the trials are drawn from with at least the asked probability, whatever
// that distribution is: from the `low_rank`-th smallest to the `high_rank`-th smallest value (counted from 1).
struct MedianInterval {
  double low;
  double high;
  int low_rank;
  int high_rank;
  double coverage;  // exact, from the binomial distribution; at least what was asked for
};
// Nothing below 6 values for 0.95: then even the whole range covers only 1 - 2/2^n.
std::optional<MedianInterval> median_interval(std::span<const double> values, double confidence = 0.95);

// The median with its interval or, where there are too few values for one, with the smallest and the largest.
struct Spread {
  double value;
  double low;
  double high;
};
Spread spread_of(const std::vector<double>& values);  // of at least one

// A share of successes, with the exact interval of Clopper and Pearson (Biometrika 26, 1934): no success in 60 tries
// still allows a rate of up to 6 %.
struct Proportion {
  double value;
  double low;
  double high;
};
Proportion proportion(int successes, int tries, double confidence = 0.95);  // tries > 0

// A percentile needs at least ten samples beyond it: p99 1,000 of them, p99.9 10,000.
bool enough_for_percentile(std::uint64_t samples, double fraction);

// Two entries' values by block; a block in which one of them is missing does not count.
struct Pair {
  double value;
  double baseline;
};
std::vector<double> ratios(std::span<const Pair> blocks);

// How far two entries of the same model were apart: the largest |ratio - 1|, either way round, so that 0.8 and 1.25
// are equally far. Nothing without ratios. Anything smaller than this cannot be told from nothing.
std::optional<double> noise_floor(std::span<const double> ratios_of_the_same);

// What the ratios of all blocks have in common, as far as they have something in common.
enum class Direction : std::uint8_t {
  above,     // every block's ratio lies above 1 + floor
  below,     // every block's ratio lies below 1 / (1 + floor)
  not_told,  // anything else, or fewer than kFewestBlocks: it may differ, these blocks do not show it
};
constexpr std::size_t kFewestBlocks = 3;  // below it a direction is an anecdote
Direction direction(std::span<const double> ratios, double floor);

}  // namespace iolab::lab
