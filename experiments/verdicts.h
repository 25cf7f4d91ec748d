// From ratios to a word: what a comparison that was chosen before the run may be called after it.
//
// A ratio stands for one block, or for one pair of processes; a ratio of 1.2 says that this model takes 1.2 times what
// the baseline takes. The word follows from three things that a student can check with a pencil: the exact interval of
// the median ratio, the floor below which a difference means nothing here (the same model against itself), and a sign
// test, corrected for the number of comparisons by Holm's method (S. Holm, "A Simple Sequentially Rejective Multiple
// Test Procedure", Scandinavian Journal of Statistics 6, 1979). Left out on purpose: means, normal distributions,
// rankings.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/statistics.h"

namespace iolab::lab {

enum class Word : std::uint8_t {
  clearly_more,  // interval beyond the floor, and the signs agree more than chance explains
  clearly_less,
  probably_more,  // interval on one side of 1, but not beyond the floor, or too few signs
  probably_less,
  too_close,   // the interval holds 1, and reaches beyond the floor: it may differ, this run does not show it
  same,        // the whole interval lies within the floor: a finding
  cannot_say,  // too few blocks, or nothing to tell how large "nothing" is
};
std::string_view name(Word word);  // "clearly more"

struct Comparison {
  std::string of;              // what is compared, for whoever reads the verdicts
  std::vector<double> ratios;  // one per block or pair
};

struct Verdict {
  std::string of;
  Word word = Word::cannot_say;
  double ratio = 1;                        // median
  std::optional<MedianInterval> interval;  // nothing below 6 ratios
  int more = 0;                            // ratios above 1
  int less = 0;
  double p = 1;         // of the sign test, two-sided
  double p_holm = 1;    // corrected for all comparisons that were judged together
  std::string because;  // of cannot_say: half a sentence
};

// Two-sided: how often fair coins fall at least so one-sidedly. Ratios of exactly 1 are on no side.
double sign_test(int more, int less);

// In the order of `p`; none above 1.
std::vector<double> holm(std::span<const double> p);

// What "nothing" is: from the ratios of the same model against itself, and never less than the difference that was
// declared too small to matter. Nothing: there were too few of them.
std::optional<double> floor_of(std::span<const double> ratios_of_the_same, double ignore_below);

// All comparisons that were named before the run, together.
std::vector<Verdict> judge(std::span<const Comparison> comparisons, std::optional<double> floor, double confidence);

}  // namespace iolab::lab
