// A thread for each connection: it sleeps inside recv() until the kernel has copied the bytes to it.
//
// What to notice
//   1. The code of a connection reads from top to bottom (conversation.cpp); its state is a stack.
//      LESSON: blocking-stack-is-state
//   2. Each wait is a sleep of its own, and each wake-up a context switch: nothing is batched.
//      LESSON: blocking-one-switch-per-wait
//   3. An idle connection costs a thread: about 14 KB of our memory, and a stack of 16 KiB in the kernel
//      (scripts/bench, idle-memory).
//   4. Somebody must wake the sleepers to stop them: shutdown() does, close() does not.
#include <array>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "io_models/admission.h"
#include "io_models/blocking/conversation.h"
#include "io_models/blocking/ending_threads.h"
#include "io_models/counters.h"
#include "io_models/frontends.h"
#include "io_models/socket.h"
#include "io_models/system_calls.h"

namespace iolab::io {
namespace {

class ThreadPerConnection final : public Frontend {
 public:
  explicit ThreadPerConnection(const FrontendSettings& settings) : settings_(settings) {}

  void serve(std::span<const int> listeners, Host& host, std::stop_token stop) override {
    Admission admission(
        settings_.limits, CounterPage::kBlocks - 100,
        "each needs a thread, and the counter page has room for " + std::to_string(CounterPage::kBlocks));
    Conversations conversations(host, settings_.limits);
    EndingThreads threads;
    for (const int listener : listeners) {
      set_nonblocking(listener, false);
      set_no_delay(listener);
    }
    const std::stop_callback on_stop(stop, [&] {
      for (const int listener : listeners) sys::shutdown(listener, SHUT_RDWR);
      conversations.stop();
    });

    const std::size_t acceptors = settings_.threads > 0 ? static_cast<std::size_t>(settings_.threads) : 1;
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < acceptors; ++i) {
      try {
        others.emplace_back(
            [&, i] { accept_all(i, listeners[i % listeners.size()], admission, conversations, threads, stop); });
      } catch (const std::system_error& error) {
        give_up(std::string("cannot start an accepting thread: ") + error.what() + "; ask for fewer --threads");
      }
    }
    accept_all(0, listeners[0], admission, conversations, threads, stop);
    others.clear();  // joined, before the connections' threads are waited for: an acceptor may start one until it ends
  }

 private:
  static void accept_all(std::size_t number, int listener, Admission& admission, Conversations& conversations,
                         EndingThreads& threads, const std::stop_token& stop) {
    const CountedThread counted("accept " + std::to_string(number));
    while (Fd socket = accept_next(listener, admission, stop)) {
      const int fd = socket.get();
      const bool started = threads.start([fd, &admission, &conversations] {
        const CountedThread counted_connection("connection");
        conversations.hold(Fd(fd));
        admission.leave();
      });
      if (started) {
        socket.release();
        continue;
      }
      static std::atomic_flag said = ATOMIC_FLAG_INIT;
      say_once(said,
               "no thread for another connection: see `ulimit -u`, kernel.threads-max and pids.max of the "
               "cgroup; such connections are closed");
      count(Count::connections_refused);
      admission.leave();
    }
  }

  const FrontendSettings settings_;
};

}  // namespace

MadeFrontend make_blocking(const FrontendSettings& settings) {
  return std::make_unique<ThreadPerConnection>(settings);
}

}  // namespace iolab::io
