// Can one thread serve several services and protocols at once?
//
// Service A listens on TCP and sends back what it gets, and does so on UDP as well; service B listens on another port
// and sends back the next byte. A peer keeps a connection to A, and asks in turn: on that connection, on a new one, by
// a datagram, and B. It waits 20 ms for each answer.
//
// What to notice
//   1. A blocking thread is asleep in one call for one socket: it serves the connection that came first, and nobody
//      else. It would take a thread for each of the sources.
//   2. select, poll and epoll wait for all of them in one call. What kind of socket it is matters only afterwards.
//      LESSON: one-wait-for-all
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <vector>

#include "io_models/probes/all.h"
#include "io_models/probes/peer.h"

namespace iolab::io::probes {
namespace {

constexpr int kPatienceMs = 20;
constexpr int kTurns = 100;  // also the length of the queue in front of a listener: nobody is turned away

enum class Service : std::uint8_t { same_byte, next_byte };

// What one thread serves: by descriptor. A and B listen, UDP is one socket, a connection has the service of its
// listener.
class Sources {
 public:
  Sources(int a, int b, int udp) : a_(a), b_(b), udp_(udp), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    for (const int socket : all()) put_on_epolls_list(socket);
  }

  // False: A has been shut down, and with it the day is over.
  bool serve(int socket) {
    if (socket == a_) return accept(a_, Service::same_byte) || errno == EAGAIN;
    if (socket == b_) {
      accept(b_, Service::next_byte);
    } else if (socket == udp_) {
      answer_datagram();
    } else {
      answer(socket);
    }
    return true;
  }
  // As a sequential program does: the next connection of A when this one has ended.
  void serve_one_after_another() {
    while (accept(a_, Service::same_byte)) {
      while (!connections_.empty()) answer(connections_.begin()->first);
    }
  }
  std::vector<int> all() const {
    std::vector<int> list{a_, b_, udp_};
    for (const auto& [socket, connection] : connections_) list.push_back(socket);
    return list;
  }
  int epoll() const { return epoll_.get(); }

 private:
  struct Connection {
    Fd socket;
    Service service;
  };

  bool accept(int listener, Service service) {
    Fd socket(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    if (!socket) return false;
    const int number = socket.get();
    put_on_epolls_list(number);
    connections_.emplace(number, Connection{std::move(socket), service});
    return true;
  }
  // Once for each socket; the close of its last descriptor takes it off. select and poll are handed theirs each time.
  void put_on_epolls_list(int socket) const {
    epoll_event wish{.events = EPOLLIN, .data = {.fd = socket}};
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket, &wish);
  }
  void answer(int socket) {
    std::uint8_t byte = 0;
    const auto connection = connections_.find(socket);
    if (::recv(socket, &byte, 1, 0) <= 0) {
      connections_.erase(connection);  // the peer has hung up
      return;
    }
    if (connection->second.service == Service::next_byte) ++byte;
    ::send(socket, &byte, 1, MSG_NOSIGNAL);
  }
  void answer_datagram() const {
    sockaddr_in from{};
    socklen_t from_bytes = sizeof from;
    std::uint8_t byte = 0;
    auto* const address = reinterpret_cast<sockaddr*>(&from);
    if (::recvfrom(udp_, &byte, 1, MSG_DONTWAIT, address, &from_bytes) != 1) return;
    ::sendto(udp_, &byte, 1, 0, address, from_bytes);
  }

  int a_, b_, udp_;
  Fd epoll_;
  std::map<int, Connection> connections_;
};

// Each waits once, for all of them, and returns who is ready.
std::vector<int> by_select(const Sources& sources) {
  const auto sockets = sources.all();
  fd_set readers;
  FD_ZERO(&readers);
  for (const int socket : sockets) FD_SET(socket, &readers);
  ::select(std::ranges::max(sockets) + 1, &readers, nullptr, nullptr, nullptr);
  std::vector<int> ready;
  std::ranges::copy_if(sockets, std::back_inserter(ready), [&](int socket) { return FD_ISSET(socket, &readers); });
  return ready;
}
std::vector<int> by_poll(const Sources& sources) {
  std::vector<pollfd> entries;
  for (const int socket : sources.all()) entries.push_back({socket, POLLIN, 0});
  ::poll(entries.data(), entries.size(), -1);
  std::vector<int> ready;
  for (const auto& entry : entries) {
    if (entry.revents != 0) ready.push_back(entry.fd);
  }
  return ready;
}
std::vector<int> by_epoll(const Sources& sources) {
  std::array<epoll_event, 64> events;
  const int count = ::epoll_wait(sources.epoll(), events.data(), events.size(), -1);
  std::vector<int> ready;
  for (int i = 0; i < count; ++i) ready.push_back(events[static_cast<std::size_t>(i)].data.fd);
  return ready;
}

struct Way {
  std::string_view model;
  std::vector<int> (*wait)(const Sources&);  // nullptr: one after another
};
constexpr std::array kWays{Way{"blocking", nullptr}, Way{"select", by_select}, Way{"poll", by_poll},
                           Way{"epoll", by_epoll}};

int serve(Sources& sources, const Way& way) {
  int waits = 0;
  if (way.wait == nullptr) {
    sources.serve_one_after_another();
    return waits;
  }
  for (bool open = true; open;) {
    ++waits;
    for (const int socket : way.wait(sources)) open = sources.serve(socket) && open;
  }
  return waits;
}

struct Asked {
  std::array<int, 4> asked{};  // on the old connection of A, on a new one, by UDP, of B
  std::array<int, 4> answered{};
};

bool gets(int socket, std::uint8_t question, std::uint8_t expected) {
  if (::send(socket, &question, 1, MSG_NOSIGNAL) != 1) return false;
  pollfd answer{socket, POLLIN, 0};
  std::uint8_t byte = 0;
  return ::poll(&answer, 1, kPatienceMs) > 0 && ::recv(socket, &byte, 1, MSG_DONTWAIT) == 1 && byte == expected;
}

bool gets_on_a_new_connection(const Address& address, std::uint8_t question, std::uint8_t expected) {
  const auto socket = connect_to(address);
  return socket && gets(socket->get(), question, expected);
}

// As many turns as the time allows, at most kTurns.
void ask(const Address& a, const Address& b, int datagrams, std::int64_t end_ns, Asked& told) {
  const auto old = connect_to(a);
  for (std::uint8_t turn = 0; turn < kTurns && now_ns() < end_ns && old; ++turn) {
    const std::array answers{gets(old->get(), turn, turn), gets_on_a_new_connection(a, turn, turn),
                             gets(datagrams, turn, turn),
                             gets_on_a_new_connection(b, turn, static_cast<std::uint8_t>(turn + 1))};
    for (std::size_t kind = 0; kind < answers.size(); ++kind) {
      ++told.asked[kind];
      told.answered[kind] += answers[kind];
    }
  }
}

std::expected<Figures, std::string> run(const ProbeSettings& settings) {
  const auto a = listen_on({}, 1, kTurns);
  if (!a) return std::unexpected(a.error());
  const auto b = listen_on({}, 1, kTurns);
  if (!b) return std::unexpected(b.error());
  const auto udp = datagram_pair();
  if (!udp) return std::unexpected(udp.error());
  const int door = a->sockets.front().get();
  const auto way = std::ranges::find(kWays, settings.model, &Way::model);
  Sources sources(door, b->sockets.front().get(), udp->near.get());
  Asked told;
  int threads = 0;
  int waits = 0;
  {
    const auto end_ns = now_ns() + std::chrono::nanoseconds(settings.length).count();
    const auto peer = peer_on(settings.peer_cpu, [&](const std::stop_token&) {
      ask(a->address, b->address, udp->far.get(), end_ns, told);
      threads = threads_of_this_process() - 1;  // this one is the peer's
      ::shutdown(door, SHUT_RDWR);              // ends every wait, and a blocking accept()
    });
    waits = serve(sources, *way);
  }
  int asked = 0, answered = 0, kinds = 0;
  for (std::size_t kind = 0; kind < told.asked.size(); ++kind) {
    asked += told.asked[kind];
    answered += told.answered[kind];
    kinds += told.answered[kind] > 0 && told.answered[kind] == told.asked[kind];
  }
  return Figures{{"kinds_served", kinds},
                 {"answered_share", static_cast<double>(answered) / std::max(1, asked)},
                 {"waits_per_question", static_cast<double>(waits) / std::max(1, asked)},
                 {"questions", asked},
                 {"threads", threads}};
}

}  // namespace

Probe several_services() {
  Probe probe{.name = "several-services",
              .question = "Can one thread serve several services and protocols at once?",
              .models = {},
              .keys = {},
              .run = run};
  for (const auto& way : kWays) probe.models.push_back(way.model);
  return probe;
}

}  // namespace iolab::io::probes
