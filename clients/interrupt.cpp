#include "clients/interrupt.h"

#include <signal.h>

namespace iolab::clients {
namespace {

std::atomic<bool> has_been_interrupted = false;
static_assert(std::atomic<bool>::is_always_lock_free, "it is written by a signal handler");

void note(int signal_number) {
  has_been_interrupted.store(true, std::memory_order_relaxed);
  ::signal(signal_number, SIG_DFL);
}

}  // namespace

const std::atomic<bool>& interrupted() {
  static const bool installed = [] {
    struct sigaction action{};
    action.sa_handler = note;
    for (const int signal_number : {SIGINT, SIGTERM}) ::sigaction(signal_number, &action, nullptr);
    return true;
  }();
  static_cast<void>(installed);
  return has_been_interrupted;
}

}  // namespace iolab::clients
