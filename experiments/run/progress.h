// How far a run is, for whoever waits: one line that is redrawn on a terminal, one line per trial in a file. Everything
// goes to stderr; stdout is for the result.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "experiments/run/duet_trial.h"
#include "experiments/run/plan.h"
#include "experiments/run/trial.h"
#include "experiments/words/terminal.h"

namespace iolab::lab {

enum class Talk : std::uint8_t {
  redraw,  // on a terminal; in a file like `lines`
  lines,   // one for each trial
  quiet,   // nothing but what fails
};

class Progress {
 public:
  // What has to be done is what is left of the plan; `done` steps of it are finished already.
  Progress(const Spec& spec, const Plan& plan, const Left& left, Talk talk);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void starts(const PlannedTrial& trial);
  void finished(const TrialRecord& record);
  void starts(std::span<const PlannedDuet> together);
  void finished(std::span<const DuetRecord> records);

 private:
  void begin(StepKind kind, StepTime step, std::size_t series, std::size_t level, const char* what);
  std::string time_left() const;
  void redraw(const std::string& now);
  void said(std::string_view kind, const std::string& who, bool ok, const std::string& what);

  const Spec& spec_;
  const Plan& plan_;
  const Talk talk_;
  const Terminal terminal_;
  const std::size_t all_;
  std::size_t done_;
  TimeLeft time_left_;
  std::string last_;
};

}  // namespace iolab::lab
