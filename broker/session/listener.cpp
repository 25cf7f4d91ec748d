#include "broker/session/listener.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <charconv>

namespace iolab::session {
namespace {

constexpr std::string_view kScheme = "PLAINTEXT://";

bool is_ipv6(const std::string& host) {
  in6_addr address{};
  return inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

bool is_numeric(const std::string& host) {
  in_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1 || is_ipv6(host);
}

}  // namespace

std::string Listener::text() const {
  return is_ipv6(host) ? fmt::format("{}[{}]:{}", kScheme, host, port) : fmt::format("{}{}:{}", kScheme, host, port);
}

bool Listener::is_loopback() const {
  return host.starts_with("127.") || host == "::1";
}

std::expected<Listener, std::string> parse_listener(std::string_view property, std::string_view text,
                                                    bool may_be_name) {
  const auto wrong = [&](std::string_view why) {
    return std::unexpected(fmt::format("{}={}: {}; write for example PLAINTEXT://127.0.0.1:9092", property, text, why));
  };
  if (text.contains(',')) return wrong("one listener is possible");
  if (!text.starts_with(kScheme)) return wrong("only PLAINTEXT:// is spoken");
  std::string_view rest = text.substr(kScheme.size());
  const std::size_t colon = rest.rfind(':');
  if (colon == std::string_view::npos) return wrong("the port is missing");
  Listener listener;
  const std::string_view port = rest.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), listener.port);
  if (error != std::errc{} || end != port.data() + port.size()) return wrong("the port is not a number up to 65535");
  std::string_view host = rest.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  listener.host = host.empty() ? "0.0.0.0" : host == "localhost" && !may_be_name ? "127.0.0.1" : std::string(host);
  if (!may_be_name && !is_numeric(listener.host)) return wrong("the address to listen on is not a number");
  return listener;
}

}  // namespace iolab::session
