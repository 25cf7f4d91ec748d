// Duet slices: how to compare two servers to about 1 % on a machine whose speed changes by half within seconds. Both
// run at once (pinned to one CPU by whoever started them), one client on another CPU gives them work in alternating
// slices of 5 to 20 ms, and the ratio of server CPU per request is formed inside each pair of adjacent slices: whatever
// the machine does hits both alike. The order inside a pair alternates, so that neither is always first.
//
// One Duet is one pair of processes, and one replicate: repeat with fresh processes for an interval that means
// something. Not for tails or for effects that build up: slices are short. Source: docs/METHODOLOGY.md.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "clients/load.h"

namespace iolab::clients {

struct DuetSide {
  io::Address target;
  pid_t pid = 0;  // whose CPU clock is read: every thread of the process, those of the kernel on its behalf included
  // Stop the process (SIGSTOP) during the other's slices: for a server that spins when it has nothing to do. It is
  // continued at the end, whatever happens.
  bool pause = false;
};

struct DuetSpec {
  DuetSide a;  // the baseline: ratios are b / a
  DuetSide b;
  LoadSpec load;  // its target, arrivals (closed), threads (1), warm-up and measure times are ignored
  std::chrono::microseconds slice{10'000};
  int pairs = 300;
  std::chrono::milliseconds warmup{200};  // of each side
};

struct DuetSlice {
  std::uint64_t requests = 0;
  double seconds = 0;
  double server_cpu_s = 0;
};

struct DuetResult {
  std::vector<DuetSlice> a;  // in the order of the pairs
  std::vector<DuetSlice> b;
  std::vector<double> cpu_ratios;   // server CPU per request, b / a, one for each pair
  std::vector<double> rate_ratios;  // requests per second, b / a
  double cpu_ratio = 0;             // medians of the two
  double rate_ratio = 0;
  double cpu_ratio_low = 0;  // 95 % order-statistic interval of the median, inside this pair of processes
  double cpu_ratio_high = 0;
  std::uint64_t answered_a = 0;  // with the warm-up: what counts of system calls are divided by
  std::uint64_t answered_b = 0;
  std::uint64_t errors = 0;
  std::string note;  // the first error in words
};

// The error is a sentence: a side that cannot be reached, does not answer within a second, or has no readable clock.
std::expected<DuetResult, std::string> run_duet(const DuetSpec& spec);

}  // namespace iolab::clients
