// Is there an event for each arrival?
//
// Pieces of data arrive one by one at one socket, and nobody reads. The thread looks at its news without waiting: after
// each arrival, or once after all of them. Then it looks as often again, though nothing more has come.
//
// What to notice
//   1. select, poll and epoll tell a state: there is something to read. One look, one event, however much has arrived;
//      and the same again at each further look, as long as nobody reads.
//   2. epoll-et tells of arrivals, but only that there was one since the last look: several merge into one event. Who
//      looks again without a new arrival is told nothing.
//   3. Real-time signals (sigio) tell of every arrival, looked at or not, and of nothing else: they wait in a queue.
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "io_models/probes/all.h"
#include "io_models/probes/peer.h"

namespace iolab::io::probes {
namespace {

constexpr int kSignal = 36;
constexpr std::int64_t kOnItsWayNs = 1'000'000;  // more than enough for a byte over loopback

struct Watched {
  int socket;
  int epoll;
  sigset_t signals;
};

// Each looks once, without waiting, and returns how many events it was told.
int by_select(const Watched& watched) {
  fd_set readers;
  FD_ZERO(&readers);
  FD_SET(watched.socket, &readers);
  timeval at_once{};
  return std::max(0, ::select(watched.socket + 1, &readers, nullptr, nullptr, &at_once));
}
int by_poll(const Watched& watched) {
  pollfd entry{watched.socket, POLLIN, 0};
  return std::max(0, ::poll(&entry, 1, 0));
}
int by_epoll(const Watched& watched) {
  std::array<epoll_event, 64> events;
  return std::max(0, ::epoll_wait(watched.epoll, events.data(), events.size(), 0));
}
int by_signals(const Watched& watched) {
  int told = 0;
  siginfo_t news;
  const timespec at_once{};
  while (::sigtimedwait(&watched.signals, &news, &at_once) == kSignal) ++told;
  return told;
}

struct Way {
  std::string_view model;
  int (*look)(const Watched&);
};
constexpr std::array kWays{Way{"select", by_select}, Way{"poll", by_poll}, Way{"epoll", by_epoll},
                           Way{"epoll-et", by_epoll}, Way{"sigio", by_signals}};

// Said once. select() and poll() are handed the socket with each look instead.
std::expected<void, std::string> watch(const Watched& watched, std::string_view model) {
  if (model == "sigio") {
    ::pthread_sigmask(SIG_BLOCK, &watched.signals, nullptr);
    return ask_for_signals(watched.socket, kSignal);
  }
  epoll_event wish{.events = EPOLLIN | (model == "epoll-et" ? static_cast<unsigned>(EPOLLET) : 0u), .data = {}};
  if (::epoll_ctl(watched.epoll, EPOLL_CTL_ADD, watched.socket, &wish) == 0) return {};
  return std::unexpected(std::string("epoll does not take the socket: ") + std::strerror(errno));
}

std::expected<Figures, std::string> run(const ProbeSettings& settings) {
  const Probe probe = event_per_arrival();
  const auto pair = connected_pair();
  if (!pair) return std::unexpected(pair.error());
  const auto in_a_row = static_cast<int>(number(probe, settings, "arrivals"));
  const bool after_each = chosen(probe, settings, "look") == "after-each";
  const auto way = std::ranges::find(kWays, settings.model, &Way::model);
  const Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
  Watched watched{.socket = pair->near.get(), .epoll = epoll.get(), .signals = {}};
  sigemptyset(&watched.signals);
  sigaddset(&watched.signals, kSignal);
  if (auto told = watch(watched, way->model); !told) return std::unexpected(told.error());

  int arrivals = 0, events = 0, without_arrival = 0;
  const auto end_ns = now_ns() + std::chrono::nanoseconds(settings.length).count();
  do {
    for (int i = 0; i < in_a_row; ++i) {
      ::send(pair->far.get(), "x", 1, MSG_NOSIGNAL);
      sleep_until_ns(now_ns() + kOnItsWayNs);
      if (after_each) events += way->look(watched);
    }
    if (!after_each) events += way->look(watched);
    for (int i = 0; i < in_a_row; ++i) without_arrival += way->look(watched);
    arrivals += in_a_row;
    std::array<char, 64> room;
    while (::recv(watched.socket, room.data(), room.size(), MSG_DONTWAIT) > 0) continue;
  } while (now_ns() < end_ns);
  return Figures{{"events_per_arrival", 1.0 * events / arrivals},
                 {"events_without_arrival", 1.0 * without_arrival / arrivals},
                 {"rounds", 1.0 * arrivals / in_a_row}};
}

}  // namespace

Probe event_per_arrival() {
  Probe probe{.name = "event-per-arrival",
              .question = "Is there an event for each arrival?",
              .models = {},
              .keys = {{"arrivals", "1..64", "10", "one after the other, before anything is read"},
                       {"look", "after-all|after-each", "after-all", "when the thread looks at its news"}},
              .run = run};
  for (const auto& way : kWays) probe.models.push_back(way.model);
  return probe;
}

}  // namespace iolab::io::probes
