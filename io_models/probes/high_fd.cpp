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

constexpr int kWaitsAtOnce = 100;  // between two looks at the clock

struct Watched {
  std::vector<int> sockets;
  int highest = 0;
  int epoll = -1;
};

// Each waits once, with data there, and returns how many were ready; -1 and errno: the call failed.
int by_select(const Watched& watched) {
  fd_set readers;
  FD_ZERO(&readers);
  for (const int socket : watched.sockets) FD_SET(socket, &readers);
  return ::select(watched.highest + 1, &readers, nullptr, nullptr, nullptr);
}
int by_poll(const Watched& watched) {
  std::array<pollfd, 64> entries;
  for (std::size_t i = 0; i < watched.sockets.size(); ++i) entries[i] = {watched.sockets[i], POLLIN, 0};
  return ::poll(entries.data(), watched.sockets.size(), -1);
}
int by_epoll(const Watched& watched) {
  std::array<epoll_event, 64> events;
  return ::epoll_wait(watched.epoll, events.data(), events.size(), -1);
}

struct Way {
  std::string_view model;
  int (*wait)(const Watched&);
};
constexpr std::array kWays{Way{"select", by_select}, Way{"poll", by_poll}, Way{"epoll", by_epoll}};

std::unexpected<std::string> failed(const std::string& what) {
  return std::unexpected(what + ": " + std::strerror(errno));
}

std::string no_descriptor_from(int first, const rlimit& limit) {
  return "no descriptor numbered " + std::to_string(first) + " or higher: " + std::strerror(errno) +
         "; this process may have " + std::to_string(limit.rlim_cur) +
         " descriptors: raise that (`ulimit -Hn`), or take a lower --set first";
}

std::expected<Figures, std::string> run(const ProbeSettings& settings) {
  const Probe probe = high_fd();
  const auto count = static_cast<int>(number(probe, settings, "sockets"));
  const auto first = static_cast<int>(number(probe, settings, "first"));
  if (settings.model == "select" && first + count > FD_SETSIZE) {
    return std::unexpected("select() cannot watch a descriptor above 1023: FD_SETSIZE is 1024");
  }
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return failed("the limit of descriptors is not known");
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return failed("the limit of descriptors cannot be raised");
  auto pairs = connected_pairs(count);
  if (!pairs) return std::unexpected(pairs.error());
  const Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return failed("no epoll");
  Watched watched{.sockets = {}, .highest = 0, .epoll = epoll.get()};
  std::vector<Fd> high;
  for (const auto& pair : *pairs) {
    Fd copy(::fcntl(pair.near.get(), F_DUPFD_CLOEXEC, first));
    if (!copy) return std::unexpected(no_descriptor_from(first, limit));
    watched.sockets.push_back(copy.get());
    watched.highest = std::max(watched.highest, copy.get());
    epoll_event wish{.events = EPOLLIN, .data = {}};
    if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, copy.get(), &wish) != 0) return failed("epoll does not take a socket");
    high.push_back(std::move(copy));
  }
  // Never read: one is always ready.
  if (::send(pairs->front().far.get(), "x", 1, MSG_NOSIGNAL) != 1) return failed("the peer cannot send");
  const auto way = std::ranges::find(kWays, settings.model, &Way::model);
  const auto end_ns = now_ns() + std::chrono::nanoseconds(settings.length).count();
  const auto cpu_before = thread_cpu_ns();
  std::int64_t waits = 0;
  do {
    for (int i = 0; i < kWaitsAtOnce; ++i) {
      if (way->wait(watched) <= 0) return failed(settings.model + " did not tell of data that was there");
    }
    waits += kWaitsAtOnce;
  } while (now_ns() < end_ns);
  const auto used_ns = static_cast<double>(thread_cpu_ns() - cpu_before);
  return Figures{{"wait_us", used_ns / static_cast<double>(waits) / 1000},
                 {"highest_descriptor", static_cast<double>(watched.highest)},
                 {"rounds", static_cast<double>(waits)}};
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
