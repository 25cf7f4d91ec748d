#include "experiments/machine/ceilings.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <numeric>
#include <random>

#include "experiments/machine/ceiling_kernels.h"
#include "experiments/machine/environment.h"
#include "experiments/statistics/statistics.h"
#include "experiments/words/words.h"

namespace iolab::lab {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

struct Kernel {
  std::string id;
  std::string meaning;  // key below "ceiling."
  std::string unit;
  std::function<Measured()> measure;
};

std::vector<Kernel> kernels(CpuPair cpus, const std::string& directory, milliseconds each) {
  constexpr std::size_t kInCache = std::size_t{16} * 1024;
  constexpr std::size_t kBeyondCaches = std::size_t{64} << 20;
  const auto other_cpu = [=]() -> Measured {
    if (cpus.shared()) return std::unexpected(recorded("reason.one_cpu"));
    return wake_up_us(cpus, each);
  };
  const CpuPair same{cpus.server, cpus.server};
  return {
      {"null_syscall", "null_syscall_meaning", "ns", [=] { return null_syscall_ns(each); }},
      {"clock", "clock_meaning", "ns", [=] { return clock_ns(each); }},
      {"wake_up_same", "wake_up_meaning", "us", [=] { return wake_up_us(same, each); }},
      {"wake_up", "wake_up_meaning", "us", other_cpu},
      {"switch", "switch_meaning", "us", [=] { return switch_us(cpus.server, each); }},
      {"loopback", "loopback_meaning", "MB/s", [=] { return loopback_mb_per_s(cpus, each); }},
      {"ping_pong", "ping_pong_meaning", "us", [=] { return ping_pong_us(cpus, each); }},
      {"memcpy_cached", "memcpy_cached_meaning", "MB/s", [=] { return memcpy_mb_per_s(kInCache, each); }},
      {"memcpy", "memcpy_meaning", "MB/s", [=] { return memcpy_mb_per_s(kBeyondCaches, each); }},
      {"append", "append_growing_meaning", "MB/s", [=] { return append_mb_per_s(directory, each); }},
      {"fdatasync", "fdatasync_meaning", "us", [=] { return fdatasync_us(directory, each); }},
  };
}

Ceiling row(const std::string& id, const std::string& meaning, const std::string& unit) {
  const std::string label = id == "wake_up" ? "wake_up_other" : id;
  return {.id = id,
          .label = recorded(fmt::format("ceiling.{}", label)),
          .unit = unit,
          .meaning = recorded(fmt::format("ceiling.{}", meaning))};
}

Ceiling summed_up(Ceiling row, const std::vector<double>& values, std::string reason) {
  row.value = median(values);  // NaN of none
  row.repetitions = static_cast<int>(values.size());
  if (values.empty()) {
    row.reason = std::move(reason);
  } else {
    const auto [low, high] = std::ranges::minmax(values);
    row.low = low;
    row.high = high;
  }
  return row;
}

// Nanoseconds for every page are what a trial pays; seconds for a GiB are what a reader can imagine.
double touch_ms_per_gib(std::uint64_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return std::numeric_limits<double>::quiet_NaN();
  const auto start = Clock::now();
  std::memset(memory, 1, bytes);
  const double seconds = seconds_since(start);
  munmap(memory, bytes);
  return seconds * 1e3 * (1 << 30) / static_cast<double>(bytes);
}

}  // namespace

double Ceiling::best() const {
  const bool is_rate = unit == "MB/s";
  const double extreme = is_rate ? high : low;
  return std::isfinite(extreme) ? extreme : value;
}

CpuPair choose_cpus(const std::vector<int>& allowed) {
  if (allowed.empty()) return {0, 0};
  return {allowed.front(), allowed.size() > 1 ? allowed[1] : allowed.front()};
}

std::vector<Ceiling> measure_ceilings(CpuPair cpus, const std::string& directory, milliseconds each, int repetitions) {
  const auto list = kernels(cpus, directory, each);
  std::vector<std::vector<double>> values(list.size());
  std::vector<std::string> reasons(list.size());
  std::vector<std::size_t> order(list.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::mt19937 random(std::random_device{}());
  for (int repetition = 0; repetition < repetitions; ++repetition) {
    std::ranges::shuffle(order, random);  // what changes slowly on the machine hits all alike
    for (const std::size_t at : order) {
      if (const auto measured = list[at].measure()) {
        values[at].push_back(*measured);
      } else {
        reasons[at] = measured.error();
      }
    }
  }
  std::vector<Ceiling> ceilings;
  for (std::size_t i = 0; i < list.size(); ++i) {
    ceilings.push_back(summed_up(row(list[i].id, list[i].meaning, list[i].unit), values[i], reasons[i]));
  }
  return ceilings;
}

const Ceiling* find_ceiling(const std::vector<Ceiling>& ceilings, std::string_view id) {
  const auto found = std::ranges::find(ceilings, id, &Ceiling::id);
  return found == ceilings.end() || !std::isfinite(found->value) ? nullptr : &*found;
}

NoiseHint measure_noise(milliseconds total) {
  constexpr auto kSlice = milliseconds{20};
  const CpuTicks before = read_cpu_ticks();
  std::vector<double> rates;
  for (const auto start = Clock::now(); Clock::now() - start < total;) {
    const auto slice = Clock::now();
    std::uint64_t calls = 0;
    do {
      for (int i = 0; i < 100; ++i) ::syscall(SYS_getppid);
      calls += 100;
    } while (Clock::now() - slice < kSlice);
    rates.push_back(static_cast<double>(calls) / seconds_since(slice));
  }
  NoiseHint hint;
  hint.steal = steal_share(before, read_cpu_ticks());
  if (rates.empty()) return hint;
  const double middle = median(rates);
  std::vector<double> distances;
  for (const double rate : rates) distances.push_back(std::abs(rate / middle - 1));
  std::ranges::sort(distances);
  constexpr double kMostOfThem = 0.9;
  hint.spread = distances[static_cast<std::size_t>(kMostOfThem * static_cast<double>(distances.size() - 1))];
  return hint;
}

std::vector<Ceiling> touch_memory(std::uint64_t bytes) {
  if (bytes == 0) return {};
  std::vector<Ceiling> touches{row("first_touch", "first_touch_meaning", "ms/GiB"),
                               row("second_touch", "second_touch_meaning", "ms/GiB")};
  for (Ceiling& touch : touches) {
    touch.value = touch_ms_per_gib(bytes);
    if (!std::isfinite(touch.value)) touch.reason = recorded("reason.no_memory");
  }
  return touches;
}

}  // namespace iolab::lab
