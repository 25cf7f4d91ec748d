#include "experiments/machine/machine_watch.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

using Json = nlohmann::ordered_json;

// Above these a figure may owe more to the machine's other business than to what was measured.
constexpr double kMuchSteal = 0.01;
constexpr double kMuchOfOthers = 0.1;  // of one CPU
constexpr double kMuchWaiting = 0.05;  // of the window
constexpr double kOtherSpeed = 0.1;    // between two looks at the clock frequency

double seconds_of(std::uint64_t ticks) {
  return static_cast<double>(ticks) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

// "some avg10=0.00 avg60=0.00 avg300=0.00 total=MICROSECONDS"
std::optional<double> read_pressure_s() {
  const std::string line = first_line("/proc/pressure/cpu");
  const auto at = line.find("total=");
  if (at == std::string::npos) return std::nullopt;
  return std::strtod(line.c_str() + at + 6, nullptr) / 1e6;
}

std::optional<std::uint64_t> read_throttles() {
  std::optional<std::uint64_t> sum;
  std::error_code ignored;
  for (const auto& cpu : std::filesystem::directory_iterator("/sys/devices/system/cpu", ignored)) {
    const auto count = first_line(cpu.path() / "thermal_throttle/core_throttle_count");
    if (!count.empty()) sum = sum.value_or(0) + std::strtoull(count.c_str(), nullptr, 10);
  }
  return sum;
}

std::optional<double> read_mhz(int cpu) {
  const auto khz = first_line(fmt::format("/sys/devices/system/cpu/cpu{}/cpufreq/scaling_cur_freq", cpu));
  if (khz.empty()) return std::nullopt;
  return std::strtod(khz.c_str(), nullptr) / 1000;
}

// The second number is the time that the first thread spent on run queues; a load has one thread.
std::optional<double> read_waited_s(pid_t pid) {
  if (pid <= 0) return std::nullopt;
  std::istringstream fields(first_line(fmt::format("/proc/{}/schedstat", pid)));
  double ran_ns = 0;
  double waited_ns = 0;
  if (!(fields >> ran_ns >> waited_ns)) return std::nullopt;
  return waited_ns / 1e9;
}

int read_running() {
  // "0.20 0.18 0.12 1/80 11206": the fourth field begins with the number of runnable tasks.
  std::istringstream fields(first_line("/proc/loadavg"));
  std::string skipped;
  int running = 0;
  fields >> skipped >> skipped >> skipped >> running;
  return running;
}

template <class Number>
std::optional<Number> difference(const std::optional<Number>& before, const std::optional<Number>& after) {
  if (!before || !after || *after < *before) return std::nullopt;
  return *after - *before;
}

double cpu_seconds(const rusage& usage) {
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

template <class Number>
Json told(const std::optional<Number>& value) {
  return value ? Json(*value) : Json();
}

template <class Number>
std::optional<Number> told_from(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  return found->get<Number>();
}

}  // namespace

MachineLook look_at_machine(int cpu, pid_t watched) {
  MachineLook look;
  look.ticks = read_cpu_ticks();
  look.at = std::chrono::steady_clock::now();
  look.waited_s = read_waited_s(watched);
  look.pressure_s = read_pressure_s();
  look.throttles = read_throttles();
  look.mhz = read_mhz(cpu);
  look.running = read_running();
  return look;
}

MachineReading reading_between(const MachineLook& before, const MachineLook& after, double our_cpu_s) {
  MachineReading reading;
  const double window_s = std::chrono::duration<double>(after.at - before.at).count();
  reading.steal_share = steal_share(before.ticks, after.ticks);
  reading.softirq_s = seconds_of(after.ticks.softirq - before.ticks.softirq);
  reading.load_average = load_average();
  reading.running = after.running;
  reading.mhz_before = before.mhz;
  reading.mhz_after = after.mhz;
  reading.throttles = difference(before.throttles, after.throttles);
  if (window_s > 0) {
    const double busy_s = seconds_of(after.ticks.processes - before.ticks.processes);
    reading.others_share = std::max(0.0, busy_s - our_cpu_s) / window_s;
    if (const auto waited = difference(before.waited_s, after.waited_s)) reading.waited_share = *waited / window_s;
    if (const auto some = difference(before.pressure_s, after.pressure_s)) reading.pressure_share = *some / window_s;
  }
  return reading;
}

std::vector<Flag> flags_of(const MachineReading& reading) {
  std::vector<Flag> flags;
  if (reading.steal_share > kMuchSteal) {
    flags.push_back({"steal", fmt::format("the host took {} of the time", percent_text(reading.steal_share))});
  }
  if (reading.others_share > kMuchOfOthers) {
    flags.push_back(
        {"other-processes", fmt::format("other processes used {} of a CPU", percent_text(reading.others_share))});
  }
  if (reading.waited_share.value_or(0) > kMuchWaiting) {
    flags.push_back({"waited-for-cpu", fmt::format("the load generator waited for its CPU in {} of the window",
                                                   percent_text(*reading.waited_share))});
  }
  if (reading.throttles.value_or(0) > 0) {
    flags.push_back({"throttled", fmt::format("the processor was throttled for heat {} times", *reading.throttles)});
  }
  if (reading.mhz_before && reading.mhz_after && *reading.mhz_before > 0 &&
      std::abs(*reading.mhz_after / *reading.mhz_before - 1) > kOtherSpeed) {
    flags.push_back({"frequency", fmt::format("the clock went from {} to {} MHz", with_thousands(*reading.mhz_before),
                                              with_thousands(*reading.mhz_after))});
  }
  if (reading.major_faults.value_or(0) > 0) {
    flags.push_back(
        {"major-faults", fmt::format("the server waited for the disk in {} page faults", *reading.major_faults)});
  }
  return flags;
}

double our_cpu_s_so_far() {
  rusage self{};
  rusage children{};
  getrusage(RUSAGE_SELF, &self);
  getrusage(RUSAGE_CHILDREN, &children);
  return cpu_seconds(self) + cpu_seconds(children);
}

Json to_json(const MachineReading& reading) {
  Json flags = Json::array();
  for (const auto& flag : reading.flags) flags.push_back({{"word", flag.word}, {"text", flag.text}});
  return {{"steal_share", reading.steal_share},
          {"softirq_s", reading.softirq_s},
          {"load_average", reading.load_average},
          {"others_share", reading.others_share},
          {"running", reading.running},
          {"waited_share", told(reading.waited_share)},
          {"pressure_share", told(reading.pressure_share)},
          {"mhz_before", told(reading.mhz_before)},
          {"mhz_after", told(reading.mhz_after)},
          {"throttles", told(reading.throttles)},
          {"minor_faults", told(reading.minor_faults)},
          {"major_faults", told(reading.major_faults)},
          {"flags", flags}};
}

MachineReading machine_reading_from_json(const Json& object) {
  MachineReading reading;
  reading.steal_share = object.value("steal_share", 0.0);
  reading.softirq_s = object.value("softirq_s", 0.0);
  reading.load_average = object.value("load_average", 0.0);
  reading.others_share = object.value("others_share", 0.0);
  reading.running = object.value("running", 0);
  reading.waited_share = told_from<double>(object, "waited_share");
  reading.pressure_share = told_from<double>(object, "pressure_share");
  reading.mhz_before = told_from<double>(object, "mhz_before");
  reading.mhz_after = told_from<double>(object, "mhz_after");
  reading.throttles = told_from<std::uint64_t>(object, "throttles");
  reading.minor_faults = told_from<std::uint64_t>(object, "minor_faults");
  reading.major_faults = told_from<std::uint64_t>(object, "major_faults");
  for (const auto& flag : object.value("flags", Json::array())) {
    reading.flags.push_back({flag.at("word").get<std::string>(), flag.at("text").get<std::string>()});
  }
  return reading;
}

}  // namespace iolab::lab
