// What this machine can do at most, measured now: the yardsticks beside every figure, because their own values change
// by half within minutes on a shared machine. Each takes a fixed short time and allocates little.
//
// Threads started here are pinned and joined; nothing stays behind but a file that is unlinked before it is written.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace iolab::lab {

struct Ceiling {
  std::string id;     // "null_syscall"
  std::string label;  // "null system call"
  std::string unit;   // "ns", "us", "MB/s"
  double value = 0;   // NaN: could not be measured
  std::string meaning;
};

struct CpuPair {
  int server = 0;
  int load = 0;
  bool shared() const { return server == load; }
};
// The first two CPUs that this process may use: the machine's own order. On one CPU both are the same.
CpuPair choose_cpus(const std::vector<int>& allowed);

// About eight times `each`. `directory` is where data would be written: its fdatasync is measured.
std::vector<Ceiling> measure_ceilings(CpuPair cpus, const std::string& directory, std::chrono::milliseconds each);

// The same small loop again and again for `total`: by how much its time differed from one 20 ms slice to the next. A
// machine on which equal work takes unequal time cannot tell small differences, whatever is run on it.
struct NoiseHint {
  double spread = 0;  // the middle 90 % of slices lie within +- this share of their median
  double steal = 0;
};
NoiseHint measure_noise(std::chrono::milliseconds total);

// Touches memory and gives it back, so that a guest's first touch of a page is paid here and not inside a trial.
void touch_memory(std::uint64_t bytes);

}  // namespace iolab::lab
