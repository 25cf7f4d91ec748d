// The cheapest server that can answer a load: one thread, epoll, answers that were written beforehand. It parses no
// more of a request than its length and its correlation id. What a client reaches against it is the client's own
// ceiling, or this server's, whichever CPU is busy first.
//
// Its sends block: it may only be used with a client that always receives, as the load generator does.
#pragma once

#include <atomic>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "clients/load.h"
#include "io_models/socket.h"

namespace iolab::clients {

class CannedServer {
 public:
  // Listens on a port of loopback; the thread runs until the object goes. `cpu` negative: anywhere.
  static std::expected<std::unique_ptr<CannedServer>, std::string> start(const LoadSpec& spec, int cpu);
  ~CannedServer();
  CannedServer(const CannedServer&) = delete;
  CannedServer& operator=(const CannedServer&) = delete;

  const io::Address& address() const { return address_; }

 private:
  struct Connection {
    io::Fd fd;
    std::vector<std::byte> head;      // what has come of a request's first twelve bytes
    std::size_t skip_bytes = 0;       // of the request whose head has been seen
    std::int64_t answers = 0;         // what the next base offset follows from
    std::int32_t correlation_id = 0;  // of the request being skipped
    std::int16_t api_key = 0;
  };

  explicit CannedServer(const LoadSpec& spec);
  void serve(int cpu);
  void accept_one();
  bool receive(Connection& connection);  // false: the connection is over
  bool take_requests(Connection& connection, std::span<const std::byte> bytes);
  bool answer(Connection& connection);

  LoadSpec spec_;
  std::vector<std::byte> answer_;           // produce: patched; fetch: its first bytes are
  std::vector<std::byte> versions_answer_;  // to the probe
  std::vector<std::byte> buffer_;
  io::Fd listener_;
  io::Fd epoll_;
  io::Fd stop_;
  io::Address address_;
  std::vector<std::unique_ptr<Connection>> connections_;  // by descriptor
  std::jthread thread_;
};

}  // namespace iolab::clients
