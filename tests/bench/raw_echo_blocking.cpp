// The shortest `blocking` echo server.
#include <thread>

#include "raw_echo.h"

int main() {
  const int listener = listen_and_say(0);
  for (;;) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    std::thread([fd] {
      while (echo_once(fd)) continue;
      close(fd);
    }).detach();
  }
}
