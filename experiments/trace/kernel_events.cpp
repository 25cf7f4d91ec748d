#include "experiments/trace/kernel_events.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "experiments/machine/tracepoints.h"
#include "experiments/words/words.h"

namespace iolab::lab {
namespace {

using Kind = KernelEvent::Kind;

constexpr std::size_t kRingPages = 1024;  // 4 MiB for a CPU, emptied every few milliseconds

struct Meaning {
  const char* tracepoint;
  Kind kind;
  const char* subject;  // field with a thread's id; empty: none
};
constexpr std::array kMeanings{
    Meaning{"sock/sk_data_ready", Kind::data_ready, ""}, Meaning{"sched/sched_waking", Kind::waking, "pid"},
    Meaning{"sched/sched_switch", Kind::runs, "next_pid"}, Meaning{"skb/skb_copy_datagram_iovec", Kind::copies, ""},
    Meaning{"signal/signal_generate", Kind::signals, "pid"}};

}  // namespace

struct KernelWatch::Rings {
  std::vector<int> opened;
  std::vector<EventRing> rings;
  std::vector<Tracepoint> tracepoints;
  std::vector<KernelEvent> events;
  std::uint64_t lost = 0;
  std::mutex mutex;
  std::jthread reader;

  ~Rings() {
    reader = {};
    for (const int event : opened) close(event);
  }

  void drain() {
    const std::lock_guard lock(mutex);
    for (EventRing& ring : rings) {
      ring.drain([this](const EventHead& head, std::span<const std::byte> record) { add(head, record); }, lost);
    }
  }

  void add(const EventHead& head, std::span<const std::byte> record) {
    for (std::size_t i = 0; i < tracepoints.size(); ++i) {
      if (tracepoints[i].id != head.tracepoint) continue;
      const auto& meaning = kMeanings[i];
      const auto subject = *meaning.subject == '\0' ? 0 : tracepoints[i].number(record, meaning.subject);
      events.push_back({meaning.kind, head.at_ns, head.thread, static_cast<pid_t>(subject),
                        meaning.kind == Kind::copies ? tracepoints[i].number(record, "len") : 0});
    }
  }

  // Empty, or what is in the way.
  std::string open() {
    std::vector<std::string> names;
    for (const auto& meaning : kMeanings) names.emplace_back(meaning.tracepoint);
    tracepoints = find_tracepoints(names);
    const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    for (const auto& tracepoint : tracepoints) {
      if (tracepoint.id == 0) return recorded("reason.no_tracepoint_named", {{"name", tracepoint.name}});
      for (int cpu = 0; cpu < cpus; ++cpu) {
        const int event = open_tracepoint(tracepoint.id, -1, cpu);
        if (event < 0) return recorded("reason.no_kernel_count", {{"error", std::strerror(errno)}});
        opened.push_back(event);
        auto ring = EventRing::map(event, kRingPages);
        if (!ring) return fmt::format("cannot map a ring of records: {}", std::strerror(errno));
        rings.push_back(std::move(*ring));
      }
    }
    return {};
  }
};

KernelWatch::KernelWatch(std::unique_ptr<Rings> rings) : rings_(std::move(rings)) {}
KernelWatch::KernelWatch(KernelWatch&&) noexcept = default;
KernelWatch::~KernelWatch() = default;

std::expected<KernelWatch, std::string> KernelWatch::start() {
  auto rings = std::make_unique<Rings>();
  if (auto problem = rings->open(); !problem.empty()) return std::unexpected(problem);
  static constexpr std::chrono::milliseconds kPause{5};
  rings->reader = std::jthread([raw = rings.get()](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      raw->drain();
      std::this_thread::sleep_for(kPause);
    }
  });
  return KernelWatch(std::move(rings));
}

std::vector<KernelEvent> KernelWatch::stop() {
  rings_->reader = {};
  rings_->drain();
  std::ranges::stable_sort(rings_->events, {}, &KernelEvent::at_ns);
  return std::move(rings_->events);
}

namespace {

class Refiner {
 public:
  Refiner(Lane& lane, const std::vector<KernelEvent>& events, const std::vector<pid_t>& threads, std::int64_t zero_ns)
      : lane_(lane), events_(events), threads_(threads), zero_ns_(zero_ns) {}

  void refine() {
    arrive_exactly();
    split_wake_ups();
    add_helpers();
    std::ranges::stable_sort(lane_.pieces, {}, [](const Piece& piece) { return std::pair(piece.row, piece.from_us); });
  }

 private:
  double us(std::int64_t at_ns) const { return static_cast<double>(at_ns - zero_ns_) / 1000; }
  bool is_server(pid_t thread) const { return std::ranges::find(threads_, thread) != threads_.end(); }

  // The first event of a kind between two moments of the lane, for a thread.
  std::optional<double> first(Kind kind, pid_t subject, double from_us, double to_us) const {
    for (const auto& event : events_) {
      const double at = us(event.at_ns);
      if (at > to_us) break;
      const bool matches = kind == Kind::copies ? event.thread == subject : event.subject == subject;
      if (event.kind == kind && matches && at >= from_us) return at;
    }
    return std::nullopt;
  }

  // Where only the sender's clock was known, the kernel knows when bytes came that a thread of the server was woken
  // for.
  void arrive_exactly() {
    if (lane_.border != Border::at_most) return;
    for (const auto& event : events_) {
      const double at = us(event.at_ns);
      if (event.kind != Kind::data_ready || at < 0 || is_server(event.thread)) continue;
      if (at > lane_.answered_us) return;
      lane_.arrived_seen_us = at;
      return;
    }
  }

  // One call that woke up and copied becomes two pieces, where its thread was seen to run, or to copy.
  void split_wake_ups() {
    std::vector<Piece> more;
    for (auto& piece : lane_.pieces) {
      const bool both = piece.doing == Doing::wake_and_copy || piece.doing == Doing::copied_for_us;
      if (!both || lane_.rows[piece.row] != Row::thread || piece.row >= lane_.threads.size()) continue;
      const auto thread = static_cast<pid_t>(lane_.threads[piece.row]);
      const auto begins = first(Kind::copies, thread, piece.from_us, piece.to_us);
      if (!begins) continue;
      Piece copy = piece;
      copy.doing = Doing::copy;
      copy.from_us = *begins;
      piece.to_us = *begins;
      piece.doing = Doing::notice;
      more.push_back(copy);
    }
    lane_.pieces.insert(lane_.pieces.end(), more.begin(), more.end());
  }

  // Threads of the server that copied and are in no row: they make calls that the layer does not issue.
  void add_helpers() {
    std::map<pid_t, std::size_t> rows;
    for (const auto& event : events_) {
      const double at = us(event.at_ns);
      if (event.kind != Kind::copies || at < 0 || at > lane_.answered_us || !is_server(event.thread)) continue;
      if (std::ranges::find(lane_.threads, std::int64_t{event.thread}) != lane_.threads.end()) continue;
      if (!rows.try_emplace(event.thread, lane_.rows.size()).second) continue;
      const std::size_t row = lane_.rows.size();
      lane_.rows.push_back(Row::helper);
      const double woken = first(Kind::runs, event.thread, 0, at).value_or(at);
      const double told = first_signal_after(at).value_or(at);
      lane_.pieces.push_back(
          {.row = row, .doing = Doing::blocked, .call = "read", .where = "", .from_us = -lane_.window_us, .to_us = 0});
      lane_.pieces.push_back(
          {.row = row, .doing = Doing::notice, .call = "read", .where = "", .from_us = 0, .to_us = woken});
      lane_.pieces.push_back(
          {.row = row, .doing = Doing::copy, .call = "read", .where = "", .from_us = woken, .to_us = told});
    }
  }

  std::optional<double> first_signal_after(double from_us) const {
    for (const auto& event : events_) {
      const double at = us(event.at_ns);
      if (event.kind == Kind::signals && at >= from_us && at <= lane_.answered_us) return at;
    }
    return std::nullopt;
  }

  Lane& lane_;
  const std::vector<KernelEvent>& events_;
  const std::vector<pid_t>& threads_;
  const std::int64_t zero_ns_;
};

}  // namespace

void add_kernel_events(Lane& lane, const std::vector<KernelEvent>& events, const std::vector<pid_t>& threads,
                       std::int64_t zero_ns) {
  if (lane.missing.empty()) Refiner(lane, events, threads, zero_ns).refine();
}

}  // namespace iolab::lab
