// Descriptors that close themselves, and listening sockets: the part of socket programming that no model differs in.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <utility>
#include <vector>

namespace iolab::io {

class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd();
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_;
};

struct Address {
  std::string host = "127.0.0.1";  // numeric IPv4 or IPv6
  std::uint16_t port = 0;          // 0: the kernel chooses
};

struct ListeningSockets {
  std::vector<Fd> sockets;  // blocking, close-on-exec; with SO_REUSEPORT if there are several
  Address address;          // with the port that was chosen
};

// The error is a sentence: what could not be bound, why, and what to do.
std::expected<ListeningSockets, std::string> listen_on(const Address& address, int how_many, int backlog);
std::expected<Fd, std::string> connect_to(const Address& address);  // blocking, TCP_NODELAY

void set_nonblocking(int fd, bool on);
void set_no_delay(int fd);  // every socket of every model: or Nagle and delayed acknowledgements are what is measured

}  // namespace iolab::io
