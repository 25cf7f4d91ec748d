// Is it the number of descriptors that costs, or their numbers?
//
// Ten sockets are watched; one at a time has data. Their descriptor numbers lie low, or high. What does one wait cost?
//
// What to notice
//   1. select() is handed bits for every number up to the highest; poll() is handed a list, epoll_wait() nothing.
//   2. Those bits are 125 bytes for 1,000 numbers. Whether that can be told from chance is the question, not the
//   answer.
//   3. Above 1023 there is no select() at all: an fd_set has no bit for it.
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "io_models/probes/all.h"
#include "io_models/probes/peer.h"

namespace iolab::io::probes {
namespace {

struct Watched {
  std::vector<int> sockets;
  int highest = 0;
  int epoll = -1;
};

// Each waits once, with data there, and returns whether something was ready.
bool by_select(const Watched& watched) {
  fd_set readers;
  FD_ZERO(&readers);
  for (const int socket : watched.sockets) FD_SET(socket, &readers);
  return ::select(watched.highest + 1, &readers, nullptr, nullptr, nullptr) > 0;
}
bool by_poll(const Watched& watched) {
  std::array<pollfd, 64> entries;
  for (std::size_t i = 0; i < watched.sockets.size(); ++i) entries[i] = {watched.sockets[i], POLLIN, 0};
  return ::poll(entries.data(), watched.sockets.size(), -1) > 0;
}
bool by_epoll(const Watched& watched) {
  std::array<epoll_event, 64> events;
  return ::epoll_wait(watched.epoll, events.data(), events.size(), -1) > 0;
}

struct Way {
  std::string_view model;
  bool (*wait)(const Watched&);
};
constexpr std::array kWays{Way{"select", by_select}, Way{"poll", by_poll}, Way{"epoll", by_epoll}};

std::expected<Figures, std::string> run(const ProbeSettings& settings) {
  const Probe probe = high_fd();
  const auto count = static_cast<int>(number(probe, settings, "sockets"));
  const auto first = static_cast<int>(number(probe, settings, "first"));
  if (settings.model == "select" && first + count > FD_SETSIZE) {
    return std::unexpected("select() cannot watch a descriptor above 1023: FD_SETSIZE is 1024");
  }
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  auto pairs = connected_pairs(count);
  if (!pairs) return std::unexpected(pairs.error());
  const Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
  Watched watched{.sockets = {}, .highest = 0, .epoll = epoll.get()};
  std::vector<Fd> high;
  for (const auto& pair : *pairs) {
    Fd copy(::fcntl(pair.near.get(), F_DUPFD_CLOEXEC, first));
    if (!copy) return std::unexpected(std::string("no descriptor so high: ") + std::strerror(errno));
    watched.sockets.push_back(copy.get());
    watched.highest = std::max(watched.highest, copy.get());
    epoll_event wish{.events = EPOLLIN, .data = {}};
    ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, copy.get(), &wish);
    high.push_back(std::move(copy));
  }
  ::send(pairs->front().far.get(), "x", 1, MSG_NOSIGNAL);  // never read: one is always ready
  const auto way = std::ranges::find(kWays, settings.model, &Way::model);
  const auto end_ns = now_ns() + std::chrono::nanoseconds(settings.length).count();
  const auto cpu_before = thread_cpu_ns();
  std::int64_t waits = 0;
  for (bool ready = true; ready && now_ns() < end_ns; ++waits) {
    for (int i = 0; i < 100 && ready; ++i) ready = way->wait(watched);
  }
  const auto used_ns = static_cast<double>(thread_cpu_ns() - cpu_before);
  return Figures{{"wait_us", used_ns / static_cast<double>(waits * 100) / 1000},
                 {"highest_descriptor", static_cast<double>(watched.highest)},
                 {"rounds", static_cast<double>(waits * 100)}};
}

}  // namespace

Probe high_fd() {
  return {.name = "high-fd",
          .question = "Is it the number of descriptors that costs, or their numbers?",
          .models = {"select", "poll", "epoll"},
          .keys = {{"sockets", "1..64", "10", "that are watched"},
                   {"first", "10..19000", "10", "lowest that their descriptor numbers may be; free ones are taken"}},
          .run = run};
}

}  // namespace iolab::io::probes
