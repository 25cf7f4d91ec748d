#include "tests/io_models/contract_client.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace iolab::io::contract {
namespace {

constexpr int kDeadlineMs = static_cast<int>(std::chrono::milliseconds(kDeadline).count());

void wait_for(int fd, short events, std::string_view what) {
  pollfd entry{fd, events, 0};
  if (::poll(&entry, 1, kDeadlineMs) == 0)
    throw std::runtime_error("no progress before the deadline: " + std::string(what));
}

}  // namespace

Client::Client(const Address& address) {
  auto connected = connect_to(address);
  if (!connected) throw std::runtime_error(connected.error());
  socket_ = std::move(*connected);
}

void Client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    wait_for(socket_.get(), POLLOUT, "sending");
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EAGAIN) continue;
    if (sent < 0) throw std::runtime_error(std::string("sending: ") + std::strerror(errno));
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::size_t Client::receive_some(char* room, std::size_t bytes, std::string_view what) {
  wait_for(socket_.get(), POLLIN, what);
  const ssize_t received = ::recv(socket_.get(), room, bytes, 0);
  if (received >= 0) return static_cast<std::size_t>(received);
  if (errno != ECONNRESET && errno != EPIPE)
    throw std::runtime_error(std::string("receiving: ") + std::strerror(errno));
  reset_ = true;
  return 0;
}

std::string Client::receive(std::size_t bytes) {
  std::string received(bytes, '\0');
  for (std::size_t at = 0; at < bytes;) {
    const std::size_t some = receive_some(received.data() + at, bytes - at, "receiving");
    if (some == 0)
      throw std::runtime_error("the server ended the connection after " + std::to_string(at) + " of " +
                               std::to_string(bytes) + " bytes" + (reset_ ? " (reset)" : ""));
    at += some;
  }
  return received;
}

std::string Client::receive_answer() {
  std::uint32_t length = 0;
  const std::string head = receive(sizeof length);
  std::memcpy(&length, head.data(), sizeof length);
  return receive(length);
}

std::string Client::ask(Letter letter, std::string_view body) {
  send(request(letter, body));
  return receive_answer();
}

bool Client::silent(int window_ms) {
  pollfd entry{socket_.get(), POLLIN, 0};
  return ::poll(&entry, 1, window_ms) == 0;
}

std::size_t Client::discard_until_end() {
  std::string room(64 * 1024, '\0');
  for (std::size_t total = 0;;) {
    const std::size_t some = receive_some(room.data(), room.size(), "waiting for the end of the connection");
    if (some == 0) return total;
    total += some;
  }
}

std::size_t Client::unread() {
  int bytes = 0;
  ::ioctl(socket_.get(), FIONREAD, &bytes);
  return static_cast<std::size_t>(bytes);
}

void Client::half_close() {
  ::shutdown(socket_.get(), SHUT_WR);
}

void Client::reset() {
  const linger at_once{1, 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

void wait_a_moment() {
  ::poll(nullptr, 0, 2);
}

}  // namespace iolab::io::contract
