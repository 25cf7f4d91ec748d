// The comparison that the spec fixed before the run, judged: every model against the baseline, at one level, by one
// metric. Cost and rate are judged by duets where the spec asks for them, all else by the trials of the same blocks.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/judging/results.h"
#include "experiments/judging/sentences.h"
#include "experiments/statistics/verdicts.h"

namespace iolab::lab {

struct Judgement {
  std::string metric;
  std::size_t level = 0;
  bool by_duets = false;
  std::optional<double> floor;    // below it a difference means nothing here
  std::optional<double> reach;    // how far the baseline may be from itself
  std::vector<Verdict> verdicts;  // Verdict::of is the id of a series
};

// Nothing: the spec judges nothing, or nothing could run.
std::optional<Judgement> judgement_of(const Results& results);

// Of a comparison of two cells by this metric, if the run was fixed to judge that very one by duets and has done so.
std::optional<Verdict> verdict_by_duets(const Results& results, const Cell& cell, const Cell& against,
                                        std::string_view metric);

// Of one series, the good ones, in their order.
std::vector<double> duet_ratios(const RunData& data, const std::string& series, std::string_view metric);

// One sentence for each word that was given, the strongest first: of the models that the question names, then of the
// others. None if there were too few ratios to judge.
std::vector<Sentence> judgement_in_words(const Results& results, const Judgement& judgement);

// Empty, or half a sentence: why this run allows no difference to be called clear, however large it is.
std::string why_no_verdict(const Results& results);

nlohmann::ordered_json to_json(const Results& results, const Judgement& judgement);
// The ratios with their intervals, and the grey band in which they mean nothing: RESULTS.md calls it a forest.
nlohmann::ordered_json judgement_chart(const Results& results, const Judgement& judgement);

}  // namespace iolab::lab
