// The shortest `nonblocking` echo server.
#include <vector>

#include "raw_echo.h"

int main() {
  const int listener = listen_and_say(SOCK_NONBLOCK);
  std::vector<int> connections;
  for (;;) {
    if (const int fd = accept_nonblocking(listener); fd >= 0) connections.push_back(fd);
    for (std::size_t i = 0; i < connections.size();) {
      if (echo_once(connections[i])) {
        ++i;
        continue;
      }
      close(connections[i]);
      connections[i] = connections.back();
      connections.pop_back();
    }
  }
}
