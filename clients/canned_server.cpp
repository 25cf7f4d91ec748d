#include "clients/canned_server.h"

#include <fmt/format.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "broker/protocol/messages/18_api_versions.h"
#include "clients/load_kafka.h"

namespace iolab::clients {
namespace {

constexpr std::size_t kHeadBytes = 12;  // size, API key, version, correlation id

bool send_all(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
  return true;
}

}  // namespace

CannedServer::CannedServer(const LoadSpec& spec) : spec_(spec), buffer_(256 * 1024) {}

CannedServer::~CannedServer() {
  const std::uint64_t one = 1;
  if (stop_ && ::write(stop_.get(), &one, sizeof one) < 0) return;
  if (thread_.joinable()) thread_.join();
}

std::expected<std::unique_ptr<CannedServer>, std::string> CannedServer::start(const LoadSpec& spec, int cpu) {
  std::unique_ptr<CannedServer> server(new CannedServer(spec));
  if (spec.kind != LoadKind::echo) {
    const auto batch = load_batch(spec, 0, 0);
    if (!batch) return std::unexpected(batch.error());
    server->answer_ = spec.kind == LoadKind::produce
                          ? produce_answer(spec, 0)
                          : fetch_answer(spec, 0, *batch, batches_per_fetch(spec, batch->size()));
    base::GatherBuffer out;
    if (protocol::write_response(out, 0, 0, protocol::ApiVersionsResponse{})) server->versions_answer_ = out.flat();
  }
  auto listening = io::listen_on({}, 1, 512);
  if (!listening) return std::unexpected(listening.error());
  server->listener_ = std::move(listening->sockets.front());
  server->address_ = listening->address;
  io::set_nonblocking(server->listener_.get(), true);
  server->epoll_ = io::Fd(::epoll_create1(EPOLL_CLOEXEC));
  server->stop_ = io::Fd(::eventfd(0, EFD_CLOEXEC));
  for (const int fd : {server->listener_.get(), server->stop_.get()}) {
    epoll_event event{EPOLLIN, {.fd = fd}};
    if (::epoll_ctl(server->epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
      return std::unexpected(fmt::format("cannot start the trivial server: {}", std::strerror(errno)));
    }
  }
  server->thread_ = std::jthread([self = server.get(), cpu] { self->serve(cpu); });
  return server;
}

void CannedServer::serve(int cpu) {
  if (cpu >= 0) {
    cpu_set_t where;
    CPU_ZERO(&where);
    CPU_SET(static_cast<std::size_t>(cpu), &where);
    ::pthread_setaffinity_np(::pthread_self(), sizeof where, &where);  // where it cannot be, it runs where it may
  }
  std::array<epoll_event, 256> events;
  for (;;) {
    const int ready = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < ready; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == stop_.get()) return;
      if (fd == listener_.get()) {
        accept_one();
      } else if (auto& connection = connections_[static_cast<std::size_t>(fd)]; !receive(*connection)) {
        connection.reset();
      }
    }
  }
}

void CannedServer::accept_one() {
  io::Fd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!fd) return;
  io::set_no_delay(fd.get());
  const auto at = static_cast<std::size_t>(fd.get());
  epoll_event event{EPOLLIN, {.fd = fd.get()}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd.get(), &event) != 0) return;
  if (connections_.size() <= at) connections_.resize(at + 1);
  connections_[at] = std::make_unique<Connection>();
  connections_[at]->fd = std::move(fd);
}

bool CannedServer::receive(Connection& connection) {
  const ssize_t got = ::recv(connection.fd.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) return false;
  const auto bytes = std::span<const std::byte>(buffer_).first(static_cast<std::size_t>(got));
  return spec_.kind == LoadKind::echo ? send_all(connection.fd.get(), bytes) : take_requests(connection, bytes);
}

bool CannedServer::take_requests(Connection& connection, std::span<const std::byte> bytes) {
  for (;;) {
    const auto skipped = std::min(connection.skip_bytes, bytes.size());
    connection.skip_bytes -= skipped;
    bytes = bytes.subspan(skipped);
    auto& head = connection.head;
    if (head.size() == kHeadBytes && connection.skip_bytes == 0) {
      head.clear();
      if (!answer(connection)) return false;
    }
    if (bytes.empty()) return true;
    const auto more = std::min(kHeadBytes - head.size(), bytes.size());
    head.insert(head.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(more));
    bytes = bytes.subspan(more);
    if (head.size() < kHeadBytes) return true;
    connection.skip_bytes = base::load_big_endian<std::uint32_t>(head.data()) + 4 - kHeadBytes;
    connection.api_key = base::load_big_endian<std::int16_t>(head.data() + 4);
    connection.correlation_id = base::load_big_endian<std::int32_t>(head.data() + kCorrelationAt);
  }
}

bool CannedServer::answer(Connection& connection) {
  const bool probe = connection.api_key == static_cast<std::int16_t>(protocol::ApiKey::api_versions);
  auto& bytes = probe ? versions_answer_ : answer_;
  base::store_big_endian(bytes.data() + kAnswerCorrelationAt, connection.correlation_id);
  if (!probe && spec_.kind == LoadKind::produce) {
    const auto offset = connection.answers++ * spec_.records_per_batch;
    base::store_big_endian(bytes.data() + produce_answer_layout(spec_).base_offset_at, offset);
  }
  return send_all(connection.fd.get(), bytes);
}

}  // namespace iolab::clients
