// Kafka's notation for where to listen and where to connect: PLAINTEXT://address:port.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace iolab::session {

struct Listener {
  std::string host;  // numeric; "0.0.0.0" or "::" for all addresses
  std::uint16_t port = 0;

  std::string text() const;  // "PLAINTEXT://127.0.0.1:9092"
  bool is_loopback() const;
  bool is_any() const { return host == "0.0.0.0" || host == "::"; }
};

// `property` is named in the error, which is one sentence. A host name is only allowed where clients resolve it.
std::expected<Listener, std::string> parse_listener(std::string_view property, std::string_view text, bool may_be_name);

}  // namespace iolab::session
