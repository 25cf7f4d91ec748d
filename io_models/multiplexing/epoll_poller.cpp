// epoll(7): the guest list stays with the kernel; each wait brings back only those who are ready.
//
// What to notice
//   1. Who to watch is said once, by epoll_ctl; a wait costs what is ready, not what is watched.
//      LESSON: epoll-keeps-the-list
//   2. Level-triggered (`epoll`): told again until it is no longer so. One read, then back to waiting.
//   3. Edge-triggered (`epoll-et`): told once, when it changes. What is left unread is not mentioned again, so the loop
//      must read until there is no more, or remember.                            LESSON: edge-must-drain
//   4. The event carries 64 bits of ours: slot and generation, never a descriptor that may have a new owner.
//   5. What wakes the thread does not move the bytes: recv() still copies them, in our time.
//      LESSON: readiness-is-not-data
#include <sys/epoll.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "io_models/multiplexing/event_bell.h"
#include "io_models/readiness_frontend.h"

namespace iolab::io {
namespace {

template <Trigger kHow>
class EpollPoller {
 public:
  static constexpr Trigger kTrigger = kHow;
  using Bell = EventBell;

  EpollPoller(const FrontendSettings& settings, EventBell& bell)
      : epoll_(::epoll_create1(EPOLL_CLOEXEC)),
        bell_(bell),
        events_(static_cast<std::size_t>(settings.limits.events_per_wait)) {
    if (!epoll_ || !add(bell.get(), kBell, Interest::receive)) give_up("no epoll: raise `ulimit -n`");
  }

  bool add(int fd, ConnectionKey key, Interest interest) { return control(EPOLL_CTL_ADD, fd, key, interest); }
  void change(int fd, ConnectionKey key, Interest interest) { control(EPOLL_CTL_MOD, fd, key, interest); }
  void remove(int) {}  // close() does it: no other descriptor shares this socket (accepted close-on-exec, never dup'ed)

  std::span<const Ready> wait(int timeout_ms) {
    const int found = sys::epoll_wait(epoll_.get(), events_, timeout_ms);
    ready_.clear();
    for (int i = 0; i < found; ++i) {
      const epoll_event& event = events_[static_cast<std::size_t>(i)];
      const auto key = ConnectionKey::unpacked(event.data.u64);
      if (key == kBell) {
        if constexpr (kHow == Trigger::level) bell_.silence();  // an edge is silent by itself
        continue;
      }
      // Data may stand before an error: "dead" also means readable, so that it is read first.
      const bool dead = (event.events & (EPOLLERR | EPOLLHUP)) != 0;
      const bool ending = (event.events & EPOLLRDHUP) != 0;
      ready_.push_back({.key = key,
                        .readable = dead || ending || (event.events & EPOLLIN) != 0,
                        .writable = dead || (event.events & EPOLLOUT) != 0,
                        .hung_up = dead,
                        .to_the_end = kHow == Trigger::edge && (dead || ending)});
    }
    return ready_;
  }

 private:
  static std::uint32_t events_for(Interest interest) {
    // Both directions and the peer's end, once and for all: an edge costs nothing until it comes.
    if constexpr (kHow == Trigger::edge) return EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    return interest == Interest::receive ? EPOLLIN : interest == Interest::send ? EPOLLOUT : 0U;
  }

  bool control(int operation, int fd, ConnectionKey key, Interest interest) {
    epoll_event event{};
    event.events = events_for(interest);
    event.data.u64 = key.packed();
    const int result = sys::epoll_ctl(epoll_.get(), operation, fd, &event);
    if (result == 0) return true;
    static std::atomic_flag said = ATOMIC_FLAG_INIT;
    say_once(said, std::string("epoll cannot watch another descriptor: ") + std::strerror(-result) +
                       "; see fs.epoll.max_user_watches; such connections are closed");
    return false;
  }

  Fd epoll_;
  EventBell& bell_;
  std::vector<epoll_event> events_;
  std::vector<Ready> ready_;
};

}  // namespace

MadeFrontend make_epoll(const FrontendSettings& settings) {
  return std::make_unique<ReadinessFrontend<EpollPoller<Trigger::level>>>(settings);
}

MadeFrontend make_epoll_et(const FrontendSettings& settings) {
  return std::make_unique<ReadinessFrontend<EpollPoller<Trigger::edge>>>(settings);
}

}  // namespace iolab::io
