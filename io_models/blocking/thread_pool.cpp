// A fixed number of threads, each of which accepts a connection and serves it to its end before it accepts the next.
//
// What to notice
//   1. Threads are made once; no connection costs one. So no more connections than threads are served. LESSON:
//   pool-bounds-connections
//   2. The next one waits in the listen backlog, connected and ignored, until some other one leaves: head-of-line
//      blocking, not seen by any counter here.                                                LESSON: pool-head-of-line
//   3. All threads sleep in accept() of one socket. The kernel wakes one of them for each connection, and a busy thread
//      has no queue of its own in which a connection could be stuck.
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

    const auto work = [&](std::size_t number) {
      const CountedThread counted("worker " + std::to_string(number));
      const int listener = listeners[number % listeners.size()];
      while (Fd socket = accept_next(listener, admission, stop)) {
        conversations.hold(std::move(socket));
        admission.leave();
      }
    };
    const auto workers = static_cast<std::size_t>(settings_.threads > 0 ? settings_.threads : kDefaultThreads);
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < workers; ++i) {
      try {
        others.emplace_back(work, i);
      } catch (const std::system_error&) {
        static std::atomic_flag said = ATOMIC_FLAG_INIT;
        say_once(said, "the pool has only " + std::to_string(i) + " of its " + std::to_string(workers) +
                           " threads: see `ulimit -u`, kernel.threads-max and pids.max of the cgroup");
        break;
      }
    }
    work(0);
  }

 private:
  const FrontendSettings settings_;
};

}  // namespace

MadeFrontend make_blocking_pool(const FrontendSettings& settings) {
  return std::make_unique<ThreadPool>(settings);
}

}  // namespace iolab::io
