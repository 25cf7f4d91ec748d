#include "experiments/machine/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>

namespace iolab::lab {
namespace {

std::atomic<int> signals_seen{0};
static_assert(std::atomic<int>::is_always_lock_free);

extern "C" void note_signal(int) {
  constexpr int kInterrupted = 130;
  if (signals_seen.fetch_add(1) > 0) _exit(kInterrupted);  // children die with us (PR_SET_PDEATHSIG)
}

void handle(void (*handler)(int)) {
  struct sigaction action{};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

}  // namespace

InterruptScope::InterruptScope() {
  signals_seen = 0;
  handle(note_signal);
}

InterruptScope::~InterruptScope() {
  handle(SIG_DFL);
}

bool interrupted() {
  return signals_seen.load() > 0;
}

}  // namespace iolab::lab
