// Ten bytes are wanted, eight are there: what does a read do?
//
// The peer sends eight bytes, and two more after a pause. The textbook's notes say that a blocking read waits for all
// ten, and that a non-blocking one takes eight and later two. The first does if it is told to; by itself it takes what
// is there.
//
// What to notice
//   1. A plain recv() returns with the eight, on a blocking socket like on any other.
//   2. MSG_WAITALL waits for the rest inside the kernel, a loop in the program: the same wait, one call or two.
//   3. SO_RCVLOWAT moves the border of "readable": a blocking recv() and epoll honour it, MSG_DONTWAIT does not care.
//   4. A recv() under SO_RCVLOWAT that found the eight has taken them, and then sleeps until ten *more* could be read:
//      the last two do not wake it. Set while recv() sleeps, with nothing there yet, the same option works: all ten
//      lie in the socket together.
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <functional>

#include "io_models/probes/all.h"
#include "io_models/probes/peer.h"

namespace iolab::io::probes {
namespace {

constexpr std::size_t kWanted = 10;
constexpr std::size_t kFirst = 8;
constexpr int kLimitMs = 1000;  // a read that has not returned by then hangs

struct Reader {
  int socket;
  std::array<std::byte, kWanted> room{};
  int calls = 0;

  ssize_t receive(std::size_t have, int flags) {
    ++calls;
    return ::recv(socket, room.data() + have, room.size() - have, flags);
  }
};

void set_low_water(int socket, int bytes) {
  ::setsockopt(socket, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes);
}

void until_readable(int socket) {
  pollfd entry{socket, POLLIN, 0};
  ::poll(&entry, 1, kLimitMs);
}

// Each returns what its first successful read brought, with eight bytes there from the beginning.
ssize_t plain(Reader& reader) {
  return reader.receive(0, 0);
}
ssize_t wait_all(Reader& reader) {
  return reader.receive(0, MSG_WAITALL);
}
ssize_t in_a_loop(Reader& reader) {
  std::size_t have = 0;
  while (have < kWanted) {
    const ssize_t bytes = reader.receive(have, 0);
    if (bytes <= 0) return bytes;
    have += static_cast<std::size_t>(bytes);
  }
  return static_cast<ssize_t>(have);
}
ssize_t low_water(Reader& reader) {
  set_low_water(reader.socket, kWanted);
  return reader.receive(0, 0);
}
ssize_t dont_wait(Reader& reader) {
  set_low_water(reader.socket, kWanted);
  return reader.receive(0, MSG_DONTWAIT);
}
ssize_t nonblocking(Reader& reader) {
  set_nonblocking(reader.socket, true);
  return reader.receive(0, 0);
}
ssize_t epoll_low_water(Reader& reader) {
  set_low_water(reader.socket, kWanted);
  const Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
  epoll_event wish{.events = EPOLLIN, .data = {}};
  ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, reader.socket, &wish);
  epoll_event event;
  if (::epoll_wait(epoll.get(), &event, 1, kLimitMs) <= 0) return -EAGAIN;
  return reader.receive(0, MSG_DONTWAIT);
}

struct Way {
  std::string_view name;
  ssize_t (*read)(Reader&);
  bool before_the_eight = false;  // it sleeps already when SO_RCVLOWAT is set and the eight bytes are sent
};
constexpr std::array kWays{Way{"recv", plain},
                           Way{"MSG_WAITALL", wait_all},
                           Way{"loop", in_a_loop},
                           Way{"SO_RCVLOWAT", low_water},
                           Way{"SO_RCVLOWAT-while-sleeping", plain, true},
                           Way{"MSG_DONTWAIT", dont_wait},
                           Way{"O_NONBLOCK", nonblocking},
                           Way{"epoll+SO_RCVLOWAT", epoll_low_water}};

std::expected<Figures, std::string> run(const ProbeSettings& settings) {
  const Probe probe = short_reads();
  auto pair = connected_pair();
  if (!pair) return std::unexpected(pair.error());
  const auto pause_ns = number(probe, settings, "pause.ms") * 1'000'000;
  const auto way = std::ranges::find(kWays, chosen(probe, settings, "way"), &Way::name);
  const std::array<std::byte, kWanted> message{};
  if (!way->before_the_eight) {
    ::send(pair->far.get(), message.data(), kFirst, MSG_NOSIGNAL);
    until_readable(pair->near.get());
  }
  const auto began = now_ns();
  const auto peer = peer_on(settings.peer_cpu, [&ends = *pair, way, began, pause_ns, &message](const auto&) {
    auto two_at_ns = began + pause_ns;
    if (way->before_the_eight) {
      sleep_until_ns(two_at_ns);
      set_low_water(ends.near.get(), kWanted);
      ::send(ends.far.get(), message.data(), kFirst, MSG_NOSIGNAL);
      two_at_ns += pause_ns;
    }
    sleep_until_ns(two_at_ns);
    ::send(ends.far.get(), message.data() + kFirst, kWanted - kFirst, MSG_NOSIGNAL);
    sleep_until_ns(began + kLimitMs * 1'000'000L);
    ::shutdown(ends.far.get(), SHUT_WR);  // frees a read that hangs
  });
  Reader reader{.socket = pair->near.get()};
  const ssize_t first = way->read(reader);
  const auto first_ns = now_ns() - began;
  // The rest, however the first part was read.
  auto have = first > 0 ? static_cast<std::size_t>(first) : 0;
  ssize_t second = 0;  // bytes of the next read
  set_low_water(reader.socket, 1);
  while (have < kWanted) {
    until_readable(reader.socket);
    const ssize_t bytes = reader.receive(have, MSG_DONTWAIT);
    if (bytes <= 0) break;
    if (second == 0) second = bytes;
    have += static_cast<std::size_t>(bytes);
  }
  return Figures{{"first_bytes", static_cast<double>(first)},
                 {"second_bytes", static_cast<double>(second)},
                 {"first_after_ms", static_cast<double>(first_ns) / 1e6},
                 {"whole_after_ms", static_cast<double>(now_ns() - began) / 1e6},
                 {"calls", static_cast<double>(reader.calls)},
                 {"rounds", 1}};
}

}  // namespace

Probe short_reads() {
  return {.name = "short-reads",
          .question = "Ten bytes are wanted, eight are there: what does a read do?",
          .models = {},
          .keys = {{"way",
                    "recv|MSG_WAITALL|loop|SO_RCVLOWAT|SO_RCVLOWAT-while-sleeping|MSG_DONTWAIT|O_NONBLOCK|"
                    "epoll+SO_RCVLOWAT",
                    "recv", "how the ten bytes are read"},
                   {"pause.ms", "1..400", "50", "between the eight bytes and the two"}},
          .run = run};
}

}  // namespace iolab::io::probes
