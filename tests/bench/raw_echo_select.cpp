// The shortest `select` echo server.
#include <sys/select.h>

#include <algorithm>

#include "raw_echo.h"

int main() {
  const int listener = listen_and_say(SOCK_NONBLOCK);
  fd_set all;
  FD_ZERO(&all);
  FD_SET(listener, &all);
  int highest = listener;
  for (;;) {
    fd_set readable = all;
    int left = select(highest + 1, &readable, nullptr, nullptr, nullptr);
    for (int fd = 0; left > 0; ++fd) {
      if (!FD_ISSET(fd, &readable)) continue;
      --left;
      if (fd == listener) {
        const int accepted = accept_nonblocking(listener);
        if (accepted < 0) continue;
        FD_SET(accepted, &all);
        highest = std::max(highest, accepted);
      } else if (!echo_once(fd)) {
        FD_CLR(fd, &all);
        close(fd);
      }
    }
  }
}
