// The textbook's figure, with numbers: how long did the thread wait for the data, how long did the copy take, and what
// CPU time did each cost?
//
// A peer waits, then sends a message; the thread receives it through one of the models, with the kernel's stamp of its
// last byte. SO_RCVLOWAT makes the readiness models hear of a message when all of it is there, so that the phases do
// not mingle. (A blocking recv() under it is not always woken by the bytes that were missing: it waits by MSG_WAITALL.)
//
// What to notice
//   1. Let the peer wait longer: the first phase grows, and nothing else. Let it send more: only the second grows.
//   2. The first phase costs next to no CPU where the thread sleeps, and all of it where it asks.
//   3. The second phase is work: its CPU time is its time. Asleep in recv() means asleep in the first phase only.
//   4. In blocking recv() and in io_uring the wake-up and the copy lie inside one call: here they cannot be told apart,
//      and copy_call_us is missing.
//   5. io_uring's receive_cpu_us is the CPU of the thread that waits in io_uring_enter(), and the copy is in it. "The
//      kernel copies" does not mean that somebody else does: when the data is there, the kernel lets this thread carry
//      out the order, as task work, before the call returns. Only a ring with threads of its own (SQPOLL, io-wq) has
//      CPU time elsewhere.
//   6. Does the call that receives return before the data is there? Non-blocking: with each message, by EAGAIN.
//      Blocking: never. The readiness models make that call only when they have been told; sigio is told by a late
//      signal of the message before, too, and then asks in vain.
#include <liburing.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <optional>

#include "io_models/arrival_stamp.h"
#include "io_models/probes/all.h"
#include "io_models/probes/peer.h"

namespace iolab::io::probes {
namespace {

constexpr int kSignal = 36;

// What the thread saw of one message.
struct Seen {
  std::int64_t arrived_ns = 0;
  std::optional<std::int64_t> told_ns;  // before the call that received; nothing: that call was also the wait
  std::int64_t told_cpu_ns = 0;
  std::int64_t returned_ns = 0;  // the first call that was to receive
  bool whole = true;             // when the thread was told of it
  int calls = 0;

  void returned() {
    if (returned_ns == 0) returned_ns = now_ns();
  }
};

class Receiver {
 public:
  Receiver(int socket, std::size_t bytes) : socket_(socket), room_(bytes) {}
  virtual ~Receiver() = default;
  virtual bool receive(Seen& seen) = 0;  // a whole message
  // The kernel's stamp of what came last; 0: it has none. Read when the clocks have been, because that takes time.
  std::int64_t arrived_ns() { return message_.arrived_ns(); }

 protected:
  // With recvmsg, for the stamp. False: the end, or nothing there. The kernel wakes below the low-water mark if its
  // buffer is short of room: the rest is waited for here, so that the next message begins at its beginning.
  bool take(Seen& seen, int flags) {
    for (std::size_t have = 0; have < room_.size();) {
      ++seen.calls;
      const ssize_t bytes = ::recvmsg(socket_, &message_.prepared_for(std::span(room_).subspan(have)), flags);
      seen.returned();
      if (bytes < 0 && errno == EAGAIN && have > 0) {
        seen.whole = false;
        flags = MSG_WAITALL;
        continue;
      }
      if (bytes <= 0) return false;
      have += static_cast<std::size_t>(bytes);
    }
    return true;
  }
  std::size_t bytes_there() const {
    int bytes = 0;
    ::ioctl(socket_, FIONREAD, &bytes);
    return static_cast<std::size_t>(bytes);
  }
  static void told(Seen& seen) {
    seen.told_ns = now_ns();
    seen.told_cpu_ns = thread_cpu_ns();
  }

  const int socket_;
  std::vector<std::byte> room_;
  StampedMessage message_;
};

// The buffer grows with what was ever asked for, and stays so large: a message finds room as a whole.
void wake_at(int socket, std::size_t bytes) {
  const int low_water = static_cast<int>(bytes);
  ::setsockopt(socket, SOL_SOCKET, SO_RCVLOWAT, &low_water, sizeof low_water);
}

class Blocking final : public Receiver {
 public:
  using Receiver::Receiver;
  bool receive(Seen& seen) override { return take(seen, MSG_WAITALL); }
};

class NonBlocking final : public Receiver {
 public:
  using Receiver::Receiver;
  bool receive(Seen& seen) override {
    std::byte one;
    for (ssize_t first = -1; first < 0;) {
      ++seen.calls;
      first = ::recv(socket_, &one, 1, MSG_DONTWAIT | MSG_PEEK);
      if (first < 0) seen.returned();
      if (first == 0) return false;
    }
    for (++seen.calls; bytes_there() < room_.size();) ++seen.calls;  // recv() would take the first part
    told(seen);
    return take(seen, MSG_DONTWAIT);
  }
};

class BySelect final : public Receiver {
 public:
  using Receiver::Receiver;
  bool receive(Seen& seen) override {
    fd_set readers;
    FD_ZERO(&readers);
    FD_SET(socket_, &readers);
    ++seen.calls;
    if (::select(socket_ + 1, &readers, nullptr, nullptr, nullptr) <= 0) return false;
    told(seen);
    return take(seen, MSG_DONTWAIT);
  }
};

class ByPoll final : public Receiver {
 public:
  using Receiver::Receiver;
  bool receive(Seen& seen) override {
    pollfd entry{socket_, POLLIN, 0};
    ++seen.calls;
    if (::poll(&entry, 1, -1) <= 0) return false;
    told(seen);
    return take(seen, MSG_DONTWAIT);
  }
};

class ByEpoll final : public Receiver {
 public:
  ByEpoll(int socket, std::size_t bytes) : Receiver(socket, bytes), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    epoll_event wish{.events = EPOLLIN, .data = {}};
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket, &wish);
  }
  bool receive(Seen& seen) override {
    epoll_event event;
    ++seen.calls;
    if (::epoll_wait(epoll_.get(), &event, 1, -1) <= 0) return false;
    told(seen);
    return take(seen, MSG_DONTWAIT);
  }

 private:
  Fd epoll_;
};

class BySignal final : public Receiver {
 public:
  BySignal(int socket, std::size_t bytes) : Receiver(socket, bytes) {
    ::sigemptyset(&signals_);
    ::sigaddset(&signals_, kSignal);
    ::pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    (void)ask_for_signals(socket, kSignal);
  }
  bool receive(Seen& seen) override {
    for (;;) {
      siginfo_t news;
      ++seen.calls;
      if (::sigwaitinfo(&signals_, &news) < 0) return false;
      // A signal comes with each part of a message, and a late one of the message before.
      std::byte one;
      const ssize_t first = ::recv(socket_, &one, 1, MSG_PEEK);
      if (first < 0) seen.returned();
      if (first == 0) return false;
      seen.calls += 2;  // that look, and the next
      if (bytes_there() < room_.size()) continue;
      told(seen);
      return take(seen, 0);
    }
  }

 private:
  sigset_t signals_{};
};

class ByRing final : public Receiver {
 public:
  ByRing(int socket, std::size_t bytes) : Receiver(socket, bytes) { ready_ = ::io_uring_queue_init(8, &ring_, 0) == 0; }
  ~ByRing() override {
    if (ready_) ::io_uring_queue_exit(&ring_);
  }
  bool receive(Seen& seen) override {
    for (std::size_t have = 0; ready_ && have < room_.size();) {
      auto& message = message_.prepared_for(std::span(room_).subspan(have));
      ::io_uring_prep_recvmsg(::io_uring_get_sqe(&ring_), socket_, &message, MSG_WAITALL);
      ++seen.calls;
      io_uring_cqe* result = nullptr;
      if (::io_uring_submit_and_wait(&ring_, 1) < 0 || ::io_uring_peek_cqe(&ring_, &result) != 0) return false;
      seen.returned();
      const int bytes = result->res;
      ::io_uring_cqe_seen(&ring_, result);
      if (bytes <= 0) return false;
      have += static_cast<std::size_t>(bytes);
    }
    return ready_;
  }

 private:
  io_uring ring_{};
  bool ready_ = false;
};

template <class R>
std::unique_ptr<Receiver> make(int socket, std::size_t bytes) {
  return std::make_unique<R>(socket, bytes);
}
struct Way {
  std::string_view model;
  std::unique_ptr<Receiver> (*make)(int socket, std::size_t bytes);
  bool by_low_water = false;
};
constexpr std::array kWays{Way{"blocking", make<Blocking>},     Way{"nonblocking", make<NonBlocking>},
                           Way{"select", make<BySelect>, true}, Way{"poll", make<ByPoll>, true},
                           Way{"epoll", make<ByEpoll>, true},   Way{"sigio", make<BySignal>},
                           Way{"io_uring", make<ByRing>}};

// What the peer sees of the thread just before it sends: does it sleep, and in the call that receives?
struct Sleep {
  int looks = 0;  // that told something
  int asleep = 0;
  int in_receive = 0;

  void look_at(pid_t thread) {
    const auto call = call_asleep_in(thread);
    if (!call) return;
    ++looks;
    asleep += *call != kRuns;
    in_receive += *call == SYS_recvmsg || *call == SYS_recvfrom;
  }
};

// Both clocks of the receiving thread.
struct Clocks {
  std::int64_t ns;
  std::int64_t cpu_ns;
};

// Medians over the messages; what no message has is left out. The CPU time of the second phase lies inside of its time.
class Measured {
 public:
  void add(const Clocks& began, const Clocks& done, const Seen& seen) {
    const auto us = [](std::int64_t ns) { return static_cast<double>(ns) / 1000; };
    wait_us_.push_back(us(seen.arrived_ns - began.ns));
    after_us_.push_back(us(done.ns - seen.arrived_ns));
    calls_.push_back(seen.calls);
    returned_before_data_ += seen.returned_ns < seen.arrived_ns;
    cpu_us_.push_back(us(done.cpu_ns - began.cpu_ns));
    if (!seen.told_ns) return;
    notice_us_.push_back(us(*seen.told_ns - seen.arrived_ns));
    copy_us_.push_back(us(done.ns - *seen.told_ns));
    wait_cpu_us_.push_back(us(seen.told_cpu_ns - began.cpu_ns));
    copy_cpu_us_.push_back(us(done.cpu_ns - seen.told_cpu_ns));
  }
  bool empty() const { return calls_.empty(); }
  Figures figures() const {
    Figures figures{{"phase1_us", median(wait_us_)},
                    {"after_arrival_us", median(after_us_)},
                    {"receive_cpu_us", median(cpu_us_)},
                    {"calls", median(calls_)}};
    figures["returned_before_data_share"] = 1.0 * returned_before_data_ / static_cast<double>(calls_.size());
    if (notice_us_.empty()) return figures;
    figures["notice_us"] = median(notice_us_);
    figures["copy_call_us"] = median(copy_us_);
    figures["wait_cpu_us"] = median(wait_cpu_us_);
    figures["copy_cpu_us"] = median(copy_cpu_us_);
    return figures;
  }

 private:
  std::vector<double> wait_us_, after_us_, cpu_us_, calls_, notice_us_, copy_us_, wait_cpu_us_, copy_cpu_us_;
  int returned_before_data_ = 0;
};

std::expected<Figures, std::string> run(const ProbeSettings& settings) {
  const Probe probe = phases();
  const auto bytes = static_cast<std::size_t>(number(probe, settings, "bytes"));
  const auto pause_ns = number(probe, settings, "pause.ms") * 1'000'000;
  auto pair = connected_pair();
  if (!pair) return std::unexpected(pair.error());
  ask_for_arrival_stamps(pair->near.get());
  const auto way = std::ranges::find(kWays, settings.model, &Way::model);
  wake_at(pair->near.get(), bytes);
  if (!way->by_low_water) wake_at(pair->near.get(), 1);
  const auto end_ns = now_ns() + std::chrono::nanoseconds(settings.length).count();
  // The peer sends when the thread has said that it waits; when the time is over it hangs up instead.
  Sleep sleep;
  auto peer = peer_on(settings.peer_cpu,
                      [far = std::move(pair->far), bytes, pause_ns, end_ns, &sleep, thread = ::gettid()](const auto&) {
                        const std::vector<std::byte> message(bytes);
                        std::byte ready;
                        while (::recv(far.get(), &ready, 1, 0) == 1 && now_ns() < end_ns) {
                          sleep_until_ns(now_ns() + pause_ns);
                          if (pause_ns > 0) sleep.look_at(thread);
                          for (std::size_t sent = 0; sent < bytes;) {
                            const ssize_t some = ::send(far.get(), message.data() + sent, bytes - sent, MSG_NOSIGNAL);
                            if (some < 0) return;
                            sent += static_cast<std::size_t>(some);
                          }
                        }
                        ::shutdown(far.get(), SHUT_RDWR);
                      });
  const auto receiver = way->make(pair->near.get(), bytes);
  Measured measured;
  int number = 0;
  for (;; ++number) {
    if (::send(pair->near.get(), "r", 1, MSG_NOSIGNAL) < 0) break;
    const Clocks began{.ns = now_ns(), .cpu_ns = thread_cpu_ns()};
    Seen seen;
    if (!receiver->receive(seen)) break;
    const auto done_cpu_ns = thread_cpu_ns();
    const Clocks done{.ns = now_ns(), .cpu_ns = done_cpu_ns};
    seen.arrived_ns = receiver->arrived_ns();
    constexpr int kCold = 5;
    if (number >= kCold && seen.whole && seen.arrived_ns != 0) measured.add(began, done, seen);
  }
  ::shutdown(pair->near.get(), SHUT_RDWR);  // it may wait for one more
  peer.join();
  if (measured.empty()) {
    return std::unexpected(
        "of " + std::to_string(number) + " messages that came through " + settings.model +
        " in this time none could be measured (the first five do not count, nor those told of in "
        "part, nor those without the kernel's stamp): try a longer --for or a shorter pause.ms, and see `iolab models` "
        "whether it may run here");
  }
  auto figures = measured.figures();
  if (sleep.looks > 0) {
    figures["asleep_share"] = 1.0 * sleep.asleep / sleep.looks;
    figures["asleep_in_receive_share"] = 1.0 * sleep.in_receive / sleep.looks;
  }
  return figures;
}

}  // namespace

Probe phases() {
  Probe probe{
      .name = "phases",
      .question = "How long did the thread wait for the data, how long did the copy take, and what did each cost?",
      .models = {},
      .keys = {{"pause.ms", "0..1000", "10", "that the peer waits before it sends"},
               {"bytes", "1..1048576", "64", "in one message"}},
      .run = run};
  for (const auto& way : kWays) probe.models.push_back(way.model);
  return probe;
}

}  // namespace iolab::io::probes
