#include "io_models/signals.h"

#include <signal.h>

namespace iolab::io {

void block_model_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGIO);
  ::sigaddset(&signals, wake_signal());
  for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) ::sigaddset(&signals, signal);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

int wake_signal() {
  return SIGURG;
}

}  // namespace iolab::io
