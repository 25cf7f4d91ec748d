// What does accepting a connection cost?
//
// A peer opens connections in bursts. The thread accepts each burst by one of six ways, and when it has all of it the
// peer resets them, so that no port is left in TIME_WAIT. Measured is the accepting alone: the descriptors are kept
// until the clock has stopped. The thread is busy with something else until the burst is there, or waits for it.
//
// What to notice
//   1. A burst that is there already: one order at a time takes a call for each connection, as accept4() does, and is
//      no cheaper. A standing order takes one call for all of them, and so do as many orders as connections.
//   2. For 64 connections that is one call instead of 64, and the CPU falls by less than a quarter: most of it is not
//      the price of calls.
//   3. A connection that comes alone takes a call in any case, and epoll takes three: to wait, to accept, and to be
//      told that there are no more. If it is there already, a standing order saves nothing; if the thread waits for it,
//      a quarter of the CPU: it is among those who wait for the listener, and need not be put there each time.
//   4. A thread that waits is roused while the burst is still coming. A standing order then brings one or two
//      connections for each call, and costs no less than sleeping in accept4(); as many orders as connections cost more
//      than one at a time.
//   5. Whoever asks again and again pays for each EAGAIN: it is the dearest, the more so the longer nobody comes.
#include <liburing.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>

#include "io_models/probes/all.h"
#include "io_models/probes/peer.h"

namespace iolab::io::probes {
namespace {

constexpr std::int64_t kFallenAsleepNs = 100'000;  // more than enough for a thread to get into its waiting call
constexpr int kOtherDescriptors = 64;              // of this process: beside both ends of a burst

class Acceptor {
 public:
  Acceptor(int listener, std::size_t burst) : listener_(listener) { accepted_.reserve(burst); }
  virtual ~Acceptor() = default;
  // Returns when that many have been accepted. False: it cannot be done, and errno says why.
  virtual bool accept(std::size_t how_many) = 0;

  std::int64_t calls() const { return calls_; }
  // A connection that was counted twice would have its descriptor twice.
  std::size_t different_connections() const {
    std::vector<int> numbers;
    for (const auto& socket : accepted_) numbers.push_back(socket.get());
    std::ranges::sort(numbers);
    return numbers.size() - std::ranges::unique(numbers).size();
  }
  void close_all() { accepted_.clear(); }

 protected:
  // One call. False: there is none now (EAGAIN), or never again.
  bool accept_one() {
    ++calls_;
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket >= 0) accepted_.emplace_back(socket);
    return socket >= 0;
  }

  const int listener_;
  std::int64_t calls_ = 0;  // into the kernel
  std::vector<Fd> accepted_;
};

class Blocking final : public Acceptor {
 public:
  using Acceptor::Acceptor;
  bool accept(std::size_t how_many) override {
    while (accepted_.size() < how_many) {
      if (!accept_one()) return false;
    }
    return true;
  }
};

class NonBlocking final : public Acceptor {
 public:
  NonBlocking(int listener, std::size_t burst) : Acceptor(listener, burst) { set_nonblocking(listener, true); }
  bool accept(std::size_t how_many) override {
    while (accepted_.size() < how_many) {
      if (!accept_one() && errno != EAGAIN) return false;
    }
    return true;
  }
};

// Each event is for all that are there: how many, only the EAGAIN says.
class ByEpoll final : public Acceptor {
 public:
  ByEpoll(int listener, std::size_t burst) : Acceptor(listener, burst), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    set_nonblocking(listener, true);
    epoll_event wish{.events = EPOLLIN, .data = {}};
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, listener, &wish);
  }
  bool accept(std::size_t how_many) override {
    while (accepted_.size() < how_many) {
      epoll_event event;
      ++calls_;
      if (::epoll_wait(epoll_.get(), &event, 1, -1) < 0) return false;
      while (accept_one()) continue;
      if (errno != EAGAIN) return false;
    }
    return true;
  }

 private:
  Fd epoll_;
};

enum class Orders : std::uint8_t { one, several, standing };

// The listener stays blocking: an order for which there is no connection yet waits in the kernel. Work is deferred
// (Linux 6.1): what the kernel does for a standing order it does in our call, where our clock sees it.
template <Orders kOrders>
class ByOrders final : public Acceptor {
 public:
  ByOrders(int listener, std::size_t burst) : Acceptor(listener, burst) {
    constexpr unsigned kFlags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
    error_ = -::io_uring_queue_init(static_cast<unsigned>(burst), &ring_, kFlags);  // room for twice as many results
    if (error_ == 0) ::io_uring_register_ring_fd(&ring_);  // as the models do: spares a look-up in each call
  }
  ~ByOrders() override {
    if (error_ == 0) ::io_uring_queue_exit(&ring_);
  }
  bool accept(std::size_t how_many) override {
    while (error_ == 0 && accepted_.size() < how_many) {
      keep_under_way(kOrders == Orders::several ? how_many - accepted_.size() : 1);
      ++calls_;
      error_ = std::max(0, -::io_uring_submit_and_wait(&ring_, 1));
      if (error_ == 0) take_results();
    }
    errno = error_;
    return error_ == 0;
  }

 private:
  void keep_under_way(std::size_t orders) {
    for (; under_way_ < orders; ++under_way_) {
      io_uring_sqe* const order = ::io_uring_get_sqe(&ring_);
      if constexpr (kOrders == Orders::standing) {
        ::io_uring_prep_multishot_accept(order, listener_, nullptr, nullptr, SOCK_CLOEXEC);
      } else {
        ::io_uring_prep_accept(order, listener_, nullptr, nullptr, SOCK_CLOEXEC);
      }
    }
  }
  // Looking at results that are there is no call. Each says whether its order stands.
  void take_results() {
    for (unsigned left = ::io_uring_cq_ready(&ring_); left > 0; --left) {
      io_uring_cqe* result = nullptr;
      ::io_uring_peek_cqe(&ring_, &result);
      if (result->res < 0) error_ = -result->res;
      if (result->res >= 0) accepted_.emplace_back(result->res);
      if ((result->flags & IORING_CQE_F_MORE) == 0) --under_way_;
      ::io_uring_cqe_seen(&ring_, result);
    }
  }

  io_uring ring_{};
  int error_ = 0;
  std::size_t under_way_ = 0;
};

template <class A>
std::unique_ptr<Acceptor> make(int listener, std::size_t burst) {
  return std::make_unique<A>(listener, burst);
}
struct Way {
  std::string_view model;
  std::unique_ptr<Acceptor> (*make)(int listener, std::size_t burst);
};
constexpr std::array kWays{Way{"blocking", make<Blocking>},
                           Way{"nonblocking", make<NonBlocking>},
                           Way{"epoll", make<ByEpoll>},
                           Way{"io_uring", make<ByOrders<Orders::one>>},
                           Way{"io_uring:accept=several", make<ByOrders<Orders::several>>},
                           Way{"io_uring:accept=multishot", make<ByOrders<Orders::standing>>}};

// Where the thread and its peer wait for each other, once in each step of a burst.
class Meeting {
 public:
  Meeting() { ::pthread_barrier_init(&both_, nullptr, 2); }
  ~Meeting() { ::pthread_barrier_destroy(&both_); }
  Meeting(const Meeting&) = delete;
  Meeting& operator=(const Meeting&) = delete;
  void wait() { ::pthread_barrier_wait(&both_); }

  // Written by one of them before it waits, read by the other after.
  bool over = false;
  std::size_t opened = 0;
  std::string trouble;  // of the peer

 private:
  pthread_barrier_t both_;
};

void reset(std::vector<Fd>& connections) {
  constexpr linger kAtOnce{.l_onoff = 1, .l_linger = 0};
  for (const auto& socket : connections) {
    ::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &kAtOnce, sizeof kAtOnce);
  }
  connections.clear();
}

// The peer's part: begin, opened, accepted, gone.
void open_bursts(const Address& address, int listener, std::size_t burst, bool busy, Meeting& meeting) {
  std::vector<Fd> connections;
  for (meeting.wait(); !meeting.over; meeting.wait()) {
    if (!busy) sleep_until_ns(now_ns() + kFallenAsleepNs);
    while (connections.size() < burst && meeting.trouble.empty()) {
      auto socket = connect_to(address);
      if (socket) {
        connections.push_back(std::move(*socket));
      } else {
        meeting.trouble = socket.error();
        ::shutdown(listener, SHUT_RDWR);  // ends every wait for more
      }
    }
    meeting.opened += connections.size();
    meeting.wait();
    meeting.wait();
    reset(connections);
    meeting.wait();
  }
}

struct Told {
  bool failed = false;
  int error = 0;
  std::size_t opened = 0;  // all of these in the bursts that count
  std::size_t accepted = 0;
  std::int64_t calls = 0;
  std::vector<double> cpu_ns;  // of each burst
};

// The thread's part. The first burst finds memory cold and no order standing, and does not count.
Told accept_bursts(Acceptor& acceptor, std::size_t burst, bool busy, std::int64_t end_ns, Meeting& meeting) {
  Told told;
  for (bool counts = false; !told.failed && (!counts || now_ns() < end_ns); counts = true) {
    const auto opened_before = meeting.opened;
    meeting.wait();
    if (busy) meeting.wait();
    const auto calls_before = acceptor.calls();
    const auto cpu_before_ns = thread_cpu_ns();
    told.failed = !acceptor.accept(burst);
    told.error = errno;
    const auto cpu_ns = thread_cpu_ns() - cpu_before_ns;
    if (!busy) meeting.wait();
    if (counts) {
      told.opened += meeting.opened - opened_before;
      told.accepted += acceptor.different_connections();
      told.calls += acceptor.calls() - calls_before;
      told.cpu_ns.push_back(static_cast<double>(cpu_ns));
    }
    meeting.wait();
    meeting.wait();
    acceptor.close_all();
  }
  meeting.over = true;
  meeting.wait();
  return told;
}

// Empty, or why no burst of that size can be.
std::string too_many(std::size_t burst) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max < 2 * burst + kOtherDescriptors) return "too few descriptors for such a burst; raise `ulimit -n`";
  std::size_t longest_queue = burst;
  std::ifstream("/proc/sys/net/core/somaxconn") >> longest_queue;
  if (longest_queue >= burst) return {};
  return "a listener's queue holds fewer connections than such a burst; raise `sysctl net.core.somaxconn`";
}

std::expected<Figures, std::string> run(const ProbeSettings& settings) {
  const Probe probe = accept_storm();
  const auto burst = static_cast<std::size_t>(number(probe, settings, "burst"));
  if (auto reason = too_many(burst); !reason.empty()) return std::unexpected(std::move(reason));
  const auto listening = listen_on({}, 1, static_cast<int>(burst));
  if (!listening) return std::unexpected(listening.error());
  const int listener = listening->sockets.front().get();
  const auto way = std::ranges::find(kWays, settings.model, &Way::model);
  const auto acceptor = way->make(listener, burst);
  const bool busy = chosen(probe, settings, "thread") == "busy";
  Told told;
  Meeting meeting;
  {
    const auto end_ns = now_ns() + std::chrono::nanoseconds(settings.length).count();
    const auto peer = peer_on(settings.peer_cpu, [&](const std::stop_token&) {
      open_bursts(listening->address, listener, burst, busy, meeting);
    });
    told = accept_bursts(*acceptor, burst, busy, end_ns, meeting);
  }
  if (!meeting.trouble.empty()) return std::unexpected(meeting.trouble);
  if (told.failed) {
    return std::unexpected("no connection is accepted by " + settings.model + ": " + std::strerror(told.error) +
                           "; see `iolab models` whether it may run here");
  }
  const auto connections = static_cast<double>(told.accepted);
  // Of the burst in the middle: a few that take far longer would decide the mean.
  return Figures{{"accept_cpu_us", median(told.cpu_ns) / static_cast<double>(burst) / 1000},
                 {"calls_per_connection", static_cast<double>(told.calls) / connections},
                 {"accepted_share", connections / static_cast<double>(told.opened)},
                 {"rounds", static_cast<double>(told.cpu_ns.size())}};
}

}  // namespace

Probe accept_storm() {
  Probe probe{.name = "accept-storm",
              .question = "What does accepting a connection cost?",
              .models = {},
              .keys = {{"burst", "1..1024", "64", "connections that come at once"},
                       {"thread", "busy|waits", "busy", "until the burst is there, or waits for its first connection"}},
              .run = run};
  for (const auto& way : kWays) probe.models.push_back(way.model);
  return probe;
}

}  // namespace iolab::io::probes
