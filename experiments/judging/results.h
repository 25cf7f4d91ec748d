// What a run amounts to, cell by cell: from the records of its trials to medians, intervals and ratios inside blocks.
// Everything a report says is read from here; nothing here knows how it will be said.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/run/run_data.h"
#include "experiments/spec/metrics.h"
#include "experiments/statistics/statistics.h"
#include "experiments/words/words.h"

namespace iolab::lab {

// The trials of a block that were made in one session: neighbours in time.
struct BlockPart {
  int block = 0;
  int session = 0;
  auto operator<=>(const BlockPart&) const = default;
};

enum class Quality : std::uint8_t {
  ok,        // an exact count, or enough trials for an interval
  preview,   // too few trials for an interval: all values are shown
  too_few,   // too few requests in a trial for this percentile
  none,      // not measured
  not_ours,  // of a broker that was there already: what it does inside is not ours to measure
};
std::string_view name(Quality quality);

struct MetricValue {
  std::optional<double> value;  // median over the trials
  std::optional<double> low;    // interval of the median
  std::optional<double> high;
  std::vector<double> values;  // one per trial, in the order of Cell::trials; NaN where one has none
  Quality quality = Quality::none;
};

enum class CellStatus : std::uint8_t { ok, partial, failed, not_run };
std::string_view name(CellStatus status);

struct Cell {
  std::string id;
  std::size_t series = 0;
  std::size_t level = 0;
  CellStatus status = CellStatus::ok;
  std::string reason;
  std::vector<const TrialRecord*> trials;  // the good ones, by index
  std::map<std::string, MetricValue, std::less<>> metrics;
  std::vector<std::pair<std::string, double>> calls_per_request;  // most frequent first
  std::vector<std::string> marks;
  std::map<std::string, int> flags;  // of the machine, by word: in how many trials (machine_watch.h)

  std::optional<double> median_of(std::string_view metric) const;
};

constexpr double kCeilingLimit = 0.7;  // above it, a rate says more about the client than about the server

// False for calls of the C library that a model makes in place of system calls (aio_read and its like): what glibc's
// own threads do behind them is not the layer's to count, so such a model's system calls are more than the counted
// ones.
bool is_system_call(std::string_view call);

// What the server counted under this name in the window of a trial; 0 if it has no such count.
double count_of(const TrialRecord& trial, const std::string& count);

class Results {
 public:
  // What is said of them is said in `words`; `data` is read in that language (retold.h), and outlives the object.
  explicit Results(const RunData& data, const Words& words = Words::in(Language::english));
  const RunData& data() const { return data_; }
  const Words& words() const { return words_; }
  const std::vector<Cell>& cells() const { return cells_; }
  const Cell& cell(std::size_t series, std::size_t level) const;
  const Cell* find_cell(std::string_view id) const;  // nullptr: the run has none of that name
  std::optional<std::size_t> find_series(std::string_view id) const;
  bool is_model(std::size_t series) const { return data_.plan.series[series].role == Role::model; }
  std::optional<std::size_t> baseline() const { return find_series(data_.spec.baseline); }

  // Of one series to another at one level, one for each block in which both have a good trial. A block that was begun
  // in one session and ended in another is no block any more: trials on different sides of the border make no ratio,
  // and neither does a percentile of too few requests.
  std::vector<double> block_ratios(std::size_t series, std::size_t other, std::size_t level,
                                   std::string_view metric) const;
  // How far the baseline was from itself: at this level if enough of its blocks say so, else over all levels together,
  // which is never less. Nothing if there are fewer than kFewestBlocks of such ratios: then nothing can be compared.
  std::optional<double> noise(std::string_view metric, std::size_t level) const;
  std::optional<double> noise(std::string_view metric) const;  // over all levels
  std::optional<double> metric_of(const TrialRecord& trial, std::string_view metric) const;
  // Those that this run can have: of broker and load, or what its probe tells.
  std::vector<const Metric*> told_metrics() const;
  int failed_trials() const { return failed_; }

 private:
  void fill(Cell& cell) const;
  void fill_metric(Cell& cell, std::string_view id) const;
  void mark(Cell& cell) const;

  const RunData& data_;
  const Words& words_;
  std::vector<Cell> cells_;                       // level by level, series by series
  std::map<BlockPart, double> ceiling_by_block_;  // requests/s
  int failed_ = 0;
};

}  // namespace iolab::lab
