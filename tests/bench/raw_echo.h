// What the shortest echo servers share: a listening socket with the same options as everybody's, and one echo. They are
// yardsticks: no short write, no slow reader, no lost answer and no limit is handled, and none may be used as a server.
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

inline void must(bool ok, const char* what) {
  if (ok) return;
  std::perror(what);
  std::exit(1);
}

inline int listen_and_say(int flags) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
  const int on = 1;
  setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // accepted sockets inherit it
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  must(bind(listener, reinterpret_cast<sockaddr*>(&address), length) == 0, "bind");
  must(listen(listener, 512) == 0, "listen");
  must(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length) == 0, "getsockname");
  std::printf("listening %d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  return listener;
}

inline int accept_nonblocking(int listener) {
  return accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

// One recv and, if something came, one send. False: the connection is over.
inline bool echo_once(int fd) {
  static thread_local char buffer[16 * 1024];
  const ssize_t bytes = recv(fd, buffer, sizeof buffer, 0);
  if (bytes > 0) return send(fd, buffer, static_cast<size_t>(bytes), MSG_NOSIGNAL) == bytes;
  return bytes < 0 && errno == EAGAIN;
}
