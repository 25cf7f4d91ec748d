// poll(2): hand the kernel an array of questions, get it back with the answers filled in.
//
// What to notice
//   1. The array is copied in on every call and visited entry by entry, ready or not.  LESSON: poll-copies-everything
//   2. Who is ready must be searched for, but only among those asked about, whatever their descriptors are.
//   3. Errors and hang-ups are told without being asked for: silence cannot be ordered.
//      LESSON: poll-always-tells-hangup
#include <poll.h>

#include "io_models/multiplexing/event_bell.h"
#include "io_models/readiness_frontend.h"

namespace iolab::io {
namespace {

class PollPoller {
 public:
  static constexpr Trigger kTrigger = Trigger::level;
  using Bell = EventBell;

  PollPoller(const FrontendSettings&, EventBell& bell) : bell_(bell) { add(bell.get(), kBell, Interest::receive); }

  bool add(int fd, ConnectionKey key, Interest interest) {
    const auto index = static_cast<std::size_t>(fd);
    if (index >= place_of_.size()) place_of_.resize(index + 1);
    place_of_[index] = entries_.size();
    entries_.push_back({fd, events_for(interest), 0});
    keys_.push_back(key);
    return true;
  }

  void change(int fd, ConnectionKey, Interest interest) {
    entries_[place_of_[static_cast<std::size_t>(fd)]].events = events_for(interest);
  }

  void remove(int fd) {  // the last entry takes the empty place: the array has no holes to copy and visit
    const std::size_t place = place_of_[static_cast<std::size_t>(fd)];
    place_of_[static_cast<std::size_t>(entries_.back().fd)] = place;
    entries_[place] = entries_.back();
    keys_[place] = keys_.back();
    entries_.pop_back();
    keys_.pop_back();
  }

  std::span<const Ready> wait(int timeout_ms) {
    const timespec time{timeout_ms / 1000, timeout_ms % 1000 * 1'000'000L};
    int left = sys::poll(entries_, timeout_ms < 0 ? nullptr : &time);
    ready_.clear();
    for (std::size_t place = 0; left > 0; ++place) {
      const int events = entries_[place].revents;
      if (events == 0) continue;
      --left;
      if (keys_[place] == kBell) {
        bell_.silence();
        continue;
      }
      // Data may stand before an error: "dead" also means readable, so that it is read first.
      const bool dead = (events & (POLLERR | POLLHUP)) != 0;
      ready_.push_back({.key = keys_[place],
                        .readable = dead || (events & POLLIN) != 0,
                        .writable = dead || (events & POLLOUT) != 0,
                        .hung_up = dead});
    }
    return ready_;
  }

 private:
  static short events_for(Interest interest) {
    return interest == Interest::receive ? POLLIN : interest == Interest::send ? POLLOUT : 0;
  }

  EventBell& bell_;
  std::vector<pollfd> entries_;
  std::vector<ConnectionKey> keys_;    // of the entry at the same place
  std::vector<std::size_t> place_of_;  // by descriptor
  std::vector<Ready> ready_;
};

}  // namespace

MadeFrontend make_poll(const FrontendSettings& settings) {
  return std::make_unique<ReadinessFrontend<PollPoller>>(settings);
}

}  // namespace iolab::io
