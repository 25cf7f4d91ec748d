#include "clients/protocol_client.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>

#include "broker/protocol/messages/18_api_versions.h"

namespace iolab::clients {
namespace {

using protocol::ApiVersionsRequest;
using protocol::ApiVersionsResponse;
using protocol::ErrorCode;

constexpr std::int32_t kLongestAnswer = 512 << 20;
constexpr Nanoseconds kLookForInterrupt = 200 * kMillisecond;

// A name becomes the first address it stands for, IPv4 if there is one: that is where brokers listen by default.
Result<std::string> numeric_host(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &found); error != 0) {
    return std::unexpected(fmt::format("cannot find the host '{}': {}", host, ::gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> keep(found, &::freeaddrinfo);
  const addrinfo* best = found;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    if (each->ai_family == AF_INET) {
      best = each;
      break;
    }
  }
  char text[NI_MAXHOST] = "";
  ::getnameinfo(best->ai_addr, best->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST);
  return std::string(text);
}

}  // namespace

Result<HostAndPort> host_and_port(const std::string& text) {
  const std::string first = text.substr(0, text.find(','));
  const auto colon = first.rfind(':');
  const auto wrong = [&] {
    return std::unexpected(fmt::format("'{}' is no broker's address: write HOST:PORT, such as 127.0.0.1:9092", first));
  };
  if (colon == std::string::npos || colon == 0) return wrong();
  std::string host = first.substr(0, colon);
  if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  std::uint16_t port = 0;
  const char* end = first.data() + first.size();
  const auto [stopped, error] = std::from_chars(first.data() + colon + 1, end, port);
  if (error != std::errc{} || stopped != end || port == 0) return wrong();
  return HostAndPort{std::move(host), port};
}

Result<io::Address> bootstrap_address(const std::string& text) {
  const auto named = host_and_port(text);
  if (!named) return std::unexpected(named.error());
  auto numeric = numeric_host(named->host);
  if (!numeric) return std::unexpected(numeric.error());
  return io::Address{*numeric, named->port};
}

ProtocolClient::ProtocolClient(io::Fd fd, io::Address address, ClientSettings settings)
    : fd_(std::move(fd)), address_(std::move(address)), settings_(std::move(settings)) {}

Result<ProtocolClient> ProtocolClient::connect(const io::Address& address, ClientSettings settings) {
  auto fd = io::connect_to(address);
  if (!fd) return std::unexpected(fmt::format("{} (`iolab broker` starts a broker)", fd.error()));
  io::set_nonblocking(fd->get(), true);
  ProtocolClient client(std::move(*fd), address, std::move(settings));
  if (const auto negotiated = client.negotiate(); !negotiated) return std::unexpected(negotiated.error());
  return client;
}

std::string ProtocolClient::peer() const {
  return fmt::format("{}:{}", address_.host, address_.port);
}

// Version 3 first, as clients do. A broker that does not know it answers in version 0 with the error
// UNSUPPORTED_VERSION, whatever was asked; then version 0 it is.
Result<void> ProtocolClient::negotiate() {
  constexpr std::int16_t kPreferred = 3;
  ApiVersionsResponse versions;
  for (const std::int16_t version : {kPreferred, std::int16_t{0}}) {
    out_.clear();
    const ApiVersionsRequest request{.client_software_name = "iolab", .client_software_version = "1"};
    if (!protocol::write_request(out_, 0, version, settings_.client_id, request)) {
      return std::unexpected(cannot_be_written(ApiVersionsRequest::kApi));
    }
    if (const auto sent = send_frame(); !sent) return sent;
    const auto frame = receive_frame();
    if (!frame) return std::unexpected(frame.error());
    constexpr std::size_t kErrorAt = 4;
    const bool refused =
        frame->size() >= kErrorAt + 2 && base::load_big_endian<std::int16_t>(frame->data() + kErrorAt) ==
                                             static_cast<std::int16_t>(ErrorCode::unsupported_version);
    if (refused && version != 0) continue;
    const auto response = protocol::read_response<ApiVersionsResponse>(*frame, version);
    if (!response) return std::unexpected(cannot_be_read(ApiVersionsResponse::kApi, response.error()));
    versions = response->message;
    break;
  }
  if (versions.error_code != ErrorCode::none) {
    return std::unexpected(
        fmt::format("{} does not say which versions it speaks: {}", peer(), protocol::name(versions.error_code)));
  }
  for (const auto& range : versions.api_keys) {
    constexpr std::int16_t kMostKeys = 1000;
    if (range.api_key < 0 || range.api_key > kMostKeys) continue;
    const auto key = static_cast<std::size_t>(range.api_key);
    if (versions_.size() <= key) versions_.resize(key + 1);
    versions_[key] = {range.min_version, range.max_version};
  }
  return {};
}

Result<std::int16_t> ProtocolClient::version_for(const protocol::Api& api) const {
  const auto key = static_cast<std::size_t>(api.key);
  const auto theirs = key < versions_.size() ? versions_[key] : VersionRange{};
  const auto version = std::min(api.last, theirs.last);
  if (version >= api.first && version >= theirs.first) return version;
  if (theirs.last < 0) return std::unexpected(fmt::format("{} does not offer {}", peer(), api.name));
  return std::unexpected(fmt::format("{} speaks {} in versions {} to {}, this client in {} to {}: none in common",
                                     peer(), api.name, theirs.first, theirs.last, api.first, api.last));
}

Result<void> ProtocolClient::wait_for(short events, Nanoseconds deadline, const char* what) {
  for (;;) {
    if (settings_.interrupted != nullptr && settings_.interrupted->load(std::memory_order_relaxed)) {
      return std::unexpected(Failure("interrupted"));
    }
    const Nanoseconds left = deadline - monotonic_ns();
    if (left <= 0) {
      return std::unexpected(fmt::format("{} within {} ms: {} is busy, stopped, or no Kafka broker", what,
                                         settings_.timeout.count(), peer()));
    }
    pollfd waiting{fd_.get(), events, 0};
    const auto wait_ms = static_cast<int>(std::min(left, kLookForInterrupt) / kMillisecond) + 1;
    if (::poll(&waiting, 1, wait_ms) > 0) return {};
  }
}

Result<void> ProtocolClient::send_frame() {
  const Nanoseconds deadline = monotonic_ns() + std::chrono::nanoseconds(settings_.timeout).count();
  Result<void> result;
  out_.for_each_piece(0, [&](base::Bytes piece) {
    while (result && !piece.empty()) {
      const ssize_t sent = ::send(fd_.get(), piece.data(), piece.size(), MSG_NOSIGNAL);
      if (sent >= 0) {
        piece = piece.subspan(static_cast<std::size_t>(sent));
      } else if (errno == EAGAIN || errno == EINTR) {
        result = wait_for(POLLOUT, deadline, "the request was not taken");
      } else {
        result = std::unexpected(fmt::format("cannot send to {}: {}", peer(), std::strerror(errno)));
      }
    }
  });
  return result;
}

Result<void> ProtocolClient::receive_exactly(std::span<std::byte> room) {
  const Nanoseconds deadline = monotonic_ns() + std::chrono::nanoseconds(settings_.timeout).count();
  while (!room.empty()) {
    const ssize_t got = ::recv(fd_.get(), room.data(), room.size(), 0);
    if (got > 0) {
      room = room.subspan(static_cast<std::size_t>(got));
    } else if (got == 0) {
      return std::unexpected(fmt::format(
          "{} closed the connection instead of answering: it refuses the request, or is going down (its log says)",
          peer()));
    } else if (errno == EAGAIN || errno == EINTR) {
      if (const auto waited = wait_for(POLLIN, deadline, "no answer"); !waited) return waited;
    } else {
      return std::unexpected(fmt::format("cannot receive from {}: {}", peer(), std::strerror(errno)));
    }
  }
  return {};
}

Result<base::Bytes> ProtocolClient::receive_frame() {
  std::array<std::byte, protocol::kFrameSizeBytes> prefix;
  if (const auto got = receive_exactly(prefix); !got) return std::unexpected(got.error());
  const auto size = base::load_big_endian<std::int32_t>(prefix.data());
  if (size < 4 || size > kLongestAnswer) {
    return std::unexpected(fmt::format("{} sent a frame of {} bytes: it is no Kafka broker", peer(), size));
  }
  // Grown as bytes arrive, not on the word of a length.
  constexpr std::size_t kStep = 4 << 20;
  const auto whole = static_cast<std::size_t>(size);
  for (std::size_t have = 0; have < whole;) {
    const auto next = std::min(have + kStep, whole);
    if (in_.size() < next) in_.resize(next);
    if (const auto got = receive_exactly(std::span(in_).subspan(have, next - have)); !got) {
      return std::unexpected(got.error());
    }
    have = next;
  }
  return base::Bytes(in_).first(whole);
}

bool ProtocolClient::answer_is_there() const {
  pollfd waiting{fd_.get(), POLLIN, 0};
  return ::poll(&waiting, 1, 0) > 0;
}

ProtocolClient::Outstanding ProtocolClient::take_outstanding() {
  if (outstanding_.empty()) return {-1, 0};
  const auto first = outstanding_.front();
  outstanding_.pop_front();
  return first;
}

Failure ProtocolClient::cannot_be_written(const protocol::Api& api) const {
  return fmt::format("a {} request for {} cannot be written: a text in it is longer than the protocol allows", api.name,
                     peer());
}

Failure ProtocolClient::cannot_be_read(const protocol::Api& api, const protocol::DecodeFault& fault) const {
  return fmt::format("{} sent a damaged {} answer: {}", peer(), api.name, fault.sentence());
}

Failure ProtocolClient::out_of_order(const protocol::Api& api, std::int32_t expected, std::int32_t got) const {
  return fmt::format("{} sent a {} answer to request {}, when {} was due", peer(), api.name, got, expected);
}

}  // namespace iolab::clients
