// All that a run left behind, as it is written while the trials go on and as it is read back for a report.
#pragma once

#include <string>
#include <vector>

#include "experiments/machine/ceilings.h"
#include "experiments/machine/environment.h"
#include "experiments/machine/models.h"
#include "experiments/run/call_count.h"
#include "experiments/run/duet_trial.h"
#include "experiments/run/plan.h"
#include "experiments/run/session.h"
#include "experiments/run/trial.h"
#include "experiments/spec/spec.h"

namespace iolab::lab {

struct RunData {
  std::string id;
  Spec spec;
  Plan plan;
  std::vector<ModelInfo> models;
  std::vector<TrialRecord> trials;
  std::vector<DuetRecord> duets;
  std::vector<CallCount> counts;        // of the models, if the run got that far
  std::vector<std::string> unreadable;  // files of trials, duets and counts
  std::vector<Fact> facts;
  std::vector<Session> sessions;         // in order; TrialRecord::session counts them
  std::vector<Ceiling> ceilings_before;  // of the first session that measured them
  std::vector<Ceiling> ceilings_after;
  CpuPair cpus;
  std::string machine;  // one line
  std::string commit;
  bool dirty = false;
  std::string binary_sha256;
  std::string started;
  std::string finished;
  double duration_s = 0;
  std::string reported;  // when its report was made, after all else; empty: not yet
  std::string status;    // complete | interrupted | time-limit | disk-limit
  std::string command;
};

}  // namespace iolab::lab
