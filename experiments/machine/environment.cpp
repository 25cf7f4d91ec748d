#include "experiments/machine/environment.h"

#include <fmt/format.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "experiments/machine/build_info.h"
#include "experiments/words/units.h"
#include "experiments/words/words.h"

namespace iolab::lab {
namespace {

// Value of "key : value" or "key value" in a file of such lines.
std::string value_of(const std::string& path, std::string_view key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(key)) continue;
    const auto start = line.find_first_not_of(" \t:", key.size());
    return start == std::string::npos ? "" : line.substr(start);
  }
  return {};
}

std::uint64_t kib_of(std::string_view key) {
  return std::strtoull(value_of("/proc/meminfo", key).c_str(), nullptr, 10) * 1024;
}

std::string without_noise(std::string model) {
  for (const auto* word : {"(R)", "(TM)", "CPU ", "Processor "}) {
    for (auto at = model.find(word); at != std::string::npos; at = model.find(word)) {
      model.erase(at, std::string_view(word).size());
    }
  }
  if (const auto at = model.find(" @ "); at != std::string::npos) model.erase(at + 1, 2);
  return model;
}

std::string read_virtualisation() {
  const auto version = first_line("/proc/version");
  if (version.find("microsoft") != std::string::npos) return "WSL2";
  std::error_code ignored;
  if (std::filesystem::exists("/.dockerenv", ignored) || std::filesystem::exists("/run/.containerenv", ignored)) {
    return recorded("machine.kind_container");
  }
  const auto flags = value_of("/proc/cpuinfo", "flags");
  return (" " + flags + " ").find(" hypervisor ") != std::string::npos ? recorded("machine.kind_virtual") : "";
}

std::vector<int> allowed_cpus() {
  std::vector<int> cpus;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return {0};
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
  return cpus;
}

bool on_battery() {
  std::error_code ignored;
  for (const auto& supply : std::filesystem::directory_iterator("/sys/class/power_supply", ignored)) {
    if (first_line(supply.path() / "status") == "Discharging") return true;
  }
  return false;
}

std::string mitigations() {
  std::string text;
  std::error_code ignored;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator("/sys/devices/system/cpu/vulnerabilities", ignored)) {
    files.push_back(entry.path());
  }
  std::ranges::sort(files);
  for (const auto& file : files) {
    auto state = first_line(file);
    if (state.empty() || state == "Not affected") continue;
    if (state.starts_with("Mitigation: ")) state.erase(0, std::string_view("Mitigation: ").size());
    text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", file.filename().string(), state);
  }
  return text.empty() ? recorded("fact.no_mitigations") : text;
}

std::string limit_text(std::uint64_t limit) {
  return limit == RLIM_INFINITY ? recorded("fact.unlimited") : with_thousands(static_cast<double>(limit));
}

}  // namespace

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

Machine read_machine() {
  Machine machine;
  machine.cpu_model = without_noise(value_of("/proc/cpuinfo", "model name"));
  if (machine.cpu_model.empty()) machine.cpu_model = recorded("machine.unknown_processor");
  machine.cpus = allowed_cpus();
  machine.memory_bytes = kib_of("MemTotal");
  machine.available_bytes = kib_of("MemAvailable");
  utsname names{};
  uname(&names);
  machine.kernel = fmt::format("{} {}", names.sysname, names.release);
  machine.virtualisation = read_virtualisation();
  machine.on_battery = on_battery();
  machine.governor = first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  return machine;
}

std::string one_line(const Machine& machine) {
  const Slot cpus("cpus", machine.cpus.size());
  const Slot cpu("cpu", machine.cpu_model);
  const Slot kernel("kernel", machine.kernel.substr(machine.kernel.find(' ') + 1));
  const Slot memory("memory", fmt::format("{:.1f}", static_cast<double>(machine.memory_bytes) / (1 << 30)));
  if (machine.virtualisation.empty()) return recorded("machine.bare", {cpus, cpu, kernel, memory});
  return recorded("machine.virtual", {cpus, cpu, {"kind", machine.virtualisation}, kernel, memory});
}

std::vector<Fact> environment_facts() {
  const Machine machine = read_machine();
  const Limits limits = read_limits();
  const auto& build = build_info();
  const auto governor = machine.governor.empty() ? recorded("fact.not_visible") : machine.governor;
  return {
      {"machine", recorded("fact.processor"), machine.cpu_model},
      {"machine", recorded("fact.cpus"), with_thousands(static_cast<double>(machine.cpus.size()))},
      {"machine", recorded("fact.memory"), size_text(machine.memory_bytes)},
      {"machine", recorded("fact.kind"),
       machine.virtualisation.empty() ? recorded("machine.kind_bare") : machine.virtualisation},
      {"machine", recorded("fact.power"),
       machine.on_battery ? recorded("fact.on_battery") : recorded("fact.no_battery")},
      {"machine", recorded("fact.governor"), governor},
      {"kernel", recorded("fact.kernel"), machine.kernel},
      {"kernel", recorded("fact.clock_source"),
       first_line("/sys/devices/system/clocksource/clocksource0/current_clocksource")},
      {"kernel", recorded("fact.mitigations"), mitigations()},
      {"kernel", recorded("fact.somaxconn"), with_thousands(limits.somaxconn)},
      {"kernel", recorded("fact.loopback_mtu"), first_line("/sys/class/net/lo/mtu")},
      {"limits", recorded("fact.open_files"),
       recorded("fact.open_files_value",
                {{"soft", limit_text(limits.descriptors_soft)}, {"hard", limit_text(limits.descriptors_hard)}})},
      {"limits", recorded("fact.queued_signals"), limit_text(limits.signals_limit)},
      {"limits", recorded("fact.ports"), with_thousands(limits.ports)},
      {"build", recorded("fact.version"), build.version},
      {"build", recorded("fact.commit"),
       build.dirty ? recorded("fact.dirty_commit", {{"commit", build.commit}}) : build.commit},
      {"build", recorded("fact.compiler"), build.compiler},
      {"build", recorded("fact.flags"), fmt::format("{} {}", build.build_type, build.flags)},
  };
}

CpuTicks read_cpu_ticks() {
  // cpu  user nice system idle iowait irq softirq steal guest guest_nice; guest time is counted in user already.
  std::istringstream fields(first_line("/proc/stat"));
  std::string name;
  fields >> name;
  CpuTicks ticks;
  constexpr int kSystem = 2;
  constexpr int kSoftirq = 6;
  constexpr int kSteal = 7;
  std::uint64_t value = 0;
  for (int i = 0; i <= kSteal && fields >> value; ++i) {
    ticks.total += value;
    if (i <= kSystem) ticks.processes += value;
    if (i == kSoftirq) ticks.softirq = value;
    if (i == kSteal) ticks.steal = value;
  }
  return ticks;
}

double steal_share(const CpuTicks& before, const CpuTicks& after) {
  const auto total = static_cast<double>(after.total - before.total);
  return total <= 0 ? 0 : static_cast<double>(after.steal - before.steal) / total;
}

double load_average() {
  return std::strtod(first_line("/proc/loadavg").c_str(), nullptr);
}

Limits read_limits() {
  Limits limits;
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  limits.descriptors_soft = files.rlim_cur;
  limits.descriptors_hard = files.rlim_max;
  rlimit processes{};
  getrlimit(RLIMIT_NPROC, &processes);
  limits.threads = processes.rlim_cur;
  std::istringstream queue(value_of("/proc/self/status", "SigQ"));
  char slash = 0;
  queue >> limits.signals_queued >> slash >> limits.signals_limit;
  std::istringstream ports(first_line("/proc/sys/net/ipv4/ip_local_port_range"));
  int low = 0;
  int high = -1;
  ports >> low >> high;
  limits.ports = high - low + 1;
  limits.somaxconn = std::atoi(first_line("/proc/sys/net/core/somaxconn").c_str());
  return limits;
}

DiskSpace disk_space(const std::string& directory) {
  struct statfs status{};
  if (statfs(directory.c_str(), &status) != 0) return {};
  static constexpr std::array<std::pair<std::uint64_t, std::string_view>, 9> kTypes{{{0xEF53, "ext4"},
                                                                                     {0x01021994, "tmpfs"},
                                                                                     {0x58465342, "xfs"},
                                                                                     {0x9123683E, "btrfs"},
                                                                                     {0x794c7630, "overlay"},
                                                                                     {0x01021997, "9p"},
                                                                                     {0x6969, "nfs"},
                                                                                     {0xF2F52010, "f2fs"},
                                                                                     {0x2FC12FC1, "zfs"}}};
  const auto number = static_cast<std::uint64_t>(status.f_type);
  const auto found = std::ranges::find(kTypes, number, &std::pair<std::uint64_t, std::string_view>::first);
  const auto block = static_cast<std::uint64_t>(status.f_bsize);
  return {status.f_blocks * block, status.f_bavail * block,
          found == kTypes.end() ? fmt::format("type {:#x}", number) : std::string(found->second)};
}

}  // namespace iolab::lab
