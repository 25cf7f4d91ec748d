// The shortest `poll` echo server.
#include <poll.h>

#include <vector>

#include "raw_echo.h"

int main() {
  const int listener = listen_and_say(SOCK_NONBLOCK);
  std::vector<pollfd> entries{{listener, POLLIN, 0}};
  for (;;) {
    int left = poll(entries.data(), entries.size(), -1);
    for (std::size_t i = 0; left > 0 && i < entries.size(); ++i) {
      if (entries[i].revents == 0) continue;
      --left;
      if (i == 0) {
        if (const int fd = accept_nonblocking(listener); fd >= 0) entries.push_back({fd, POLLIN, 0});
      } else if (!echo_once(entries[i].fd)) {
        close(entries[i].fd);
        entries[i--] = entries.back();
        entries.pop_back();
      }
    }
  }
}
