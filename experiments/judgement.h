// The comparison that the spec fixed before the run, judged: every model against the baseline, at one level, by one
// metric. Cost and rate are judged by duets where the spec asks for them, all else by the trials of the same blocks.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "experiments/results.h"
#include "experiments/sentences.h"
#include "experiments/verdicts.h"

namespace iolab::lab {

struct Judgement {
  std::string metric;
  std::size_t level = 0;
  bool by_duets = false;
  std::optional<double> floor;    // below it a difference means nothing here
  std::vector<Verdict> verdicts;  // Verdict::of is the id of a series
};

// Nothing: the spec judges nothing, or nothing could run.
std::optional<Judgement> judgement_of(const Results& results);

// One sentence for each word that was given, the strongest first; none if there were too few ratios to judge.
std::vector<Sentence> judgement_in_words(const Results& results, const Judgement& judgement);

nlohmann::ordered_json to_json(const Results& results, const Judgement& judgement);
// The ratios with their intervals, and the grey band in which they mean nothing: RESULTS.md calls it a forest.
nlohmann::ordered_json judgement_chart(const Results& results, const Judgement& judgement);

}  // namespace iolab::lab
