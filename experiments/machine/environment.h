// What a reader must know of the machine before believing a figure measured on it, read from /proc and /sys without
// changing anything: processor, kernel, mitigations, limits, clock source, load, steal time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace iolab::lab {

struct Fact {
  std::string group;  // machine | kernel | limits | build | run
  std::string label;
  std::string text;
};

struct Machine {
  std::string cpu_model;
  std::vector<int> cpus;  // that this process may use
  std::uint64_t memory_bytes = 0;
  std::uint64_t available_bytes = 0;
  std::string kernel;          // "Linux 6.18.44"
  std::string virtualisation;  // "KVM", "WSL2", "container", or empty
  bool on_battery = false;
  std::string governor;  // empty: none is visible
};
Machine read_machine();
std::string one_line(const Machine& machine);  // "2 x Intel Xeon 2.80 GHz, virtual machine, Linux 6.18, 23.5 GiB"

std::vector<Fact> environment_facts();

// Since boot, all CPUs together, in clock ticks of 10 ms.
struct CpuTicks {
  std::uint64_t total = 0;
  std::uint64_t processes = 0;  // user, nice and system: not idle, not the kernel's interrupts
  std::uint64_t steal = 0;
  std::uint64_t softirq = 0;
};
CpuTicks read_cpu_ticks();
double steal_share(const CpuTicks& before, const CpuTicks& after);
double load_average();

struct Limits {
  std::uint64_t descriptors_soft = 0;
  std::uint64_t descriptors_hard = 0;
  std::uint64_t signals_queued = 0;  // SigQ: of this user, now
  std::uint64_t signals_limit = 0;
  int ports = 0;  // ephemeral
  int somaxconn = 0;
  std::uint64_t threads = 0;
};
Limits read_limits();

struct DiskSpace {
  std::uint64_t total = 0;
  std::uint64_t available = 0;
  std::string type;  // "ext4", "tmpfs", "9p", or a number
  double used_share() const {
    return total == 0 ? 0 : 1.0 - static_cast<double>(available) / static_cast<double>(total);
  }
};
DiskSpace disk_space(const std::string& directory);

// First line of a small file, without its newline; empty if it cannot be read.
std::string first_line(const std::string& path);

}  // namespace iolab::lab
