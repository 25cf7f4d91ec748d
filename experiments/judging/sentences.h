// What was found, in words: sentences made by rules from the results, each with the cells it rests on. A rule speaks
// only if the data support it, and says what it cannot tell. Exact counts come first, because they need no statistics.
//
// Never said: which model is best. Never compared: figures of different blocks, or differences smaller than what the
// same model shows against itself.
#pragma once

#include <string>
#include <vector>

#include "experiments/judging/results.h"

namespace iolab::lab {

struct Sentence {
  std::string kind;  // exact | judged | story | measured | noise | limit | not-run | failed | preview
  std::string text;
  std::vector<std::string> cells;
};

std::vector<Sentence> what_was_found(const Results& results);  // the most important first
std::vector<Sentence> what_to_know(const Results& results);    // before believing it

// "needs 3.3 to 3.7 times the server CPU per request of epoll": short, for the title of a chart; empty if nothing
// can be told.
std::string largest_difference(const Results& results, std::string_view metric);

// ", with 1,000 idle connections"; empty for an experiment of one level.
std::string at_level(const Results& results, std::size_t level);
// The first, the last, and some between: a reader of the first lines cannot take in ten.
std::vector<std::size_t> telling_levels(const Results& results, std::size_t most);

}  // namespace iolab::lab
