// A blocking Kafka client: one connection, one request, one answer. For people's commands, for tests, and for what a
// load needs before and after it runs; never for what is measured.
//
// Not thread-safe. Records in an answer are views into the client's buffer and hold until its next receive.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "broker/base/gather_buffer.h"
#include "broker/protocol/frame.h"
#include "clients/clock.h"
#include "io_models/socket.h"

namespace iolab::clients {

// One sentence: what, where, why, and what to do if there is something to do.
using Failure = std::string;
template <class T>
using Result = std::expected<T, Failure>;

struct HostAndPort {
  std::string host;  // a name, or an address without brackets
  std::uint16_t port = 0;
};
// "HOST:PORT", the first one if several are separated by commas. IPv6 in brackets.
Result<HostAndPort> host_and_port(const std::string& text);
// The same, with the name resolved.
Result<io::Address> bootstrap_address(const std::string& text);

struct ClientSettings {
  std::string client_id = "iolab";
  std::chrono::milliseconds timeout{30'000};       // for one answer
  const std::atomic<bool>* interrupted = nullptr;  // looked at while waiting
};

class ProtocolClient {
 public:
  // Connects and asks which versions the broker speaks.
  static Result<ProtocolClient> connect(const io::Address& address, ClientSettings settings = {});

  const io::Address& address() const { return address_; }

  template <protocol::Struct Response, protocol::Struct Request>
  Result<Response> call(const Request& request) {
    const auto sent = send(request);
    if (!sent) return std::unexpected(sent.error());
    return receive<Response>();
  }

  // Several requests may be on their way; answers come in the same order. `answered` is false for the one request that
  // is not: Produce with acks=0. After an error on the connection, connect again.
  template <protocol::Struct Request>
  Result<void> send(const Request& request, bool answered = true) {
    const auto version = version_for(Request::kApi);
    if (!version) return std::unexpected(version.error());
    out_.clear();
    if (!protocol::write_request(out_, next_correlation_id_, *version, settings_.client_id, request)) {
      return std::unexpected(cannot_be_written(Request::kApi));
    }
    const auto sent = send_frame();
    if (sent && answered) outstanding_.push_back({next_correlation_id_, *version});
    ++next_correlation_id_;
    return sent;
  }

  template <protocol::Struct Response>
  Result<Response> receive() {
    const auto frame = receive_frame();
    if (!frame) return std::unexpected(frame.error());
    const auto expected = take_outstanding();
    auto response = protocol::read_response<Response>(*frame, expected.version);
    if (!response) return std::unexpected(cannot_be_read(Response::kApi, response.error()));
    if (response->correlation_id != expected.correlation_id) {
      return std::unexpected(out_of_order(Response::kApi, expected.correlation_id, response->correlation_id));
    }
    return std::move(response->message);
  }

  std::size_t outstanding() const { return outstanding_.size(); }
  // The newest version that both sides speak.
  Result<std::int16_t> version_for(const protocol::Api& api) const;
  // True if an answer has begun to arrive, so that receive() will not wait long.
  bool answer_is_there() const;

 private:
  struct Outstanding {
    std::int32_t correlation_id = 0;
    std::int16_t version = 0;
  };
  struct VersionRange {
    std::int16_t first = 0, last = -1;
  };

  ProtocolClient(io::Fd fd, io::Address address, ClientSettings settings);

  Result<void> negotiate();
  Result<void> send_frame();
  Result<base::Bytes> receive_frame();
  Result<void> receive_exactly(std::span<std::byte> room);
  Result<void> wait_for(short events, Nanoseconds deadline, const char* what);
  Outstanding take_outstanding();
  Failure cannot_be_written(const protocol::Api& api) const;
  Failure cannot_be_read(const protocol::Api& api, const protocol::DecodeFault& fault) const;
  Failure out_of_order(const protocol::Api& api, std::int32_t expected, std::int32_t got) const;
  std::string peer() const;

  io::Fd fd_;
  io::Address address_;
  ClientSettings settings_;
  std::vector<VersionRange> versions_;  // indexed by API key; empty ranges are not spoken
  base::GatherBuffer out_;
  std::vector<std::byte> in_;
  std::deque<Outstanding> outstanding_;
  std::int32_t next_correlation_id_ = 1;
};

}  // namespace iolab::clients
