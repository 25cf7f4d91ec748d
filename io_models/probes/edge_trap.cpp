// What happens if one forgets to drain under EPOLLET?
//
// The peer sends messages that are larger than one read. A loop reads once for each event, or until nothing is left.
//
// What to notice
//   1. Level-triggered: what is left is told again. Reading once for each event is slow, and right.
//   2. Edge-triggered and drained: fewer events, the same bytes.
//   3. Edge-triggered and read once: the rest lies there until the peer sends again. If the peer waits for an answer
//      first, that is never. One line makes the difference. LESSON: edge-must-drain
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <vector>

#include "io_models/probes/all.h"
#include "io_models/probes/peer.h"

namespace iolab::io::probes {
namespace {

constexpr std::size_t kBytesPerRead = 1024;
constexpr std::size_t kMessageBytes = 4 * kBytesPerRead;
constexpr int kPatienceMs = 50;  // no event in this time: the loop is stuck

struct Told {
  int events = 0;
  int reads = 0;
  int timeouts = 0;
  std::size_t bytes = 0;
};

// Until everything has come, or the wait was in vain.
void hear(int epoll, int socket, bool drain, std::size_t expected, Told& told) {
  std::vector<std::byte> room(kBytesPerRead);
  while (told.bytes < expected) {
    epoll_event event;
    if (::epoll_wait(epoll, &event, 1, kPatienceMs) <= 0) {
      ++told.timeouts;
      return;
    }
    ++told.events;
    for (bool more = true; more;) {
      ++told.reads;
      const ssize_t bytes = ::recv(socket, room.data(), room.size(), MSG_DONTWAIT);
      if (bytes > 0) told.bytes += static_cast<std::size_t>(bytes);
      more = drain && bytes > 0;
    }
  }
}

std::expected<Figures, std::string> run(const ProbeSettings& settings) {
  const Probe probe = edge_trap();
  auto pair = connected_pair();
  if (!pair) return std::unexpected(pair.error());
  const auto way = chosen(probe, settings, "way");
  const auto messages = static_cast<int>(number(probe, settings, "messages"));
  const Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
  epoll_event wish{.events = EPOLLIN | (way == "level" ? 0u : static_cast<unsigned>(EPOLLET)), .data = {}};
  ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, pair->near.get(), &wish);
  const std::vector<std::byte> message(kMessageBytes);
  Told told;
  std::int64_t stuck_ns = 0;
  int whole = 0;
  for (int i = 0; i < messages; ++i) {
    const std::size_t before = told.bytes;
    ::send(pair->far.get(), message.data(), message.size(), MSG_NOSIGNAL);
    const auto sent_ns = now_ns();
    hear(epoll.get(), pair->near.get(), way == "edge", before + message.size(), told);
    const bool came = told.bytes >= before + message.size();
    whole += came;
    if (!came) stuck_ns += now_ns() - sent_ns;
  }
  const auto sent = static_cast<double>(messages) * static_cast<double>(kMessageBytes);
  return Figures{{"whole_messages_share", static_cast<double>(whole) / messages},
                 {"bytes_left_share", 1 - static_cast<double>(told.bytes) / sent},
                 {"events_per_message", static_cast<double>(told.events) / messages},
                 {"reads_per_message", static_cast<double>(told.reads) / messages},
                 {"stuck_ms", static_cast<double>(stuck_ns) / 1e6},
                 {"rounds", messages}};
}

}  // namespace

Probe edge_trap() {
  return {.name = "edge-trap",
          .question = "What happens if one forgets to drain under EPOLLET?",
          .models = {},
          .keys = {{"way", "level|edge|edge-read-once", "level", "edge-read-once is wrong on purpose"},
                   {"messages", "1..1000", "20", "that the peer sends, one after the other"}},
          .run = run};
}

}  // namespace iolab::io::probes
