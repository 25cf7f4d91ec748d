// What stands below the figures of a report: how they were made, what threatens the conclusions drawn from them, and
// what a reader may ask next. Every threat is a fact of this run, not a disclaimer: a rule says when it applies.
#pragma once

#include <string>
#include <vector>

#include "experiments/judging/results.h"

namespace iolab::lab {

std::vector<std::string> method(const Results& results);  // one sentence each
std::vector<std::string> threats_to_validity(const Results& results);
// Three; of the experiment if the catalogues hold some for its name, else of any.
std::vector<std::string> questions_to_think_about(const Results& results);

}  // namespace iolab::lab
