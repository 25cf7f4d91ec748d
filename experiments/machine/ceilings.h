// What this machine can do at most, measured now: the yardsticks beside every figure, because their own values change
// by half within minutes on a shared machine. They are therefore taken before a run, between its blocks and after it,
// each several times, in random order. Each takes a fixed short time and allocates little.
//
// Nothing stays behind but a file that is unlinked before it is written (ceiling_kernels.h holds the loops).
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace iolab::lab {

struct Ceiling {
  std::string id;                                         // "null_syscall"
  std::string label;                                      // "null system call"
  std::string unit;                                       // "ns", "us", "MB/s", "ms/GiB"
  double value = 0;                                       // median of the repetitions; NaN: could not be measured
  std::string meaning{};                                  // half a sentence
  double low = std::numeric_limits<double>::quiet_NaN();  // of the repetitions; NaN: not known (runs from before)
  double high = std::numeric_limits<double>::quiet_NaN();
  int repetitions = 1;
  std::string reason{};  // why it could not be measured

  // What a bound may count on: the cheapest time, or the highest rate, that was seen.
  double best() const;
};

struct CeilingsBetween {
  int after_trial = -1;  // index of the last trial that was finished then; -1: none was
  int after_duets = 0;   // how many duets were
  std::vector<Ceiling> values;
};

struct CpuPair {
  int server = 0;
  int load = 0;
  bool shared() const { return server == load; }
};
// The first two CPUs that this process may use: the machine's own order. On one CPU both are the same.
CpuPair choose_cpus(const std::vector<int>& allowed);

// About twelve times `each` for every repetition. `directory` is where data would be written: its page cache and its
// fdatasync are measured. What cannot be measured is a row with its reason.
std::vector<Ceiling> measure_ceilings(CpuPair cpus, const std::string& directory, std::chrono::milliseconds each,
                                      int repetitions = 1);

const Ceiling* find_ceiling(const std::vector<Ceiling>& ceilings, std::string_view id);  // nullptr: none, or NaN

// The same small loop again and again for `total`: by how much its time differed from one 20 ms slice to the next. A
// machine on which equal work takes unequal time cannot tell small differences, whatever is run on it.
struct NoiseHint {
  double spread = 0;  // the middle 90 % of slices lie within +- this share of their median
  double steal = 0;
};
NoiseHint measure_noise(std::chrono::milliseconds total);

// Touches so much memory and gives it back, twice: what the first touch cost, which in a guest may be paid to the
// hypervisor, and the second. Afterwards no trial has to pay it. Ids: first_touch, second_touch.
std::vector<Ceiling> touch_memory(std::uint64_t bytes);

}  // namespace iolab::lab
