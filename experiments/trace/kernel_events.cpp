#include "experiments/trace/kernel_events.h"

#include <fmt/format.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "experiments/machine/tracepoints.h"
#include "experiments/words/words.h"

namespace iolab::lab {
namespace {

using Kind = KernelEvent::Kind;

constexpr std::size_t kRingPages = 1024;     // 4 MiB for a tracepoint and a CPU, emptied every few milliseconds
constexpr std::size_t kSmallRingPages = 64;  // for what comes a few times for each request

struct Meaning {
  const char* tracepoint;
  Kind kind;
  const char* subject = "";  // field with a thread's id; empty: none
  const char* value = "";    // field; empty: none
  const char* call = "";     // name of the system call
  bool needed = true;        // without it nothing is watched; else what it would tell stays unknown
};
constexpr std::array kMeanings{
    Meaning{.tracepoint = "sock/sk_data_ready", .kind = Kind::data_ready},
    Meaning{.tracepoint = "sched/sched_switch", .kind = Kind::runs, .subject = "next_pid"},
    Meaning{.tracepoint = "skb/skb_copy_datagram_iovec", .kind = Kind::copies},
    Meaning{.tracepoint = "signal/signal_generate", .kind = Kind::signals, .subject = "pid"},
    // The calls by which glibc's helpers read.
    Meaning{.tracepoint = "syscalls/sys_enter_read", .kind = Kind::enters, .call = "read", .needed = false},
    Meaning{
        .tracepoint = "syscalls/sys_exit_read", .kind = Kind::leaves, .value = "ret", .call = "read", .needed = false},
    Meaning{.tracepoint = "syscalls/sys_enter_pread64", .kind = Kind::enters, .call = "pread64", .needed = false},
    Meaning{.tracepoint = "syscalls/sys_exit_pread64",
            .kind = Kind::leaves,
            .value = "ret",
            .call = "pread64",
            .needed = false},
    Meaning{.tracepoint = "io_uring/io_uring_complete", .kind = Kind::completes, .value = "res", .needed = false},
    // By the kernel's age and the ring's settings it is the one or the other. Both are reached when the work is done.
    Meaning{
        .tracepoint = "io_uring/io_uring_local_work_run", .kind = Kind::task_work, .value = "count", .needed = false},
    Meaning{
        .tracepoint = "io_uring/io_uring_task_work_run", .kind = Kind::task_work, .value = "count", .needed = false}};

}  // namespace

struct KernelWatch::Rings {
  std::vector<int> opened;
  std::vector<EventRing> rings;
  std::vector<Tracepoint> tracepoints;
  std::vector<KernelEvent> events;
  std::uint64_t lost = 0;  // as the rings told
  std::uint64_t lost_before = 0;
  std::mutex mutex;
  std::jthread reader;

  ~Rings() {
    reader = {};
    for (const int event : opened) close(event);
  }

  void switch_to(unsigned long request) const {
    for (const int event : opened) ioctl(event, request, 0);
  }

  void drain() {
    const std::lock_guard lock(mutex);
    for (EventRing& ring : rings) {
      ring.drain([this](const EventHead& head, std::span<const std::byte> record) { add(head, record); }, lost);
    }
  }

  // Since they were opened. A ring tells of what it lost only with the next record that it has room for.
  std::uint64_t lost_so_far() const {
    std::uint64_t counted = 0;
    for (const int event : opened) {
      const auto of_event = lost_records(event);
      if (!of_event) return lost;
      counted += *of_event;
    }
    return counted;
  }

  void add(const EventHead& head, std::span<const std::byte> record) {
    for (std::size_t i = 0; i < tracepoints.size(); ++i) {
      if (tracepoints[i].id != head.tracepoint) continue;
      const auto& meaning = kMeanings[i];
      const auto number = [&](const char* field) { return tracepoints[i].number(record, field); };
      const auto value = number(meaning.value);
      if (meaning.kind == Kind::task_work && value == 0) return;  // there was none
      events.push_back(
          {meaning.kind, head.at_ns, head.thread, static_cast<pid_t>(number(meaning.subject)), value, meaning.call});
    }
  }

  // Empty, or what is in the way.
  std::string open() {
    std::vector<std::string> names;
    for (const auto& meaning : kMeanings) names.emplace_back(meaning.tracepoint);
    tracepoints = find_tracepoints(names);
    for (std::size_t i = 0; i < tracepoints.size(); ++i) {
      auto problem = open(tracepoints[i], kMeanings[i].needed ? kRingPages : kSmallRingPages);
      if (!problem.empty() && kMeanings[i].needed) return problem;
    }
    return {};
  }

  std::string open(const Tracepoint& tracepoint, std::size_t pages) {
    if (tracepoint.id == 0) return recorded("reason.no_tracepoint_named", {{"name", tracepoint.name}});
    const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    for (int cpu = 0; cpu < cpus; ++cpu) {
      const int event = open_tracepoint(tracepoint.id, -1, cpu);
      if (event < 0) return recorded("reason.no_kernel_count", {{"error", std::strerror(errno)}});
      opened.push_back(event);
      auto ring = EventRing::map(event, pages);
      if (!ring) return fmt::format("cannot map a ring of records: {}", std::strerror(errno));
      rings.push_back(std::move(*ring));
    }
    return {};
  }
};

KernelWatch::KernelWatch(std::unique_ptr<Rings> rings) : rings_(std::move(rings)) {}
KernelWatch::KernelWatch(KernelWatch&&) noexcept = default;
KernelWatch::~KernelWatch() = default;

std::expected<KernelWatch, std::string> KernelWatch::open() {
  auto rings = std::make_unique<Rings>();
  if (auto problem = rings->open(); !problem.empty()) return std::unexpected(problem);
  rings->switch_to(PERF_EVENT_IOC_DISABLE);
  return KernelWatch(std::move(rings));
}

void KernelWatch::start() {
  rings_->drain();  // what came while they were being opened
  rings_->events.clear();
  rings_->lost_before = rings_->lost_so_far();
  rings_->switch_to(PERF_EVENT_IOC_ENABLE);
  static constexpr std::chrono::milliseconds kPause{5};
  rings_->reader = std::jthread([raw = rings_.get()](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      raw->drain();
      std::this_thread::sleep_for(kPause);
    }
  });
}

KernelRecord KernelWatch::stop() {
  rings_->switch_to(PERF_EVENT_IOC_DISABLE);
  rings_->reader = {};
  rings_->drain();
  std::ranges::stable_sort(rings_->events, {}, &KernelEvent::at_ns);
  return {std::exchange(rings_->events, {}), rings_->lost_so_far() - rings_->lost_before};
}

namespace {

bool has_its_thread(Kind kind) {
  return kind != Kind::runs && kind != Kind::signals;
}

class Refiner {
 public:
  Refiner(Lane& lane, const std::vector<KernelEvent>& events, const std::vector<ServerThread>& threads)
      : lane_(lane), events_(events), threads_(threads) {}

  void refine() {
    split_wake_ups();
    add_hidden_threads();
    std::ranges::stable_sort(lane_.pieces, {}, [](const Piece& piece) { return std::pair(piece.row, piece.from_us); });
  }

 private:
  double us(std::int64_t at_ns) const { return static_cast<double>(at_ns - lane_.zero_ns) / 1000; }

  // The first event of a kind between two moments of the lane, in that thread, or for it.
  std::optional<double> first(Kind kind, pid_t thread, double from_us, double to_us) const {
    for (const auto& event : events_) {
      const double at = us(event.at_ns);
      if (at > to_us) break;
      const pid_t whose = has_its_thread(kind) ? event.thread : event.subject;
      if (event.kind == kind && whose == thread && at >= from_us) return at;
    }
    return std::nullopt;
  }

  // One call that woke up and copied becomes two pieces where its thread was seen to copy, or to be given the CPU, and
  // one more where io_uring was seen to have done its work before the call returned.
  void split_wake_ups() {
    std::vector<Piece> more;
    for (auto& piece : lane_.pieces) {
      const bool both = piece.doing == Doing::wake_and_copy || piece.doing == Doing::copied_inside;
      if (!both || lane_.rows[piece.row] != Row::thread) continue;
      const auto thread = static_cast<pid_t>(lane_.threads[piece.row]);
      const auto copies = first(Kind::copies, thread, piece.from_us, piece.to_us);
      const auto begins = copies ? copies : first(Kind::runs, thread, piece.from_us, piece.to_us);
      if (!begins) continue;
      const auto done = first(Kind::task_work, thread, *begins, piece.to_us);
      // In io_uring_enter a thread that only runs may have been told what another one has done.
      if (!copies && !done && piece.doing == Doing::copied_inside) continue;
      Piece copy = piece;
      copy.doing = !copies ? Doing::awake_and_copy : done ? Doing::task_work : Doing::copy;
      copy.from_us = *begins;
      if (done) {
        Piece rest = piece;
        rest.doing = Doing::notice;
        rest.from_us = *done;
        more.push_back(rest);
        copy.to_us = *done;
      }
      piece.to_us = *begins;
      piece.doing = Doing::notice;
      more.push_back(copy);
    }
    lane_.pieces.insert(lane_.pieces.end(), more.begin(), more.end());
  }

  // Threads of the server that copied, or came back from a read with something, and are in no row.
  void add_hidden_threads() {
    for (const auto& event : events_) {
      const double at = us(event.at_ns);
      if (at < 0 || at > lane_.answered_us || !is_a_copy(event)) continue;
      const auto thread = std::ranges::find(threads_, event.thread, &ServerThread::id);
      const bool has_row = std::ranges::find(lane_.threads, std::int64_t{event.thread}) != lane_.threads.end();
      if (thread == threads_.end() || has_row) continue;
      const bool of_kernel = thread->name.starts_with("iou-");
      row_ = lane_.rows.size();
      lane_.rows.push_back(of_kernel ? Row::kernel_thread : Row::helper);
      lane_.threads.push_back(event.thread);
      if (of_kernel) {
        add_kernel_thread(thread->id, at);
      } else if (event.kind == Kind::copies) {
        add_helper(thread->id, at);
      } else {
        add_helper_that_read(event);
      }
    }
    const bool hidden = std::ranges::find(lane_.rows, Row::kernel_thread) != lane_.rows.end();
    for (auto& piece : lane_.pieces) {
      if (hidden && piece.doing == Doing::copied_inside) piece.doing = Doing::copied_for_us;
    }
  }

  // A read that lasted from before the data came until it was there has copied it, whether that was seen or not.
  bool is_a_copy(const KernelEvent& event) const {
    if (event.kind == Kind::copies) return true;
    if (event.kind != Kind::leaves || event.value <= 0) return false;
    const auto* const entered = call_around(event.thread, us(event.at_ns));
    return entered != nullptr && us(entered->at_ns) < 0;
  }

  void add(Doing doing, double from_us, double to_us, const KernelEvent* entered = nullptr,
           std::optional<std::int64_t> result = {}) {
    if (to_us < from_us) return;
    const std::string call = entered == nullptr ? "" : entered->call;
    lane_.pieces.push_back(
        {.row = row_, .doing = doing, .call = call, .where = "", .from_us = from_us, .to_us = to_us, .result = result});
  }

  // It makes no calls. Its copy is over when the result is posted.
  void add_kernel_thread(pid_t thread, double copies_us) {
    add(Doing::notice, 0, copies_us);
    const auto posted = first(Kind::completes, thread, copies_us, lane_.answered_us);
    add(posted ? Doing::copy : Doing::unknown, copies_us, posted.value_or(copies_us));
  }

  // Only the call around the copy is drawn, from and to where the kernel saw its ends. An end that was not seen lies
  // before the signal by which the thread tells that it is done.
  void add_helper(pid_t thread, double copies_us) {
    const auto* const entered = call_around(thread, copies_us);
    const auto* const left = entered == nullptr ? nullptr : end_of(*entered);
    const auto result = left == nullptr ? std::nullopt : std::optional(left->value);
    const double since_us = entered == nullptr ? 0 : us(entered->at_ns);
    if (since_us < 0) add(Doing::blocked, std::max(since_us, -lane_.window_us), 0, entered, result);
    add(Doing::notice, std::max(since_us, 0.0), copies_us, entered, result);
    if (left != nullptr) {
      add(Doing::copy, copies_us, us(left->at_ns), entered, result);
    } else {
      add(Doing::unknown, copies_us, told_by(thread, copies_us).value_or(copies_us), entered);
    }
  }

  void add_helper_that_read(const KernelEvent& left) {
    const double to_us = us(left.at_ns);
    const auto* const entered = call_around(left.thread, to_us);
    const double runs_us = first(Kind::runs, left.thread, 0, to_us).value_or(0);
    add(Doing::blocked, std::max(us(entered->at_ns), -lane_.window_us), 0, entered, left.value);
    add(Doing::notice, 0, runs_us, entered, left.value);
    add(Doing::awake_and_copy, runs_us, to_us, entered, left.value);
  }

  // The call in which a thread was just before that moment.
  const KernelEvent* call_around(pid_t thread, double at_us) const {
    const KernelEvent* around = nullptr;
    for (const auto& event : events_) {
      if (us(event.at_ns) >= at_us) break;
      if (event.thread != thread) continue;
      if (event.kind == Kind::enters) around = &event;
      if (event.kind == Kind::leaves) around = nullptr;
    }
    return around;
  }

  const KernelEvent* end_of(const KernelEvent& entered) const {
    const auto end = std::ranges::find_if(events_, [&](const KernelEvent& event) {
      return event.kind == Kind::leaves && event.thread == entered.thread && event.at_ns >= entered.at_ns;
    });
    return end == events_.end() ? nullptr : &*end;
  }

  std::optional<double> told_by(pid_t thread, double from_us) const {
    for (const auto& event : events_) {
      const double at = us(event.at_ns);
      if (event.kind == Kind::signals && event.thread == thread && at >= from_us && at <= lane_.answered_us) return at;
    }
    return std::nullopt;
  }

  Lane& lane_;
  const std::vector<KernelEvent>& events_;
  const std::vector<ServerThread>& threads_;
  std::size_t row_ = 0;  // that is being added
};

}  // namespace

std::optional<std::int64_t> arrival_seen(const std::vector<KernelEvent>& events, pid_t client,
                                         const TimedRequest& request) {
  std::optional<std::int64_t> last;
  for (const auto& event : events) {
    if (event.at_ns > request.answered_ns) break;
    if (event.kind == Kind::data_ready && event.thread == client && event.at_ns >= request.sent_ns) last = event.at_ns;
  }
  return last;
}

void add_kernel_events(Lane& lane, const std::vector<KernelEvent>& events, const std::vector<ServerThread>& threads) {
  if (lane.missing.empty()) Refiner(lane, events, threads).refine();
}

}  // namespace iolab::lab
