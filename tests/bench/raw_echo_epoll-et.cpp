// The shortest `epoll-et` echo server.
#include <sys/epoll.h>

#include "raw_echo.h"

int main() {
  const int listener = listen_and_say(SOCK_NONBLOCK);
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  const auto watch = [epoll](int fd, std::uint32_t events_of) {
    epoll_event event{};
    event.events = events_of;
    event.data.fd = fd;
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  };
  watch(listener, EPOLLIN);
  for (;;) {
    epoll_event events[256];
    const int ready = epoll_wait(epoll, events, 256, -1);
    for (int i = 0; i < ready; ++i) {
      const int fd = events[i].data.fd;
      if (fd == listener) {
        if (const int accepted = accept_nonblocking(listener); accepted >= 0) watch(accepted, EPOLLIN | EPOLLET);
      } else if (!echo_once(fd)) {  // 64 bytes never fill the buffer: a short read is the end of the edge
        close(fd);
      }
    }
  }
}
