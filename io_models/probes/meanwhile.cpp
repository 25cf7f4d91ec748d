// What does a thread get done while it waits for data?
//
// The thread has work of its own, in pieces of 20 us. A peer sends a message now and then. A model that waits in a call
// does nothing meanwhile; one that is told, or that asks between two pieces, goes on. Beside it stands how long a
// message lay there before it was handled: whoever works does not listen.
//
// Full work is what the same thread does without any I/O: it is measured before and after, each for a quarter of the
// time, and the mean of both is the measure. A value above 100 % is no gain: the machine was faster in between than
// before and after, and a value of 95 % may be full work on a machine that was slower.
//
// What to notice
//   1. select, poll, epoll and a signal that is waited for sleep as soundly as a blocking recv(): their gift is many
//      connections, not time for other things.
//   2. A signal that is *handled* lets the main line go on, and so does an order that the kernel or a helper carries
//      out.
//   3. A blocking recv() stops its thread, not its process: a second thread works on.
#include <aio.h>
#include <liburing.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "io_models/probes/all.h"
#include "io_models/probes/peer.h"

namespace iolab::io::probes {
namespace {

constexpr int kSignal = 36;  // a real-time signal, below those of the C library's own making
constexpr std::int64_t kPieceNs = 20'000;
constexpr std::size_t kMessageBytes = 64;

// Arithmetic that no compiler can leave out. Not inlined: a copy of so short a loop can take twice as long, only by the
// address at which it lies, and all work must be measured by the same one.
[[gnu::noinline]] void spin(std::uint64_t rounds) {
  std::uint64_t value = rounds;
  for (std::uint64_t i = 0; i < rounds; ++i) asm volatile("" : "+r"(value));
}

// The work: counted in pieces.
class Work {
 public:
  Work() {
    constexpr std::uint64_t kTry = 1'000'000;
    const auto began = now_ns();
    spin(kTry);
    rounds_ = kTry * kPieceNs / static_cast<std::uint64_t>(std::max<std::int64_t>(1, now_ns() - began));
  }
  void piece() {
    spin(rounds_);
    done_.fetch_add(1, std::memory_order_relaxed);
  }
  double done() const { return static_cast<double>(done_.load()); }
  // Pieces in a nanosecond, by the calling thread, which does nothing else; they are not counted.
  double full_speed(std::int64_t for_ns) const {
    const auto from = now_ns();
    double pieces = 0;
    for (; now_ns() - from < for_ns; ++pieces) spin(rounds_);
    return pieces / static_cast<double>(now_ns() - from);
  }

 private:
  std::uint64_t rounds_ = 0;
  std::atomic<std::uint64_t> done_ = 0;
};

// One message: when it was sent. Late is how long it lay there. Also called in a signal handler: it takes no lock.
class Inbox {
 public:
  void take(const std::byte* bytes) {
    std::int64_t sent_ns = 0;
    std::memcpy(&sent_ns, bytes, sizeof sent_ns);
    const auto at = count_.load(std::memory_order_relaxed);
    if (at < late_us_.size()) late_us_[at] = static_cast<double>(now_ns() - sent_ns) / 1000;
    count_.store(at + 1, std::memory_order_relaxed);
  }
  std::size_t count() const { return std::min(count_.load(), late_us_.size()); }
  double median_late_us() const { return median({late_us_.begin(), late_us_.begin() + static_cast<long>(count())}); }

 private:
  std::array<double, 100'000> late_us_{};
  std::atomic<std::size_t> count_ = 0;
};

struct Scene {
  int socket;
  Work& work;
  Inbox& inbox;
  std::int64_t end_ns;
  bool second_thread;
  std::string& problem;  // why a way could not do it; empty: it could

  bool over() const { return now_ns() >= end_ns; }
  // True: a message was taken. False: none is there, or the peer has ended.
  bool take(int flags) const {
    std::array<std::byte, kMessageBytes> message;
    if (::recv(socket, message.data(), message.size(), flags) != static_cast<ssize_t>(message.size())) return false;
    inbox.take(message.data());
    return true;
  }
};

void blocking(const Scene& scene) {
  std::jthread other;
  if (scene.second_thread) {
    other = std::jthread([&scene](std::stop_token end) {
      while (!end.stop_requested()) scene.work.piece();
    });
  }
  while (!scene.over() && scene.take(MSG_WAITALL)) continue;
}

void nonblocking(const Scene& scene) {
  while (!scene.over()) {
    if (!scene.take(MSG_DONTWAIT)) scene.work.piece();
  }
}

void by_select(const Scene& scene) {
  while (!scene.over()) {
    fd_set readers;
    FD_ZERO(&readers);
    FD_SET(scene.socket, &readers);
    if (::select(scene.socket + 1, &readers, nullptr, nullptr, nullptr) <= 0 || !scene.take(MSG_DONTWAIT)) return;
  }
}

void by_poll(const Scene& scene) {
  while (!scene.over()) {
    pollfd entry{scene.socket, POLLIN, 0};
    if (::poll(&entry, 1, -1) <= 0 || !scene.take(MSG_DONTWAIT)) return;
  }
}

void by_epoll(const Scene& scene) {
  const Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
  epoll_event wish{.events = EPOLLIN, .data = {}};
  ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, scene.socket, &wish);
  while (!scene.over()) {
    epoll_event event;
    if (::epoll_wait(epoll.get(), &event, 1, -1) <= 0 || !scene.take(MSG_DONTWAIT)) return;
  }
}

// From here on. False: the kernel refuses, and the scene has the problem.
bool is_signalled(const Scene& scene) {
  const auto asked = ask_for_signals(scene.socket, kSignal);
  if (!asked) scene.problem = asked.error();
  return asked.has_value();
}

void by_waited_signal(const Scene& scene) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, kSignal);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  if (!is_signalled(scene)) return;
  while (!scene.over()) {
    siginfo_t news;
    if (::sigwaitinfo(&signals, &news) < 0) return;  // one comes when the peer hangs up, at the latest
    while (scene.take(0)) continue;                  // several signals may have been for one message
  }
}

const Scene* handlers_scene = nullptr;  // a handler has no other way to know

// LESSON: the-handler-reads. recv() and clock_gettime() are safe in a handler; the inbox takes no lock.
void read_in_handler(int) {
  const int before = errno;
  while (handlers_scene->take(0)) continue;
  errno = before;
}

void by_handled_signal(const Scene& scene) {
  handlers_scene = &scene;
  struct sigaction action{};
  action.sa_handler = read_in_handler;
  action.sa_flags = SA_RESTART;
  ::sigaction(kSignal, &action, nullptr);
  if (!is_signalled(scene)) return;
  while (!scene.over()) scene.work.piece();
  ::signal(kSignal, SIG_IGN);
}

// glibc's helper does the reading; a flag says that it has. aio_read() itself is not safe in a handler.
volatile sig_atomic_t aio_is_done = 0;
void note_aio(int) {
  aio_is_done = 1;
}

void by_posix_aio(const Scene& scene) {
  struct sigaction action{};
  action.sa_handler = note_aio;
  action.sa_flags = SA_RESTART;
  ::sigaction(kSignal, &action, nullptr);
  std::array<std::byte, kMessageBytes> message;
  aiocb order{};
  order.aio_fildes = scene.socket;
  order.aio_buf = message.data();
  order.aio_nbytes = message.size();
  order.aio_sigevent.sigev_notify = SIGEV_SIGNAL;
  order.aio_sigevent.sigev_signo = kSignal;
  ::aio_read(&order);
  while (!scene.over()) {
    scene.work.piece();
    if (aio_is_done == 0) continue;
    aio_is_done = 0;
    if (::aio_error(&order) != 0 || ::aio_return(&order) != static_cast<ssize_t>(message.size())) break;
    scene.inbox.take(message.data());
    ::aio_read(&order);
  }
  ::shutdown(scene.socket, SHUT_RDWR);  // ends the order that is still out
  const aiocb* const list[] = {&order};
  while (::aio_error(&order) == EINPROGRESS) ::aio_suspend(list, 1, nullptr);
  ::signal(kSignal, SIG_IGN);
}

// The result is a word in shared memory: looking at it is no system call.
void by_io_uring(const Scene& scene) {
  io_uring ring;
  if (::io_uring_queue_init(8, &ring, 0) < 0) return;
  std::array<std::byte, kMessageBytes> message;
  const auto order = [&] {
    ::io_uring_prep_recv(::io_uring_get_sqe(&ring), scene.socket, message.data(), message.size(), MSG_WAITALL);
    ::io_uring_submit(&ring);
  };
  order();
  while (!scene.over()) {
    io_uring_cqe* result = nullptr;
    if (::io_uring_peek_cqe(&ring, &result) != 0) {
      scene.work.piece();
      continue;
    }
    const bool whole = result->res == static_cast<int>(message.size());
    ::io_uring_cqe_seen(&ring, result);
    if (!whole) break;
    scene.inbox.take(message.data());
    order();
  }
  ::shutdown(scene.socket, SHUT_RDWR);
  ::io_uring_queue_exit(&ring);
}

struct Way {
  std::string_view model;
  void (*run)(const Scene&);
};
constexpr std::string_view kSecondThread = "blocking:work=second-thread";
constexpr std::array kWays{Way{"blocking", blocking},
                           Way{kSecondThread, blocking},
                           Way{"nonblocking", nonblocking},
                           Way{"select", by_select},
                           Way{"poll", by_poll},
                           Way{"epoll", by_epoll},
                           Way{"sigio", by_waited_signal},
                           Way{"sigio:delivery=handler", by_handled_signal},
                           Way{"posix-aio", by_posix_aio},
                           Way{"io_uring", by_io_uring}};

std::expected<Figures, std::string> run(const ProbeSettings& settings) {
  const Probe probe = meanwhile();
  auto pair = connected_pair();
  if (!pair) return std::unexpected(pair.error());
  const auto pause_ns = number(probe, settings, "pause.ms") * 1'000'000;
  const auto way = std::ranges::find(kWays, settings.model, &Way::model);
  const auto length_ns = std::chrono::nanoseconds(settings.length).count();
  Work work;
  Inbox inbox;
  std::string problem;
  const double speed_before = work.full_speed(length_ns / 4);
  const auto began = now_ns();
  const Scene scene{.socket = pair->near.get(),
                    .work = work,
                    .inbox = inbox,
                    .end_ns = began + length_ns,
                    .second_thread = settings.model == kSecondThread,
                    .problem = problem};
  // The peer sends until the end, and then hangs up, which ends every wait.
  std::atomic<int> threads = 0;
  const auto peer = peer_on(settings.peer_cpu, [far = std::move(pair->far), end_ns = scene.end_ns, pause_ns,
                                                &threads](const std::stop_token&) mutable {
    std::array<std::byte, kMessageBytes> message{};
    for (auto at = now_ns() + pause_ns; at < end_ns; at += pause_ns) {
      sleep_until_ns(at);
      const auto sent_ns = now_ns();
      std::memcpy(message.data(), &sent_ns, sizeof sent_ns);
      if (::send(far.get(), message.data(), message.size(), MSG_NOSIGNAL) < 0) return;
    }
    threads = threads_of_this_process() - 1;  // this one is not the model's
    sleep_until_ns(end_ns);
    far = Fd();
  });
  const auto cpu_before = thread_cpu_ns();
  way->run(scene);
  const auto cpu_ns = static_cast<double>(thread_cpu_ns() - cpu_before);
  const auto took_ns = static_cast<double>(now_ns() - began);
  if (!problem.empty()) return std::unexpected(problem);
  if (inbox.count() == 0) {
    return std::unexpected("no message came through " + settings.model +
                           " in this time: try a longer --for, and see `iolab models` whether it may run here");
  }
  const double full_work = (speed_before + work.full_speed(length_ns / 4)) / 2 * took_ns;
  return Figures{{"work_done_share", work.done() / full_work},
                 {"handled_after_us", inbox.median_late_us()},
                 {"thread_cpu_share", cpu_ns / took_ns},
                 {"messages", static_cast<double>(inbox.count())},
                 {"threads", static_cast<double>(threads)}};
}

}  // namespace

Probe meanwhile() {
  Probe probe{.name = "meanwhile",
              .question = "What does a thread get done while it waits for data?",
              .models = {},
              .keys = {{"pause.ms", "1..1000", "10", "between two messages of the peer"}},
              .run = run};
  for (const auto& way : kWays) probe.models.push_back(way.model);
  return probe;
}

}  // namespace iolab::io::probes
