#include "io_models/arrival_stamp.h"

#include <linux/net_tstamp.h>

#include <cstring>
#include <limits>

namespace iolab::io {
namespace {

std::int64_t now_ns(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

// How far the two clocks are apart. A thread that lost its CPU between the readings reads again.
std::int64_t realtime_minus_monotonic_ns() {
  constexpr std::int64_t kTogether = 2'000;
  std::int64_t closest = std::numeric_limits<std::int64_t>::max();
  std::int64_t apart = 0;
  for (int attempt = 0; attempt < 3 && closest > kTogether; ++attempt) {
    const std::int64_t before = now_ns(CLOCK_MONOTONIC);
    const std::int64_t realtime = now_ns(CLOCK_REALTIME);
    const std::int64_t after = now_ns(CLOCK_MONOTONIC);
    if (after - before >= closest) continue;
    closest = after - before;
    apart = realtime - (before + after) / 2;
  }
  return apart;
}

}  // namespace

void ask_for_arrival_stamps(int socket) {
  const int wish = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
  ::setsockopt(socket, SOL_SOCKET, SO_TIMESTAMPING, &wish, sizeof wish);
}

msghdr& StampedMessage::prepared_for(std::span<std::byte> room) {
  piece_ = {room.data(), room.size()};
  header_ = {};
  header_.msg_iov = &piece_;
  header_.msg_iovlen = 1;
  header_.msg_control = control_.data();
  header_.msg_controllen = control_.size();
  return header_;
}

std::int64_t StampedMessage::arrived_ns() const {
  return arrival_ns(header_);
}

std::int64_t arrival_ns(const msghdr& received) {
  msghdr& header = const_cast<msghdr&>(received);  // CMSG_NXTHDR only reads
  for (cmsghdr* message = CMSG_FIRSTHDR(&header); message != nullptr; message = CMSG_NXTHDR(&header, message)) {
    if (const std::int64_t stamp = arrival_ns(*message); stamp != 0) return stamp;
  }
  return 0;
}

std::int64_t arrival_ns(const cmsghdr& message) {
  if (message.cmsg_level != SOL_SOCKET || message.cmsg_type != SCM_TIMESTAMPING) return 0;
  timespec stamp{};  // the first of three: taken by software; the others are a network card's
  std::memcpy(&stamp, CMSG_DATA(&message), sizeof stamp);
  if (stamp.tv_sec == 0) return 0;
  return std::int64_t{stamp.tv_sec} * 1'000'000'000 + stamp.tv_nsec - realtime_minus_monotonic_ns();
}

}  // namespace iolab::io
