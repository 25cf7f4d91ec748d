// The shortest `blocking-pool` echo server.
#include <thread>
#include <vector>

#include "raw_echo.h"

int main() {
  const int listener = listen_and_say(0);
  std::vector<std::jthread> workers;
  for (int i = 0; i < 16; ++i) {
    workers.emplace_back([listener] {
      for (;;) {
        const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        while (fd >= 0 && echo_once(fd)) continue;
        close(fd);
      }
    });
  }
}
