#include "io_models/socket.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "io_models/system_calls.h"

namespace iolab::io {
namespace {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t bytes = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

std::string text_of(const Address& address) {
  const bool six = address.host.find(':') != std::string::npos;
  return (six ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

std::expected<SocketAddress, std::string> resolve(const Address& address) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found) != 0) {
    return std::unexpected("'" + address.host + "' is not a numeric IPv4 or IPv6 address; write for example 127.0.0.1");
  }
  SocketAddress resolved;
  std::memcpy(&resolved.storage, found->ai_addr, found->ai_addrlen);
  resolved.bytes = found->ai_addrlen;
  ::freeaddrinfo(found);
  return resolved;
}

std::string remedy(int error) {
  switch (error) {
    case EADDRINUSE: return "stop the program that listens there, or choose another port (0: the kernel chooses)";
    case EADDRNOTAVAIL: return "choose an address of this machine, for example 127.0.0.1";
    case EACCES: return "choose a port from 1024 up, or run with the right to bind lower ones";
    case EMFILE: return "raise `ulimit -n`";
    case ECONNREFUSED: return "start the server, or check the port";
    default: return "see the cause";
  }
}

std::unexpected<std::string> failure(const std::string& what, const Address& address, int error) {
  return std::unexpected("cannot " + what + " " + text_of(address) + ": " + std::strerror(error) + "; " +
                         remedy(error));
}

void enable(int fd, int level, int option) {
  const int on = 1;
  sys::setsockopt(fd, level, option, &on, sizeof on);
}

// Bound, and listening if `backlog` is not 0; errno says why it is not.
Fd bound_socket(const SocketAddress& address, bool share_port, int backlog) {
  Fd fd(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return fd;
  enable(fd.get(), SOL_SOCKET, SO_REUSEADDR);
  if (share_port) enable(fd.get(), SOL_SOCKET, SO_REUSEPORT);
  set_no_delay(fd.get());  // Linux hands it on to every accepted socket: one call, not one per connection
  if (::bind(fd.get(), address.get(), address.bytes) != 0) return Fd();
  if (backlog > 0 && ::listen(fd.get(), backlog) != 0) return Fd();
  return fd;
}

std::uint16_t port_of(int fd) {
  sockaddr_storage storage{};
  socklen_t bytes = sizeof storage;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &bytes);
  return ntohs(storage.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&storage)->sin6_port
                                             : reinterpret_cast<sockaddr_in*>(&storage)->sin_port);
}

}  // namespace

Fd::~Fd() {
  if (fd_ >= 0) sys::close(fd_);
}

std::expected<ListeningSockets, std::string> listen_on(const Address& address, int how_many, int backlog) {
  ListeningSockets listening{{}, address};
  // SO_REUSEPORT would let a second server of the same user slip in and take half of the connections. A socket without
  // it is refused while anybody listens there: ask with one first.
  if (how_many > 1 && address.port != 0) {
    auto wanted = resolve(address);
    if (!wanted) return std::unexpected(wanted.error());
    if (!bound_socket(*wanted, false, 0)) return failure("listen on", address, errno);
  }
  for (int i = 0; i < how_many; ++i) {
    auto wanted = resolve(listening.address);
    if (!wanted) return std::unexpected(wanted.error());
    Fd fd = bound_socket(*wanted, how_many > 1, backlog);
    if (!fd) return failure("listen on", listening.address, errno);
    listening.address.port = port_of(fd.get());
    listening.sockets.push_back(std::move(fd));
  }
  return listening;
}

std::expected<Fd, std::string> connect_to(const Address& address) {
  auto wanted = resolve(address);
  if (!wanted) return std::unexpected(wanted.error());
  Fd fd(::socket(wanted->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return failure("connect to", address, errno);
  set_no_delay(fd.get());
  int result = 0;
  do {
    result = ::connect(fd.get(), wanted->get(), wanted->bytes);
  } while (result != 0 && errno == EINTR);
  if (result != 0) return failure("connect to", address, errno);
  return fd;
}

void set_nonblocking(int fd, bool on) {
  const int flags = sys::fcntl(fd, F_GETFL, 0);
  sys::fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}

void set_no_delay(int fd) {
  enable(fd, IPPROTO_TCP, TCP_NODELAY);
}

}  // namespace iolab::io
