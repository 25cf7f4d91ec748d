// Two runs, cell by cell: before and after a change of the program, or one machine and another.
//
// What a run compares inside itself are neighbours in time. Trials of two runs are not: whatever changed on the machine
// between them is in every ratio. So a verdict is given only where the same work was done on the same machine, and only
// beyond a floor that the machine's own change is part of, as shown by the one series that no change of the broker can
// move: the load generator against a server that does nothing. Everything else is shown side by side, and it is said
// why. docs/METHODOLOGY.md has the rule in full.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/judging/results.h"
#include "experiments/spec/metrics.h"
#include "experiments/statistics/verdicts.h"

namespace iolab::lab {

struct CellPair {
  std::string cell;
  std::string metric;
  std::optional<double> before;  // medians
  std::optional<double> after;
  Verdict verdict;              // Verdict::ratio is after to before
  std::optional<double> floor;  // below it a difference means nothing here
};

struct RunComparison {
  std::vector<std::string> why_no_verdicts;  // empty: there are verdicts
  std::vector<std::string> notes;            // what to know before believing one
  std::vector<CellPair> cells;               // metric by metric, in the order of the first run
  std::vector<std::string> only_before;      // cells that the other run does not have
  std::vector<std::string> only_after;
};

// `metrics`: ids. `wanted` takes the id of a cell; empty: all.
RunComparison compare_runs(const Results& before, const Results& after, const std::vector<std::string>& metrics,
                           const std::function<bool(const std::string& cell)>& wanted);

// "worse", "better", or empty: what a word means for this metric.
std::string_view news(Word word, std::string_view metric);

// "latency_p99_us:+5%": a metric, a direction in which it gets worse, and by how much it may.
struct FailIf {
  std::string metric;
  double factor = 1;  // 1.05, or 0.95 where less is worse
};
// The error is a sentence.
std::expected<FailIf, std::string> parse_fail_if(std::string_view text);
// Clearly worse, and by more than that: the whole interval lies beyond it.
bool fails(const CellPair& pair, const FailIf& rule);

}  // namespace iolab::lab
