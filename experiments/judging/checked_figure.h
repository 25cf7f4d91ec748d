// A figure that something is judged by, in the one way for all: a claim of the textbook (claims/figures.h) and the
// story of an experiment (refutation.h) ask for the same figures, and must get the same.
//
// It is the median over trials with its interval; of two cells of one level, over ratios inside blocks, or over duets
// if the run was fixed to judge that very comparison by them; of any other two, the ratio of their medians, with the
// farthest ends that both intervals allow. Below kFewestBlocks what is no exact count is an anecdote, and no figure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "experiments/judging/results.h"

namespace iolab::lab {

struct AskedFigure {
  std::string cell;  // "select/idle_connections=900"
  std::string metric;
  std::string per = {};      // another metric of the same trials, by which it is divided; may be empty
  std::string against = {};  // another cell, to which the ratio is formed; may be empty
};

enum class Lack : std::uint8_t {
  nothing,
  no_cell,
  not_run,
  no_figure,     // no trial of the cell has that metric
  no_ratio,      // what it is divided by has none, or 0
  few_requests,  // for a percentile
  few_trials,
};

struct CheckedFigure {
  std::optional<double> value;  // the median
  double low = 0;               // its interval; with fewer than six values, smallest to largest
  double high = 0;
  double least = 0;  // smallest and largest; of medians, as far as both cells' trials allow
  double most = 0;
  std::size_t count = 0;      // of trials, of ratios inside blocks, or of duets; in few_trials, of those that there are
  std::string of = {};        // "trials", "blocks", "duets", or "medians": a ratio of cells that share no block
  Lack lack = Lack::nothing;  // why there is no value
  std::string cell = {};      // the one that lacks it
};
CheckedFigure checked_figure(const Results& results, const AskedFigure& asked);

enum class Side : std::uint8_t {
  beyond,  // the whole interval is beyond the border, or between the two
  within,  // the whole interval is on the other side of one
  open,    // the border lies inside
};
Side side_of(const CheckedFigure& figure, const std::optional<double>& above, const std::optional<double>& below);

}  // namespace iolab::lab
