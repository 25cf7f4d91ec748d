// What `iolab broker --trace` wrote: one line for each system call of the front-end, and for each order that somebody
// else carried out (io_models/trace_recorder.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace iolab::lab {

// Times are nanoseconds of CLOCK_MONOTONIC.
struct TracedCall {
  std::string call;
  std::string where;  // "io_models/multiplexing/epoll_poller.cpp:42"
  std::string thread_name;
  std::int64_t thread = 0;
  int descriptor = -1;
  std::int64_t entered_ns = 0;   // of an order: when it was passed on
  std::int64_t returned_ns = 0;  // of an order: when its result was looked at
  std::int64_t cpu_ns = 0;       // that the thread spent inside
  std::int64_t arrived_ns = 0;   // when the received bytes had arrived in the kernel; 0: not known
  std::int64_t result = 0;       // or -errno
  bool is_order = false;

  bool in_vain() const { return result == -11; }  // EAGAIN
};

// Calls for which the recorder had no room.
struct LostCalls {
  std::int64_t calls = 0;
  std::int64_t since_ns = 0;  // when the first of them was entered; from then on a request is not whole
};

// In the order of entered_ns; a line that is cut short (the server was killed) ends it.
std::vector<TracedCall> parse_trace(std::string_view text);
// As the last line says. None, if there is no such line.
LostCalls lost_calls(std::string_view text);

}  // namespace iolab::lab
