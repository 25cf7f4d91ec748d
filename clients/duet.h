// Duet slices: how to compare servers to about 1 % on a machine whose speed changes by half within seconds. All run at
// once (pinned to one CPU by whoever started them), one client on another CPU gives them work in alternating slices of
// 5 to 20 ms, and ratios are formed inside each pair of adjacent slices, one of the baseline and one of another:
// whatever the machine does hits both alike. The order inside a pair alternates, so that neither is always first. With
// several others the pairs go round robin: A B, A C, A D, then B A, C A, D A, and so on.
//
// One such group of processes is one replicate: repeat with fresh processes for an interval that means something. Not
// for tails or for effects that build up: slices are short. Source: docs/METHODOLOGY.md.
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
  // Whose CPU clock is read: every thread of the process, those of the kernel on its behalf included. 0: a server that
  // is not on this machine, or not ours to measure; of it only the rate is compared.
  pid_t pid = 0;
  // Stop the process (SIGSTOP) during the others' slices: for a server that spins when it has nothing to do. It is
  // continued at the end, whatever happens.
  bool pause = false;
};

struct DuetSpec {
  DuetSide baseline;
  std::vector<DuetSide> others;  // at least one
  // Its target, threads (1), warm-up and measure times are ignored. With open arrivals requests fall due at the rate
  // inside each slice, and the CPU is that of the whole slice.
  LoadSpec load;
  std::chrono::microseconds slice{10'000};
  // Load before each slice that counts for nothing: what a server of several threads on one CPU needs after a stop
  // until they take turns as they do without stops.
  std::chrono::microseconds lead_in{0};
  int pairs = 300;                        // of slices, for each of the others
  std::chrono::milliseconds warmup{200};  // of each side
};

struct DuetSlice {
  std::uint64_t requests = 0;
  double seconds = 0;
  double server_cpu_s = 0;  // 0 without a process
};

// One of the others against the baseline.
struct DuetComparison {
  std::vector<DuetSlice> baseline;  // in the order of the pairs
  std::vector<DuetSlice> other;
  std::vector<double>
      cpu_ratios;  // server CPU per request, other / baseline, one for each pair; none without a process
  std::vector<double> rate_ratios;  // requests per second, other / baseline
  std::uint64_t answered = 0;       // by the other, with the warm-up: what counts of system calls are divided by
};

struct DuetResult {
  std::vector<DuetComparison> comparisons;  // in the order of DuetSpec::others
  std::uint64_t answered_baseline = 0;
  std::uint64_t errors = 0;
  std::string note;  // the first error in words
};

// The error is a sentence: a side that cannot be reached, does not answer within a second, or has no readable clock.
std::expected<DuetResult, std::string> run_duet(const DuetSpec& spec);

}  // namespace iolab::clients
