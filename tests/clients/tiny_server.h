// A server for tests that misbehaves on order: one thread, one poll(), and a function that says what to do with each
// piece of bytes that arrives. Runs until the object goes.
#pragma once

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "io_models/socket.h"

namespace iolab::clients {

struct Reaction {
  std::vector<std::byte> answer{};
  bool close = false;
  bool read_no_more = false;           // from this connection, which stays open
  std::chrono::milliseconds stall{0};  // before the answer: nobody is served for so long
};

class TinyServer {
 public:
  // `connection` counts accepted connections from 0.
  using Behaviour = std::function<Reaction(int connection, std::span<const std::byte> bytes)>;

  explicit TinyServer(Behaviour behaviour) : behaviour_(std::move(behaviour)), stop_(::eventfd(0, EFD_CLOEXEC)) {
    auto listening = io::listen_on({}, 1, 512).value();
    address_ = listening.address;
    listener_ = std::move(listening.sockets.front());
    thread_ = std::jthread([this] { serve(); });
  }
  ~TinyServer() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(stop_.get(), &one, sizeof one);
    thread_.join();
  }
  TinyServer(const TinyServer&) = delete;
  TinyServer& operator=(const TinyServer&) = delete;

  const io::Address& address() const { return address_; }

  static Reaction echo(int, std::span<const std::byte> bytes) { return {.answer = {bytes.begin(), bytes.end()}}; }

 private:
  void serve() {
    std::vector<pollfd> watched{{stop_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
    std::vector<io::Fd> connections;
    for (;;) {
      ::poll(watched.data(), watched.size(), -1);
      if (watched[0].revents != 0) return;
      for (std::size_t i = 2; i < watched.size(); ++i) {
        if (watched[i].revents == 0) continue;
        const auto after = serve(connections[i - 2].get(), static_cast<int>(i - 2));
        if (after == After::close) connections[i - 2] = io::Fd();
        if (after != After::go_on) watched[i].fd = -1;
      }
      if (watched[1].revents != 0) {
        connections.emplace_back(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        watched.push_back({connections.back().get(), POLLIN, 0});
      }
    }
  }

  enum class After : std::uint8_t { go_on, read_no_more, close };

  After serve(int fd, int connection) {
    std::vector<std::byte> bytes(64 * 1024);
    const auto got = ::recv(fd, bytes.data(), bytes.size(), 0);
    if (got <= 0) return After::close;
    const auto reaction = behaviour_(connection, std::span(bytes).first(static_cast<std::size_t>(got)));
    if (reaction.stall.count() > 0) ::poll(nullptr, 0, static_cast<int>(reaction.stall.count()));
    const auto& answer = reaction.answer;
    const bool sent = answer.empty() || ::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL) >= 0;
    if (!sent || reaction.close) return After::close;
    return reaction.read_no_more ? After::read_no_more : After::go_on;
  }

  Behaviour behaviour_;
  io::Fd stop_;
  io::Fd listener_;
  io::Address address_;
  std::jthread thread_;
};

}  // namespace iolab::clients
