// One more trial of a model, after all that is timed: nothing is timed in it, every system call of the server is
// recorded by the kernel and held against what the layer counted. It answers two questions of a careful reader: are
// the exact counts exact, and which calls are made for a model that no line of ours issues?
//
// The window begins when every connection has been served once and ends with the last answer; at both borders the
// server rests, or, if its model never rests, is stopped for a look.
#pragma once

#include <cstdint>
#include <expected>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/machine/kernel_calls.h"
#include "experiments/machine/models.h"
#include "experiments/run/plan.h"
#include "experiments/run/trial.h"

namespace iolab::lab {

constexpr double kCountTolerance = 0.001;  // of the kernel's count

struct CallCount {
  int index = 0;  // in the order of the plan's series
  std::string series;
  std::string level;
  std::string reason;          // why there is no count; empty: there is one
  std::uint64_t requests = 0;  // that the server answered in the window
  CallComparison calls;
};

// counts/SERIES.json
nlohmann::ordered_json to_json(const CallCount& count);
std::expected<CallCount, std::string> call_count_from_json(std::string_view text);

// Every model that runs at the level where comparisons are made, in the order of the plan. Where none are made, because
// the models that the question names are not in the run, it is the last level.
std::vector<PlannedTrial> trials_to_count(const Plan& plan, const Spec& spec);

// The error "interrupted" means that the user stopped it: no count. Any other failure is a count with a reason.
std::expected<CallCount, std::string> count_calls(const TrialSetup& setup, const Spec& spec, const Plan& plan,
                                                  const std::vector<ModelInfo>& models, const PlannedTrial& planned);

}  // namespace iolab::lab
