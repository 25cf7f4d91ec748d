// What else the machine did while something was measured on it: time that the host took, CPU that others used, waiting
// for a CPU, clock frequency, throttling. Two looks from outside, taken at the borders of a window; their difference is
// a reading, and what in it disturbs a measurement becomes a flag: a word with its figure.
//
// A flag never drops a trial: it says which figures to doubt. What the kernel does not tell is "not told" (NaN or
// nothing), never zero.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "experiments/machine/environment.h"

namespace iolab::lab {

struct Flag {
  std::string word;  // steal | other-processes | waited-for-cpu | throttled | frequency | major-faults
  std::string text;  // "the host took 2.7 % of the time"
  bool operator==(const Flag&) const = default;
};

struct MachineLook {
  std::chrono::steady_clock::time_point at{};
  CpuTicks ticks;
  std::optional<double> pressure_s;        // in which some task waited for a CPU, since boot: /proc/pressure/cpu
  std::optional<std::uint64_t> throttles;  // thermal, of all CPUs, since boot
  std::optional<double> mhz;               // of the server's CPU, now
  std::optional<double> waited_s;          // of the watched process, on a run queue, since its start
  int running = 0;                         // tasks that run or want to, now
};
// `watched`: the process that should never wait, because it has a CPU to itself; 0: none.
MachineLook look_at_machine(int cpu, pid_t watched);

struct MachineReading {
  double steal_share = 0;
  double softirq_s = 0;
  double load_average = 0;
  double others_share = 0;             // CPU time of all processes but ours, of one CPU's; kernel interrupts left out
  int running = 0;                     // at the end, ours included
  std::optional<double> waited_share;  // of the window, in which the watched process wanted a CPU and had none
  std::optional<double> pressure_share;
  std::optional<double> mhz_before;
  std::optional<double> mhz_after;
  std::optional<std::uint64_t> throttles;
  std::optional<std::uint64_t> minor_faults;  // of the server
  std::optional<std::uint64_t> major_faults;
  std::vector<Flag> flags;
};

// `our_cpu_s`: of server, load and lab between the two looks.
MachineReading reading_between(const MachineLook& before, const MachineLook& after, double our_cpu_s);
// In the order of the list above.
std::vector<Flag> flags_of(const MachineReading& reading);

// This process and all its children that have ended and been waited for, since its start.
double our_cpu_s_so_far();

nlohmann::ordered_json to_json(const MachineReading& reading);
// Takes records from before most of it was written: what is missing was not told.
MachineReading machine_reading_from_json(const nlohmann::ordered_json& object);

}  // namespace iolab::lab
