// The watched figures themselves, in words, where there is no model to compare with: one model (or a probe that knows
// none) at its levels, and the models of a probe, some of which have no ratio because theirs is 0.
#pragma once

#include <string>
#include <vector>

#include "experiments/judging/sentences.h"
#include "experiments/spec/metrics.h"

namespace iolab::lab {

// Models, or levels, by the printed value of a figure: "100 % with way level and way edge".
struct ValueGroup {
  std::string value;
  std::vector<std::string> names;
  double number = 0;  // of the first of them
};
// Puts the name to those of the same printed value.
void put(std::vector<ValueGroup>& groups, const std::string& value, double number, const std::string& name);
// By number, least first.
void put_in_order(std::vector<ValueGroup>& groups);
// "2.00 in blocking; 3.00 in select and epoll"
std::string groups_text(const Words& words, const std::vector<ValueGroup>& groups);

// True if all that varies is the level: nothing is compared with another model.
bool has_one_model(const Results& results);

// One sentence for each of the first watched figures; nothing for a run of the broker that compares models.
void say_figures(const Results& results, std::vector<Sentence>& found);

// "0.0 % with way edge-read-once, 100 % with way level": least and most, for the title of a chart; empty if all print
// alike, or if the run compares models of the broker.
std::string least_and_most(const Results& results, const Metric& metric);

}  // namespace iolab::lab
