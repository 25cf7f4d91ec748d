// How a worker gets its connections: many at a time, in bounded time, each served once before the load starts. A server
// accepts from the backlog whenever it likes, so that a connection that is established is not yet one that is served.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "clients/load_worker.h"

namespace iolab::clients {
namespace {

// Over all threads. Fewer than the shortest usual backlog: a connection that finds it full waits a second for its next
// attempt.
constexpr int kOpeningAtOnce = 200;

// That a send finds no room says only that the server is slower than this thread. It has stopped reading when nothing
// moves for so long: TCP tells of new room once 64 KiB have been read, which is 2,200 of the requests sent here and
// takes a slow model on a busy machine (posix-aio, 300 us for each) 0.7 s; a window that has closed is asked for again
// after 200 ms.
constexpr Nanoseconds kStopsReadingAfter = kSecond;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

std::expected<SocketAddress, std::string> resolve(const io::Address& target) {
  SocketAddress address;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (::inet_pton(AF_INET, target.host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(target.port);
    address.length = sizeof *v4;
  } else if (::inet_pton(AF_INET6, target.host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(target.port);
    address.length = sizeof *v6;
  } else {
    return std::unexpected(fmt::format("'{}' is no numeric address; give one such as 127.0.0.1", target.host));
  }
  return address;
}

// A source address has some 28,000 ports for one target. Loopback has more addresses than anyone needs.
void spread_source(int fd, const io::Address& target, std::size_t connection) {
  constexpr std::size_t kPerSource = 20'000;
  if (connection < kPerSource || !target.host.starts_with("127.")) return;
  sockaddr_in source{};
  source.sin_family = AF_INET;
  source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + static_cast<in_addr_t>(connection / kPerSource));
  const int on = 1;
  ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  ::bind(fd, reinterpret_cast<const sockaddr*>(&source), sizeof source);
}

}  // namespace

LoadWorker::LoadWorker(const LoadSpec& spec, const Script& script, WorkerShare share)
    : spec_(spec), script_(script), share_(share), scratch_(256 * 1024) {
  tally_.latency_ns.make_room();
  tally_.send_delay_ns.make_room();
  tally_.waited_for_more = std::chrono::nanoseconds(spec.waited_for_more).count();
}

std::expected<void, std::string> LoadWorker::open(std::stop_token stop) {
  epoll_ = io::Fd(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_) return std::unexpected(fmt::format("cannot create an epoll instance: {}", std::strerror(errno)));
  if (auto address = resolve(spec_.target); !address) return std::unexpected(address.error());
  const auto wanted = static_cast<std::size_t>(share_.connections + share_.idle_connections);
  connections_.reserve(wanted);  // they do not move: iovecs of unfinished sends point at what they own

  const int at_once = std::max(kOpeningAtOnce / spec_.threads, 1);
  const Nanoseconds begin = monotonic_ns();
  last_served_ = last_change_ = begin;
  while (!stop.stop_requested()) {
    while (opening_ < at_once && connections_.size() < wanted) start_connecting(connections_.size());
    if (opening_ == 0 && connections_.size() == wanted) break;
    turn(50 * kMillisecond);
    const Nanoseconds now = monotonic_ns();
    if (now - begin > std::chrono::nanoseconds(spec_.connect_deadline).count()) break;
    if (now - last_change_ > std::chrono::nanoseconds(spec_.connect_stall).count()) break;
  }
  open_ns_ = last_served_ - begin;
  drop_unserved();
  return stall_peers(stop, begin + std::chrono::nanoseconds(spec_.connect_deadline).count());
}

void LoadWorker::start_connecting(std::size_t index) {
  auto& connection = connections_.emplace_back();
  connection.active = index < static_cast<std::size_t>(share_.connections);
  ++opening_;
  const auto address = resolve(spec_.target);
  const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  connection.fd = io::Fd(::socket(address->storage.ss_family, type, 0));
  if (!connection.fd) return lose(connection, LoadError::refused, fmt::format("socket: {}", std::strerror(errno)));
  io::set_no_delay(connection.fd.get());
  spread_source(connection.fd.get(), spec_.target, index);
  epoll_event event{EPOLLIN | EPOLLOUT, {.u64 = index}};
  const auto* where = reinterpret_cast<const sockaddr*>(&address->storage);
  if ((::connect(connection.fd.get(), where, address->length) != 0 && errno != EINPROGRESS) ||
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, connection.fd.get(), &event) != 0) {
    lose(connection, LoadError::refused, fmt::format("connect: {}", std::strerror(errno)));
  }
}

void LoadWorker::connected(LoadConnection& connection) {
  int error = 0;
  socklen_t length = sizeof error;
  ::getsockopt(connection.fd.get(), SOL_SOCKET, SO_ERROR, &error, &length);
  if (error != 0) return lose(connection, LoadError::refused, fmt::format("connect: {}", std::strerror(error)));
  connection.state = LoadConnection::State::probing;
  watch(connection, false);
  const auto& probe = script_.framing().probe;
  if (::send(connection.fd.get(), probe.data(), probe.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(probe.size())) {
    lose(connection, LoadError::closed_by_server, fmt::format("first send: {}", std::strerror(errno)));
  }
}

void LoadWorker::served(LoadConnection& connection) {
  connection.state = LoadConnection::State::served;
  last_served_ = last_change_ = monotonic_ns();
  --opening_;
  const auto index = static_cast<std::size_t>(&connection - connections_.data());
  if (!connection.active) {
    ++idle_served_;
    return;
  }
  ++active_served_;
  connection.position = active_.size();
  active_.push_back(index);
  connection.dialogue = script_.dialogue(share_.first_connection + static_cast<int>(index));
  connection.due_ns.resize(static_cast<std::size_t>(spec_.in_flight));
}

// Peers that have stopped reading: the server is left with answers that nobody takes, until it has no room for more,
// and then does not read either. The load may begin only then: what a server still works off inside the window is work
// that no client counts.
std::expected<void, std::string> LoadWorker::stall_peers(std::stop_token stop, Nanoseconds deadline) {
  std::vector<StalledPeer> peers;
  for (auto& connection : connections_) {
    const auto index = static_cast<int>(&connection - connections_.data());
    if (index < share_.connections || index >= share_.connections + share_.stalled_connections) continue;
    if (connection.state != LoadConnection::State::served) continue;
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, connection.fd.get(), nullptr);
    peers.push_back({.connection = &connection});
  }
  if (peers.empty()) return {};
  std::vector<std::byte> many;
  constexpr int kAtOnce = 1000;
  const auto& probe = script_.framing().probe;
  for (int i = 0; i < kAtOnce; ++i) many.insert(many.end(), probe.begin(), probe.end());
  Nanoseconds now = monotonic_ns();
  for (auto last_taken = now; now - last_taken < kStopsReadingAfter && !stop.stop_requested(); now = monotonic_ns()) {
    if (now > deadline) {
      return std::unexpected(fmt::format(
          "{}:{} goes on reading from a client that takes no answer, {} s after the first connection: nothing was "
          "measured. Look whether its memory grows; a slower server needs a longer connect_deadline",
          spec_.target.host, spec_.target.port,
          std::chrono::ceil<std::chrono::seconds>(spec_.connect_deadline).count()));
    }
    for (auto& peer : peers) {
      if (ask_in_vain(peer, many)) last_taken = now;
    }
    ::poll(nullptr, 0, 5);
  }
  return {};
}

// Whether anything more was taken, by the socket or, of what lies in it, by the other side.
bool LoadWorker::ask_in_vain(StalledPeer& peer, std::span<const std::byte> many) {
  auto& connection = *peer.connection;
  if (connection.state == LoadConnection::State::gone) return false;
  bool taken = false;
  constexpr int kSendsAtOnce = 100;  // a server may be as fast as this thread
  for (int i = 0; i < kSendsAtOnce; ++i) {
    const auto rest = many.subspan(peer.at);
    const ssize_t sent = ::send(connection.fd.get(), rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno != EAGAIN) {
      lose(connection, LoadError::closed_by_server,
           fmt::format("to a client that takes no answer: {}", std::strerror(errno)));
      return false;
    }
    if (sent < 0) break;
    taken = true;
    peer.at = (peer.at + static_cast<std::size_t>(sent)) % many.size();
  }
  int queued = 0;
  ::ioctl(connection.fd.get(), SIOCOUTQ, &queued);
  return std::exchange(peer.queued, queued) != queued || taken;
}

// The backlog of a server that takes no more is not a place to leave connections in: they are closed.
void LoadWorker::drop_unserved() {
  const auto never_tried = static_cast<std::size_t>(share_.connections + share_.idle_connections) - connections_.size();
  for (auto& connection : connections_) {
    if (connection.state == LoadConnection::State::served || connection.state == LoadConnection::State::gone) continue;
    lose(connection, LoadError::never_served, "a connection was established and its first request never answered");
  }
  tally_.count_error(LoadError::never_served, "a connection was not tried, because those before it were not served",
                     never_tried);
}

void LoadWorker::lose(LoadConnection& connection, LoadError error, std::string_view why) {
  using State = LoadConnection::State;
  if (connection.state == State::gone) return;
  if (connection.state != State::served) {
    --opening_;
    last_change_ = monotonic_ns();
  } else if (course_ == &own_course_) {  // not running yet: it does not count as served
    --(connection.active ? active_served_ : idle_served_);
  }
  if (connection.state == State::served && connection.active) {
    course_->connections_alive.fetch_sub(1, std::memory_order_relaxed);
    tally_.lost_requests += connection.started - connection.answered;
    owed_ -= connection.started - connection.answered;
    if (schedule_) waiting_ -= connection.due - connection.started;
  }
  connection.state = State::gone;
  connection.fd = io::Fd();  // which takes it out of the epoll set, too
  connection.unsent.clear();
  tally_.count_error(error, why);
}

void LoadWorker::watch(LoadConnection& connection, bool for_room) {
  const auto index = static_cast<std::uint64_t>(&connection - connections_.data());
  epoll_event event{for_room ? EPOLLIN | EPOLLOUT : EPOLLIN, {.u64 = index}};
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, connection.fd.get(), &event);
  connection.waits_to_send = for_room;
}

}  // namespace iolab::clients
