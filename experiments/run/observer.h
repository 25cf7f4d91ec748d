// Looks at a running server from outside: its counter page, its CPU clocks, its threads and its memory. The server does
// nothing for it: no request, no signal, no system call.
//
// Two kinds of look. `Border` is quick and exact, for the two ends of a window. `Rest` walks over every thread, takes
// long where there are thousands, and is therefore taken before the load starts and after its last answer: its
// differences span warm-up and window, and are divided by the requests of that same span.
#pragma once

#include <sys/types.h>
#include <time.h>

#include <cstdint>
#include <expected>
#include <map>
#include <string>
#include <vector>

#include "io_models/counters.h"

namespace iolab::lab {

struct Border {
  double cpu_s = 0;              // of the process, from its CPU clock: exact to the nanosecond
  std::uint64_t user_ticks = 0;  // sampled by the kernel every 10 ms: good for shares, not for small times
  std::uint64_t system_ticks = 0;
  std::uint64_t minor_faults = 0;  // pages that were there; since the start
  std::uint64_t major_faults = 0;  // pages that the disk had to give
  io::CounterTotals counters;
};

struct Rest {
  std::uint64_t voluntary_switches = 0;
  std::uint64_t involuntary_switches = 0;
  std::map<std::string, double> cpu_by_thread_name;  // seconds since the start, threads of one name together
  int threads = 0;
  std::uint64_t rss_bytes = 0;
  std::uint64_t pss_bytes = 0;
  io::CounterTotals counters;  // at the same moment
};

// What a process holds of memory that nobody else can be given: resident pages without those of files, which the kernel
// takes back when it needs them. 0: it has ended. Cheap: the kernel has both numbers at hand.
std::uint64_t own_memory_bytes(pid_t pid);

// Half a sentence if a process holds more than `limit_bytes`; else empty.
std::string over_memory(pid_t pid, std::uint64_t limit_bytes);

class Observer {
 public:
  // The error says what cannot be read.
  static std::expected<Observer, std::string> attach(pid_t pid, const std::string& counters_file);
  Border look_at_border() const;
  Rest look_at_rest() const;

 private:
  Observer(pid_t pid, clockid_t cpu_clock, io::CounterPageView page)
      : pid_(pid), cpu_clock_(cpu_clock), page_(std::move(page)) {}
  pid_t pid_;
  clockid_t cpu_clock_;
  io::CounterPageView page_;
};

}  // namespace iolab::lab
