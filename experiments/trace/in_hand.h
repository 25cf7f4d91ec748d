// Where a request lay between its arrival in the program and its answer: by which socket it came, which thread has it,
// from when until when. Meanwhile that thread works, or it waits for the broker: for a sync of the log, which another
// thread does, or for data. What it sleeps in then, or asks in vain, has nothing to do with the two phases.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "experiments/trace/phases.h"
#include "experiments/trace/trace_file.h"

namespace iolab::lab {

// Times are nanoseconds of CLOCK_MONOTONIC.
struct InHand {
  int socket = -1;
  std::int64_t thread = 0;    // that received it, or looked at the result of the order that did
  std::int64_t since_ns = 0;  // its last bytes had been received
  std::int64_t until_ns = 0;  // the call that sends the answer was entered, or the order to send it was passed on

  bool holds(const TracedCall& call) const {
    return call.thread == thread && call.entered_ns >= since_ns && call.entered_ns < until_ns;
  }
};

// Nothing if the trace holds no receive of this request, or no answer to it. `calls` in the order of entered_ns.
std::optional<InHand> in_hand(const std::vector<TracedCall>& calls, const TimedRequest& request);

}  // namespace iolab::lab
