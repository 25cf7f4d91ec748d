// `iolab first-look`: twenty seconds for a newcomer. One traced request through every model, shown as the calls it
// took, and then a short untraced measurement of what requests cost in each. Both land in one run directory, with the
// same files and the same report as any experiment.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "experiments/process.h"
#include "experiments/results.h"
#include "experiments/trace.h"

namespace iolab::lab {

// The spec behind the measurement.
std::string_view first_look_spec();

// One lane for each model, in teaching order; a model that cannot run is a lane with its reason.
std::vector<Lane> trace_every_model(const RunData& data, const OwnBinary& binary, const std::string& scratch);

}  // namespace iolab::lab
