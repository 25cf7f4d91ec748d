// Models against the baseline, in words: ratios of one block, said only where every block agrees and the difference is
// larger than what the baseline shows against itself.
#pragma once

#include <vector>

#include "experiments/judging/sentences.h"
#include "experiments/spec/metrics.h"

namespace iolab::lab {

// The models that the question names, level by level; all others at two levels; and whether the baseline itself moved.
// `floor`: how far the baseline was from itself, over all levels.
void say_comparisons(const Results& results, const Metric& metric, double floor, std::vector<Sentence>& found);

}  // namespace iolab::lab
