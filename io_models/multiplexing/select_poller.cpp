// select(2): hand the kernel the whole guest list, get it back with the ready ones ticked.
//
// What to notice
//   1. The list is copied in and out on every call, whoever is ready.           LESSON: select-copies-everything
//   2. Who is ready must be searched for, up to the highest descriptor.         LESSON: select-scans-everyone
//   3. The list is a bitmap of 1024 places: higher descriptors do not fit.      LESSON: select-fd-limit
//   4. It cannot say "this connection is dead": a parked one is not asked about, and a reset shows when it is used.
#include <array>
#include <atomic>
#include <string>

#include "io_models/multiplexing/event_bell.h"
#include "io_models/readiness_frontend.h"

namespace iolab::io {
namespace {

class SelectPoller {
 public:
  static constexpr Trigger kTrigger = Trigger::level;
  using Bell = EventBell;

  SelectPoller(const FrontendSettings&, EventBell& bell) : bell_(bell) {
    FD_ZERO(&readers_);
    FD_ZERO(&writers_);
    if (!add(bell_.get(), kBell, Interest::receive)) give_up("select needs its bell below descriptor 1024");
  }

  bool add(int fd, ConnectionKey key, Interest interest) {
    if (fd >= FD_SETSIZE) return refuse(fd);  // FD_SET beyond the end would write over other memory
    keys_[static_cast<std::size_t>(fd)] = key;
    highest_ = std::max(highest_, fd);
    change(fd, key, interest);
    return true;
  }

  void change(int fd, ConnectionKey, Interest interest) {
    FD_CLR(fd, &readers_);
    if (FD_ISSET(fd, &writers_)) --writing_;
    FD_CLR(fd, &writers_);
    if (interest == Interest::receive) FD_SET(fd, &readers_);
    if (interest == Interest::send) FD_SET(fd, &writers_);
    if (interest == Interest::send) ++writing_;
  }

  void remove(int fd) {
    change(fd, {}, Interest::none);
    keys_[static_cast<std::size_t>(fd)] = {};
    while (highest_ >= 0 && keys_[static_cast<std::size_t>(highest_)] == ConnectionKey{}) --highest_;
  }

  std::span<const Ready> wait(int timeout_ms) {
    fd_set readable = readers_;  // select() writes its answer over the question
    fd_set writable = writers_;
    timeval time{timeout_ms / 1000, timeout_ms % 1000 * 1000};
    int left =
        sys::select(highest_ + 1, &readable, writing_ > 0 ? &writable : nullptr, timeout_ms < 0 ? nullptr : &time);
    ready_.clear();
    for (int fd = 0; left > 0; ++fd) {
      const bool can_read = FD_ISSET(fd, &readable);
      const bool can_write = writing_ > 0 && FD_ISSET(fd, &writable);
      if (!can_read && !can_write) continue;
      --left;  // a descriptor is in one set at most
      if (fd == bell_.get()) {
        bell_.silence();
      } else {
        ready_.push_back({.key = keys_[static_cast<std::size_t>(fd)], .readable = can_read, .writable = can_write});
      }
    }
    return ready_;
  }

 private:
  static bool refuse(int fd) {
    static std::atomic_flag said = ATOMIC_FLAG_INIT;
    say_once(said, "select cannot watch descriptor " + std::to_string(fd) + ": its sets hold those below " +
                       std::to_string(FD_SETSIZE) + "; such connections are closed (use poll or epoll)");
    return false;
  }

  EventBell& bell_;
  fd_set readers_;
  fd_set writers_;
  int writing_ = 0;
  int highest_ = -1;
  std::array<ConnectionKey, FD_SETSIZE> keys_{};
  std::vector<Ready> ready_;
};

}  // namespace

MadeFrontend make_select(const FrontendSettings& settings) {
  return std::make_unique<ReadinessFrontend<SelectPoller>>(settings);
}

}  // namespace iolab::io
