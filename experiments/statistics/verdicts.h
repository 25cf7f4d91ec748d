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

#include "experiments/statistics/statistics.h"

namespace iolab::lab {

enum class Word : std::uint8_t {
  clearly_more,  // interval beyond the floor, and the signs agree more than chance explains
  clearly_less,
  probably_more,  // interval on one side of 1 and partly beyond the floor, or wholly with too few signs
  probably_less,
  too_close,      // the interval holds 1, and reaches beyond the floor: it may differ, this run does not show it
  same,           // the whole interval lies within the floor: a finding
  cannot_say,     // too few blocks, or nothing to tell how large "nothing" is
  not_available,  // it was to be judged and cannot run here
};
std::string_view name(Word word);  // "clearly_more": of a file, and of its text in the catalogues

struct Comparison {
  std::string of;              // what is compared, for whoever reads the verdicts
  std::vector<double> ratios;  // one per block or pair
};

struct Verdict {
  std::string of;
  Word word = Word::cannot_say;
  double ratio = 1;                        // median; NaN of no ratios
  std::optional<MedianInterval> interval;  // nothing below 6 ratios
  int more = 0;                            // ratios above 1
  int less = 0;
  double p = 1;         // of the sign test, two-sided
  double p_holm = 1;    // corrected for all comparisons that were judged together
  std::string because;  // of cannot_say and not_available: half a sentence, as it is recorded (words.h)
};

// Two-sided: how often fair coins fall at least so one-sidedly. Ratios of exactly 1 are on no side.
double sign_test(int more, int less);

// In the order of `p`; none above 1.
std::vector<double> holm(std::span<const double> p);

// How many of `n` ratios have to lie on one side of 1 for the strongest of so many comparisons to be clear after Holm;
// more than n: not even all of them are enough.
int fewest_signs(int n, int comparisons, double confidence);

// What "nothing" was: how far the median ratio of the same model against itself was from 1, and never less than the
// difference that was declared too small to matter. The median, because the interval of the other side says how far
// chance may reach: the far end of both would ask twice. Nothing: too few ratios for an interval.
std::optional<double> floor_of(std::span<const double> ratios_of_the_same, double ignore_below);

// How far nothing may reach: the far end of the interval of that median. It grades a run. Not the farthest single
// ratio, which one disturbed block decides. Nothing: as above.
std::optional<double> reach_of(std::span<const double> ratios_of_the_same, double confidence = 0.95);

// The word for a verdict that has its interval and its corrected p.
Word word_for(const Verdict& verdict, double floor, double confidence);

// All comparisons that were named before the run, together.
std::vector<Verdict> judge(std::span<const Comparison> comparisons, std::optional<double> floor, double confidence);

}  // namespace iolab::lab
