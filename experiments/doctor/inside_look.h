// A server of one model with a few connections and nothing to do, looked at from outside: what do its threads sleep in?
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "experiments/machine/process.h"
#include "experiments/machine/thread_states.h"

namespace iolab::lab {

constexpr int kSilentConnections = 4;

// Starts the broker, connects, has every connection served once, looks, and ends both. The error is a sentence.
std::expected<std::vector<ThreadState>, std::string> look_inside(const OwnBinary& binary, const std::string& model);

}  // namespace iolab::lab
