// A fixed number of threads, each of which accepts a connection and serves it to its end before it accepts the next.
//
// What to notice
//   1. Threads are made once; no connection costs one. So no more connections than threads are served.
//      LESSON: pool-bounds-connections
//   2. The next one waits in the listen backlog, connected and ignored, until some other one leaves: head-of-line
//      blocking, not seen by any counter here. All that can be said without asking the kernel: every thread is taken.
//      LESSON: pool-head-of-line
//   3. All threads sleep in accept() of one socket. The kernel wakes one of them for each connection, and a busy thread
//      has no queue of its own in which a connection could be stuck.
#include <atomic>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "io_models/admission.h"
#include "io_models/blocking/conversation.h"
#include "io_models/counters.h"
#include "io_models/frontends.h"
#include "io_models/socket.h"
#include "io_models/system_calls.h"

namespace iolab::io {
namespace {

class ThreadPool final : public Frontend {
 public:
  static constexpr int kDefaultThreads = 16;

  explicit ThreadPool(const FrontendSettings& settings) : settings_(settings) {}

  void serve(std::span<const int> listeners, Host& host, std::stop_token stop) override {
    Admission admission(settings_.limits);
    Conversations conversations(host, settings_.limits);
    for (const int listener : listeners) {
      set_nonblocking(listener, false);
      set_no_delay(listener);
    }
    const std::stop_callback on_stop(stop, [&] {
      for (const int listener : listeners) sys::shutdown(listener, SHUT_RDWR);
      conversations.stop();
    });

    const auto workers = static_cast<std::size_t>(settings_.threads > 0 ? settings_.threads : kDefaultThreads);
    std::atomic<std::size_t> pool = workers;  // as many as could be started
    std::atomic<std::size_t> taken = 0;
    const auto work = [&](std::size_t number) {
      const CountedThread counted("worker " + std::to_string(number));
      const int listener = listeners[number % listeners.size()];
      while (Fd socket = accept_next(listener, admission, stop)) {
        if (taken.fetch_add(1, std::memory_order_relaxed) + 1 == pool.load(std::memory_order_relaxed)) say_full(pool);
        conversations.hold(std::move(socket));
        taken.fetch_sub(1, std::memory_order_relaxed);
        admission.leave();
      }
    };
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < workers; ++i) {
      try {
        others.emplace_back(work, i);
      } catch (const std::system_error&) {
        pool = i;  // not reached yet by `taken`: this thread serves last
        static std::atomic_flag said = ATOMIC_FLAG_INIT;
        say_once(said, "the pool has only " + std::to_string(i) + " of its " + std::to_string(workers) +
                           " threads: see `ulimit -u`, kernel.threads-max and pids.max of the cgroup");
        break;
      }
    }
    work(0);
  }

 private:
  static void say_full(std::size_t threads) {
    static std::atomic_flag said = ATOMIC_FLAG_INIT;
    say_once(said, "all " + std::to_string(threads) +
                       " threads serve a connection; further ones wait in the listen backlog until one of these ends; "
                       "raise --threads to serve more at once");
  }

  const FrontendSettings settings_;
};

}  // namespace

MadeFrontend make_blocking_pool(const FrontendSettings& settings) {
  return std::make_unique<ThreadPool>(settings);
}

}  // namespace iolab::io
