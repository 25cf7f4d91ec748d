// Of all that varies in a run, what matters most? The variance of a metric over every trial, shared out among the
// model, each axis, what they do only together, and chance: an analysis of variance on logarithms, because causes
// multiply.
//
// Means of few trials differ by chance, too. What chance puts into them on average is taken from each share and counted
// to chance (as in epsilon squared); more than that average may come about, less than nothing is shown as 0, so a share
// of a few percent beside a chance of most is none.
//
// Only where the run is a whole factorial: models that could not run everywhere are left out, and are named. The shares
// add up to 1. They describe these levels and no others: an axis with wider steps explains more.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/judging/results.h"
#include "experiments/judging/table.h"

namespace iolab::lab {

struct Effect {
  std::string factor;  // "model", the path of an axis, "together", "chance"
  double share = 0;    // of the variance
};

struct Effects {
  std::vector<Effect> shares;         // the model first, then the axes, "together", "chance"; none of one value only
  std::vector<std::string> left_out;  // models that have no figure above 0 at some level
};

// Nothing: one factor only, a single trial of each cell, or a figure that is not above 0.
std::optional<Effects> effects_of(const Results& results, std::string_view metric);

// One row for each metric that the spec watches. Nothing, if none has effects.
std::optional<Table> effects_table(const Results& results);

}  // namespace iolab::lab
