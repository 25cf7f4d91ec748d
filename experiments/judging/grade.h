// How good a run is, in one letter and in words: by what the same model showed against itself (A/A), by the time that
// the host took away, and by the number of repetitions. A: below 2 %, no steal, ten or more. B: below 5 %. C: below
// 15 %. D: everything else, and fewer than six: a preview, of which no verdict is given.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "experiments/judging/results.h"
#include "experiments/judging/sentences.h"
#include "experiments/judging/table.h"

namespace iolab::lab {

struct Grade {
  char letter = 'D';
  std::vector<std::string> why;  // parts of a sentence
};
// By the metric that the spec judges by, or the first that it watches.
Grade grade_of(const Results& results);

std::string grade_text(const Results& results, const Grade& grade);  // "Grade B: ..."

// The baseline against itself, for every metric that the spec watches or judges by, at every level. Every report has
// it, also without a judged comparison: how large "nothing" is.
Table self_table(const Results& results);

void note_grade(const Results& results, std::vector<Sentence>& notes);

}  // namespace iolab::lab
