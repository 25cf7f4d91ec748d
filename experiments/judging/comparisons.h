// Models against the baseline, in words: ratios of one block, said only where every block agrees and the difference is
// larger than what the baseline shows against itself.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "experiments/judging/sentences.h"
#include "experiments/spec/metrics.h"

namespace iolab::lab {

// The models that the question names, level by level; all others at two levels; and whether the baseline itself moved.
// `floor`: how far the baseline was from itself, over all levels. The judged level is left out: judgement.h says it.
void say_comparisons(const Results& results, const Metric& metric, double floor,
                     std::optional<std::size_t> judged_level, std::vector<Sentence>& found);

// Why a model costs more (or less) CPU than the baseline, in one sentence, as far as counters support it: more switches
// between threads, more calls, or as many calls and more time. Else that no counter says why.
std::string cause_of(const Results& results, std::size_t series, std::size_t level, bool dearer);

}  // namespace iolab::lab
