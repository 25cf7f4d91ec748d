#include "io_models/udp_echo.h"

#include <aio.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "io_models/arrival_stamp.h"
#include "io_models/asynchronous/uring.h"
#include "io_models/registry.h"
#include "io_models/socket.h"
#include "io_models/system_calls.h"

namespace iolab::io {
namespace {

constexpr int kSignal = 36;

struct Echo {
  int socket;
  std::array<std::byte, 2048> room{};

  // Sends back what came. False: it was the last one, or the peer is gone.
  bool answer(std::int64_t bytes) {
    if (bytes <= 0 || (bytes == 4 && std::memcmp(room.data(), "quit", 4) == 0)) return false;
    const iovec piece{room.data(), static_cast<std::size_t>(bytes)};
    return sys::send(socket, {&piece, 1}) == bytes;
  }
  bool receive_and_answer(int flags) { return answer(sys::recv(socket, room, flags)); }
};

// Stevens, figure 6.1: asleep in recv() through both phases.
void blocking(Echo& echo) {
  while (echo.receive_and_answer(0)) continue;
}

// Figure 6.2: asks until it is told.
void nonblocking(Echo& echo) {
  for (;;) {
    const std::int64_t bytes = sys::recv(echo.socket, echo.room, MSG_DONTWAIT);
    if (bytes == -EAGAIN) continue;
    if (!echo.answer(bytes)) return;
  }
}

// Figure 6.3: asleep in select(), or its like, through the first phase.
void by_select(Echo& echo) {
  do {
    fd_set readers;
    FD_ZERO(&readers);
    FD_SET(echo.socket, &readers);
    sys::select(echo.socket + 1, &readers, nullptr, nullptr);
  } while (echo.receive_and_answer(MSG_DONTWAIT));
}
void by_poll(Echo& echo) {
  pollfd entry{echo.socket, POLLIN, 0};
  do {
    sys::poll({&entry, 1}, nullptr);
  } while (echo.receive_and_answer(MSG_DONTWAIT));
}
void by_epoll(Echo& echo) {
  const Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
  epoll_event event{.events = EPOLLIN, .data = {}};
  sys::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, echo.socket, &event);
  do {
    sys::epoll_wait(epoll.get(), {&event, 1}, -1);
  } while (echo.receive_and_answer(MSG_DONTWAIT));
}

// Figure 6.4: a signal says that there is something. A datagram makes one signal, which is why UDP is its home.
void by_signal(Echo& echo) {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, kSignal);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const f_owner_ex owner{F_OWNER_TID, ::gettid()};
  ::fcntl(echo.socket, F_SETSIG, kSignal);
  ::fcntl(echo.socket, F_SETOWN_EX, &owner);
  sys::fcntl(echo.socket, F_SETFL, O_RDWR | O_ASYNC | O_NONBLOCK);
  for (siginfo_t news;;) {
    std::int64_t bytes = sys::recv(echo.socket, echo.room, 0);
    if (bytes == -EAGAIN) {
      sys::rt_sigtimedwait(signals, news, nullptr);
      continue;
    }
    if (!echo.answer(bytes)) return;
  }
}

// Figure 6.5: the signal says that it is done. With glibc a hidden thread has done it.
void by_posix_aio(Echo& echo) {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, kSignal);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  aiocb order{};
  order.aio_fildes = echo.socket;
  order.aio_buf = echo.room.data();
  order.aio_nbytes = echo.room.size();
  order.aio_sigevent.sigev_notify = SIGEV_SIGNAL;
  order.aio_sigevent.sigev_signo = kSignal;
  std::int64_t bytes = 0;
  do {
    sys::counted(Call::aio_read, echo.socket, [&] { return ::aio_read(&order); });
    siginfo_t news;
    while (sys::rt_sigtimedwait(signals, news, nullptr) != kSignal) continue;
    bytes = sys::counted(Call::aio_return, echo.socket, [&] { return ::aio_return(&order); });
  } while (echo.answer(bytes));
}

// The same with an order to the kernel, and a result in shared memory.
void by_io_uring(Echo& echo) {
  Uring uring({.orders = 4, .results = 8});
  std::int64_t bytes = 0;
  do {
    io_uring_sqe& order = uring.order();
    ::io_uring_prep_recv(&order, echo.socket, echo.room.data(), echo.room.size(), 0);
    ::io_uring_sqe_set_data64(&order, OrderTag{Order::receive}.packed());
    bytes = -EAGAIN;
    while (bytes == -EAGAIN) {
      uring.enter(-1);
      uring.reap([&](const io_uring_cqe& result) { bytes = result.res; });
    }
  } while (echo.answer(bytes));
}

struct Way {
  std::string_view model;
  void (*serve)(Echo&);
};
constexpr std::array kWays{Way{"blocking", blocking},      Way{"nonblocking", nonblocking}, Way{"select", by_select},
                           Way{"poll", by_poll},           Way{"epoll", by_epoll},          Way{"sigio", by_signal},
                           Way{"posix-aio", by_posix_aio}, Way{"io_uring", by_io_uring}};

std::string because(const char* what) {
  return std::string(what) + ": " + std::strerror(errno);
}

}  // namespace

std::vector<std::string_view> udp_echo_models() {
  std::vector<std::string_view> models;
  for (const Way& way : kWays) models.push_back(way.model);
  return models;
}

std::expected<void, std::string> serve_udp_echo(std::string_view model) {
  const auto way = std::ranges::find(kWays, model, &Way::model);
  if (way == kWays.end()) return std::unexpected("the UDP echo has no model '" + std::string(model) + "'");
  const auto choice = choose_model(model);
  if (!choice) return std::unexpected(choice.error());
  if (auto reason = choice->entry->unavailable(); !reason.empty()) return std::unexpected(reason);
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in here{};
  here.sin_family = AF_INET;
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof here;
  if (!socket || ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0 ||
      ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&here), &length) != 0) {
    return std::unexpected(because("no UDP socket"));
  }
  if (sys::traced()) ask_for_arrival_stamps(socket.get());
  std::printf("listening %d\n", ntohs(here.sin_port));
  std::fflush(stdout);
  // Whoever speaks first is whom we talk to: so the models can use the calls that they use with TCP.
  sockaddr_in peer{};
  length = sizeof peer;
  std::byte first;
  if (::recvfrom(socket.get(), &first, 1, MSG_PEEK, reinterpret_cast<sockaddr*>(&peer), &length) < 0 ||
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&peer), length) != 0) {
    return std::unexpected(because("nobody spoke"));
  }
  Echo echo{.socket = socket.get()};
  way->serve(echo);
  return {};
}

}  // namespace iolab::io
