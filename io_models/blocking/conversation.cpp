#include "io_models/blocking/conversation.h"

#include <sys/time.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "io_models/counters.h"
#include "io_models/lingering_close.h"
#include "io_models/system_calls.h"

namespace iolab::io {
namespace {

// See lingering_close.h. Bounded twice: by each read, and by the clock for a peer that dribbles.
void drop_input(int socket) {
  if (sys::shutdown(socket, SHUT_WR) < 0) return;
  const timeval longest{kLingerMs / 1000, kLingerMs % 1000 * 1000};
  sys::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(kLingerMs);
  std::array<std::byte, kLingerBytesPerRead> dropped;
  for (std::size_t total = 0; total < kLingerBytes && std::chrono::steady_clock::now() < until;) {
    const std::int64_t bytes = sys::recv(socket, dropped, 0);
    if (bytes <= 0) return;
    total += static_cast<std::size_t>(bytes);
  }
}

}  // namespace

void ParkingDoorbell::ring(std::uint32_t, std::uint32_t) {
  if (state_.exchange(rung) != asleep) return;
  count(Count::rings);
  sys::futex_wake(state_, 1);
}

void ParkingDoorbell::wait() {
  std::uint32_t seen = quiet;
  if (state_.compare_exchange_strong(seen, asleep)) {
    while (state_.load() == asleep) sys::futex_wait(state_, asleep, nullptr);
    count(Count::wake_ups);
  }
  state_.store(quiet);  // before the session looks: a ring from now on is for what it does not see
}

void Conversations::hold(Fd socket) {
  auto doorbell = std::make_shared<ParkingDoorbell>();
  std::list<Conversation>::iterator place;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    place = open_.insert(open_.end(), {socket.get(), doorbell});
  }
  count(Count::accepted);
  {
    const auto session = host_.open(Waker(doorbell, 0, 0));
    converse(socket.get(), *session, *doorbell);
  }
  count(Count::closed);
  // Off the list before it is closed: stop() must not shut down a number that already has a new owner.
  const std::lock_guard lock(mutex_);
  open_.erase(place);
}

// LESSON: blocking-one-wait-at-a-time. Read it from top to bottom: the program counter is the connection's state.
void Conversations::converse(int socket, Session& session, ParkingDoorbell& doorbell) {
  bool ended = false;
  for (;;) {
    switch (session.want()) {
      case Want::receive: {
        if (ended) return;  // nothing more can come
        std::span<std::byte> room = session.input();
        room = room.first(std::min(room.size(), limits_.bytes_per_read));
        const std::int64_t bytes = sys::recv(socket, room, 0);  // sleeps here
        if (bytes == -EINTR) break;
        if (bytes < 0) return;
        ended = bytes == 0;
        session.received(static_cast<std::size_t>(bytes));
        break;
      }
      case Want::send: {
        const std::int64_t bytes = sys::send(socket, session.output());  // or here, until all of it has room
        if (bytes == -EINTR) break;
        if (bytes < 0) return;
        session.sent(static_cast<std::size_t>(bytes));
        break;
      }
      case Want::wake:
        doorbell.wait();  // or here
        if (stopping_) return;
        session.woken();
        break;
      case Want::close:
        if (!ended) drop_input(socket);
        return;
    }
  }
}

void Conversations::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  for (const Conversation& conversation : open_) {
    sys::shutdown(conversation.socket, SHUT_RDWR);
    conversation.doorbell->ring(0, 0);
  }
}

Fd accept_next(int listener, Admission& admission, const std::stop_token& stop) {
  constexpr std::int64_t kRetryNs = kAcceptRetryMs * 1'000'000L;
  while (!stop.stop_requested()) {
    if (!admission.try_enter()) {
      sys::nanosleep(kRetryNs);
      continue;
    }
    const int fd = sys::accept4(listener, SOCK_CLOEXEC);  // sleeps here
    if (fd >= 0) return Fd(fd);
    admission.leave();
    // LESSON: emfile-must-not-spin. Without a free descriptor accept() does not sleep: it fails at once, every time.
    if (out_of_descriptors(fd)) sys::nanosleep(kRetryNs);
  }
  return Fd();
}

}  // namespace iolab::io
