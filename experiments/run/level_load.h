// What the load generator is asked to do at a level of an experiment.
#pragma once

#include <chrono>
#include <cstdint>

#include "clients/load.h"
#include "experiments/spec/spec.h"

namespace iolab::lab {

constexpr std::chrono::seconds kConnectLimit{30};  // until every connection is served

// Without the target's address.
clients::LoadSpec load_spec_for(const Level& level, const Timing& timing, std::uint64_t seed);

}  // namespace iolab::lab
