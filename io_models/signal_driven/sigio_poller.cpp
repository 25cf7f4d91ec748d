// Signal-driven I/O: the kernel queues one real-time signal for each change of a socket, and the thread sleeps until it
// takes the next one from the queue.
//
// What to notice
//   1. A signal says "something changed at this descriptor": an edge. What was there before nobody tells, so a new
//      socket is read once unasked.                                          LESSON: signals-tell-changes
//   2. Every change is a signal of its own: a request in three segments rings three times.
//      LESSON: one-signal-per-segment
//   3. The queue is finite and belongs to the user, not to us. When it is full the kernel sends a plain SIGIO instead,
//      which names nobody: empty the queue, then ask everybody.              LESSON: overflow-means-ask-everyone
//   4. A signal names a descriptor, which may have a new owner by now: it is a hint, and whatever ends a connection is
//      verified first.                                                       LESSON: stale-signals-are-hints
//   5. Nothing is handled "asynchronously": the signals stay blocked, and sigtimedwait() takes them in order, in a
//      thread that is doing nothing else. A handler could interrupt us anywhere, and may do next to nothing.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>

#include "io_models/readiness_frontend.h"
#include "io_models/signal_bell.h"
#include "io_models/signals.h"

namespace iolab::io {
namespace {

class SignalPoller {
 public:
  static constexpr Trigger kTrigger = Trigger::edge;
  using Bell = SignalBell;

  SignalPoller(const FrontendSettings&, SignalBell&) : signal_(SIGRTMIN + 1) {
    ::sigemptyset(&signals_);
    for (const int signal : {signal_, SIGIO, wake_signal()}) ::sigaddset(&signals_, signal);
    ::pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  }

  bool add(int fd, ConnectionKey key, Interest) {
    f_owner_ex owner{F_OWNER_TID, ::gettid()};  // this thread, not any thread of the process
    if (sys::fcntl(fd, F_SETSIG, signal_) < 0 ||
        sys::fcntl(fd, F_SETOWN_EX, static_cast<std::int64_t>(reinterpret_cast<std::intptr_t>(&owner))) < 0 ||
        sys::fcntl(fd, F_SETFL, O_NONBLOCK | O_ASYNC) < 0) {
      static std::atomic_flag said = ATOMIC_FLAG_INIT;
      say_once(said, "the kernel refuses to signal for another socket; such connections are closed");
      return false;
    }
    const auto index = static_cast<std::size_t>(fd);
    if (index >= keys_.size()) keys_.resize(index + 1);
    keys_[index] = key;
    unasked_.push_back(key);
    return true;
  }

  void change(int, ConnectionKey, Interest) {}  // an edge costs nothing until it comes

  void remove(int fd) {
    sys::fcntl(fd, F_SETFL, O_NONBLOCK);  // no more signals; those in the queue stay there, as stale hints
    keys_[static_cast<std::size_t>(fd)] = {};
  }

  std::span<const Ready> wait(int timeout_ms) {
    ready_.clear();
    if (!unasked_.empty()) {
      for (const ConnectionKey key : unasked_) ready_.push_back({.key = key, .readable = true, .to_the_end = true});
      unasked_.clear();
      return ready_;
    }
    const timespec time{timeout_ms / 1000, timeout_ms % 1000 * 1'000'000L};
    siginfo_t info{};
    const int signal = sys::rt_sigtimedwait(signals_, info, timeout_ms < 0 ? nullptr : &time);
    if (signal == SIGIO) {
      ask_everybody();
    } else if (signal == signal_ && info.si_code > 0) {  // from the kernel: others can only send codes below
      take(info.si_fd, info.si_band);
    }
    return ready_;
  }

 private:
  void take(int fd, long band) {
    const auto index = static_cast<std::size_t>(fd);
    if (index >= keys_.size() || keys_[index] == ConnectionKey{}) return;
    if ((band & (POLLERR | POLLHUP)) != 0) return ask(fd);
    ready_.push_back({.key = keys_[index], .readable = (band & POLLIN) != 0, .writable = (band & POLLOUT) != 0});
  }

  // poll(2) for one descriptor: is what the signal said true of its present owner?
  void ask(int fd) {
    pollfd entry{fd, POLLIN | POLLOUT, 0};
    const timespec now{};
    if (sys::poll({&entry, 1}, &now) > 0) believe(entry);
  }

  // In this order: what changes after the queue is empty is either seen by poll() or rings again.
  void ask_everybody() {
    count(Count::signal_overflows);
    const timespec now{};
    siginfo_t info{};
    while (sys::rt_sigtimedwait(signals_, info, &now) > 0) {
    }
    entries_.clear();
    for (std::size_t fd = 0; fd < keys_.size(); ++fd) {
      if (keys_[fd] != ConnectionKey{}) entries_.push_back({static_cast<int>(fd), POLLIN | POLLOUT, 0});
    }
    if (sys::poll(entries_, &now) <= 0) return;
    for (const pollfd& entry : entries_) believe(entry);
  }

  void believe(const pollfd& entry) {
    if (entry.revents == 0) return;
    const bool dead = (entry.revents & (POLLERR | POLLHUP)) != 0;
    ready_.push_back({.key = keys_[static_cast<std::size_t>(entry.fd)],
                      .readable = dead || (entry.revents & POLLIN) != 0,
                      .writable = dead || (entry.revents & POLLOUT) != 0,
                      .hung_up = dead,
                      .to_the_end = true});
  }

  const int signal_;
  sigset_t signals_;
  std::vector<ConnectionKey> keys_;  // by descriptor; empty: not watched
  std::vector<ConnectionKey> unasked_;
  std::vector<pollfd> entries_;
  std::vector<Ready> ready_;
};

}  // namespace

MadeFrontend make_sigio(const FrontendSettings& settings) {
  return std::make_unique<ReadinessFrontend<SignalPoller>>(settings);
}

}  // namespace iolab::io
