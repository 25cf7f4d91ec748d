#include "experiments/machine/kernel_calls.h"

#include <fmt/format.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <set>
#include <thread>

#include "experiments/machine/process.h"
#include "experiments/machine/tracepoints.h"
#include "experiments/words/words.h"

namespace iolab::lab {
namespace {

constexpr std::size_t kMostRingPages = 4096;  // 16 MiB for a CPU: 190,000 calls
constexpr std::size_t kLeastRingPages = 128;  // 6,000 calls
constexpr std::size_t kPagesOfAll = 1 << 14;  // 64 MiB, however many CPUs there are

}  // namespace

struct KernelCalls::Rings {
  std::vector<int> events;
  std::vector<EventRing> rings;
  Tracepoint tracepoint;
  const long cpus = sysconf(_SC_NPROCESSORS_CONF);
  const std::size_t pages = std::bit_floor(
      std::clamp<std::size_t>(kPagesOfAll / static_cast<std::size_t>(cpus), kLeastRingPages, kMostRingPages));
  std::mutex mutex;
  KernelCounts counts;
  std::uint64_t lost = 0;
  std::jthread reader;

  ~Rings() {
    reader = {};
    for (const int event : events) close(event);
  }

  void drain() {
    const std::lock_guard lock(mutex);
    for (EventRing& ring : rings) {
      ring.drain(
          [this](const EventHead& head, std::span<const std::byte> record) {
            ++counts[{head.thread, static_cast<int>(tracepoint.number(record, "id"))}];
          },
          lost);
    }
  }

  // Empty if all threads of the process are watched on all CPUs; else what is in the way.
  std::string watch(pid_t process) {
    std::vector<int> first(static_cast<std::size_t>(cpus), -1);
    std::set<pid_t> watched;
    for (;;) {  // until no thread is found that was not there the time before
      auto found = threads_of(process);
      std::erase_if(found, [&](pid_t thread) { return watched.contains(thread); });
      if (found.empty()) break;
      for (const pid_t thread : found) {
        watched.insert(thread);
        for (long cpu = 0; cpu < cpus; ++cpu) {
          if (auto problem = watch_on(thread, cpu, first[static_cast<std::size_t>(cpu)]); !problem.empty())
            return problem;
        }
      }
    }
    return rings.empty() ? "the process has no threads" : "";
  }

  std::string watch_on(pid_t thread, long cpu, int& first) {
    const int event = open_tracepoint(tracepoint.id, thread, static_cast<int>(cpu));
    if (event < 0 && errno == ESRCH) return {};  // it has ended meanwhile
    if (event < 0) {
      return recorded("reason.no_kernel_count", {{"error", std::strerror(errno)}});
    }
    events.push_back(event);
    if (first >= 0) {
      if (ioctl(event, PERF_EVENT_IOC_SET_OUTPUT, first) == 0) return {};
      return fmt::format("cannot share a ring of records: {}", std::strerror(errno));
    }
    auto ring = EventRing::map(event, pages);
    if (!ring) return fmt::format("cannot map a ring of records: {}", std::strerror(errno));
    rings.push_back(std::move(*ring));
    first = event;
    return {};
  }
};

KernelCalls::KernelCalls(std::unique_ptr<Rings> rings) : rings_(std::move(rings)) {}
KernelCalls::KernelCalls(KernelCalls&&) noexcept = default;
KernelCalls::~KernelCalls() = default;

std::expected<KernelCalls, std::string> KernelCalls::watch(pid_t process) {
  auto rings = std::make_unique<Rings>();
  rings->tracepoint = find_tracepoints({"raw_syscalls/sys_enter"}).front();
  if (rings->tracepoint.id == 0) return std::unexpected(recorded("reason.no_tracepoint"));
  if (auto problem = rings->watch(process); !problem.empty()) return std::unexpected(problem);
  static constexpr std::chrono::milliseconds kPause{2};  // a spinning server fills a ring in 100 ms
  rings->reader = std::jthread([raw = rings.get()](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      raw->drain();
      std::this_thread::sleep_for(kPause);
    }
  });
  return KernelCalls(std::move(rings));
}

std::string KernelCalls::forbidden() {
  const auto myself = watch(getpid());
  return myself ? "" : myself.error();
}

KernelCounts KernelCalls::counts() const {
  rings_->drain();
  const std::lock_guard lock(rings_->mutex);
  return rings_->counts;
}

KernelCounts KernelCalls::counts_at_rest() const {
  constexpr std::chrono::milliseconds kRest{20};
  constexpr int kLooks = 250;
  KernelCounts before = counts();
  for (int i = 0; i < kLooks; ++i) {
    std::this_thread::sleep_for(kRest);
    KernelCounts now = counts();
    if (now == before) break;
    before = std::move(now);
  }
  return before;
}

std::uint64_t KernelCalls::lost() const {
  const std::lock_guard lock(rings_->mutex);
  return rings_->lost;
}

}  // namespace iolab::lab
