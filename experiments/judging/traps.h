// The traps of the machine that everything is measured on: each is looked for in the run's own data, and said before
// anybody believes a figure. Found so far, on virtual machines: two speeds, switching within minutes; cold memory; a
// dear wake-up of the other CPU; loopback, which charges the sender for the receiver's work; clock ticks of 10 ms; a
// machine that was busy with other things. docs/METHODOLOGY.md says how a verdict escapes each.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "experiments/judging/results.h"
#include "experiments/judging/sentences.h"

namespace iolab::lab {

// Equal work that took either one time or another, and kept to one of them for a while.
struct TwoSpeeds {
  double ratio = 1;      // slow / fast
  std::size_t slow = 0;  // of `all`
  std::size_t all = 0;
  std::size_t changes = 0;
};
// `log_times`: natural logarithms of what equal work took, in the order of time. Nothing below four of them, below 1.2
// times, without a gap between the two, or if slow and fast alternate as chance alone would have them.
std::optional<TwoSpeeds> two_speeds(std::span<const double> log_times);
// Of a run: each block by the median of its models' CPU per request, each against the median of its own cell.
std::optional<TwoSpeeds> two_speeds_of(const Results& results);

void note_traps(const Results& results, std::vector<Sentence>& notes);

}  // namespace iolab::lab
