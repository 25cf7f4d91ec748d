// How far a run is, for whoever waits: one line that is redrawn on a terminal, one line per trial in a file. Everything
// goes to stderr; stdout is for the result.
//
// Warm-up and window take the time that the plan says, so the estimate needs no learning from cells that may be slower
// than the ones before them; only starting and stopping is learned.
#pragma once

#include <chrono>
#include <string>

#include "experiments/duet_trial.h"
#include "experiments/plan.h"
#include "experiments/terminal.h"
#include "experiments/trial.h"

namespace iolab::lab {

class Progress {
 public:
  Progress(const Spec& spec, const Plan& plan);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void starts(const PlannedTrial& trial);
  void finished(const PlannedTrial& trial, const TrialRecord& record);
  void starts(const PlannedDuet& duet);
  void finished(const PlannedDuet& duet, const DuetRecord& record);
  void note(const std::string& text);  // a line that stays
  std::chrono::milliseconds left() const;

 private:
  void begin(std::size_t series, std::size_t level, const char* what);
  void end(std::chrono::milliseconds expected);
  std::size_t all() const { return plan_.trials.size() + plan_.duets.size(); }
  void redraw(const std::string& now);
  const Spec& spec_;
  const Plan& plan_;
  Terminal terminal_;
  std::chrono::steady_clock::time_point trial_start_;
  std::chrono::milliseconds expected_left_;
  double stretch_ = 1;  // how much longer trials take than the plan thought
  std::chrono::milliseconds expected_done_{0};
  std::chrono::milliseconds real_done_{0};
  std::size_t done_ = 0;
  std::string last_;
};

}  // namespace iolab::lab
