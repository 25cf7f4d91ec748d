// The shortest `sigio` echo server.
#include <fcntl.h>
#include <signal.h>

#include "raw_echo.h"

int main() {
  const int signal_number = SIGRTMIN + 1;
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, signal_number);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  const auto arm = [signal_number](int fd) {
    f_owner_ex owner{F_OWNER_TID, gettid()};
    fcntl(fd, F_SETSIG, signal_number);
    fcntl(fd, F_SETOWN_EX, &owner);
    fcntl(fd, F_SETFL, O_NONBLOCK | O_ASYNC);
  };
  const int listener = listen_and_say(SOCK_NONBLOCK);
  arm(listener);
  for (;;) {
    siginfo_t info;
    if (sigwaitinfo(&signals, &info) < 0) continue;
    if (info.si_fd == listener) {
      for (int fd; (fd = accept_nonblocking(listener)) >= 0;) {
        arm(fd);
        echo_once(fd);  // what came before it was armed
      }
    } else if (!echo_once(info.si_fd)) {
      close(info.si_fd);
    }
  }
}
