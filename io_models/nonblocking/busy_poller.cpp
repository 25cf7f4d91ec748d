// Non-blocking sockets and nothing else: nobody tells us who is ready, so claim that everybody is, and let recv() say
// EAGAIN.
//
// What to notice
//   1. The thread never sleeps for I/O. Its latency is the best there is; its CPU is always gone.
//      LESSON: polling-never-sleeps
//   2. A round costs one system call for each connection, idle or not: compare `would_block` with the requests.
//   3. Between rounds it may do nothing (spin), let others run (yield), or sleep ever longer while nothing moves
//      (backoff): each buys CPU with latency.                                       LESSON: backoff-trades-latency
//   4. Nobody tells us of a lost peer either: it shows when the connection is next used.
#include <sys/prctl.h>

#include <string>

#include "io_models/readiness_frontend.h"

namespace iolab::io {
namespace {

enum class Idle : std::uint8_t { spin, yield, backoff };

struct NoBell {  // who never sleeps need not be roused; a nap of `backoff` ends by itself within a millisecond
  void ring() {}
};

class BusyPoller {
 public:
  static constexpr Trigger kTrigger = Trigger::level;
  using Bell = NoBell;

  BusyPoller(const FrontendSettings& settings, NoBell&) {
    const auto chosen = settings.options.find("idle");
    const std::string_view idle = chosen == settings.options.end() ? "spin" : std::string_view(chosen->second);
    idle_ = idle == "backoff" ? Idle::backoff : idle == "yield" ? Idle::yield : Idle::spin;
    // Or the kernel would round every nap up by 50 us.
    if (idle_ == Idle::backoff) ::prctl(PR_SET_TIMERSLACK, 1000UL, 0UL, 0UL, 0UL);
  }

  bool add(int fd, ConnectionKey key, Interest interest) {
    const auto index = static_cast<std::size_t>(fd);
    if (index >= place_of_.size()) place_of_.resize(index + 1);
    place_of_[index] = entries_.size();
    entries_.push_back({fd, key, interest});
    changed_ = true;
    return true;
  }

  void change(int fd, ConnectionKey, Interest interest) {
    entries_[place_of_[static_cast<std::size_t>(fd)]].interest = interest;
    changed_ = true;
  }

  void remove(int fd) {
    const std::size_t place = place_of_[static_cast<std::size_t>(fd)];
    place_of_[static_cast<std::size_t>(entries_.back().fd)] = place;
    entries_[place] = entries_.back();
    entries_.pop_back();
    changed_ = true;
  }

  // Everybody, every time: the same list until somebody comes or goes.
  std::span<const Ready> wait(int) {
    if (!changed_) return everybody_;
    everybody_.clear();
    for (const Entry& entry : entries_) {
      if (entry.interest == Interest::none) continue;
      everybody_.push_back({.key = entry.key,
                            .readable = entry.interest == Interest::receive,
                            .writable = entry.interest == Interest::send});
    }
    changed_ = false;
    return everybody_;
  }

  // After each round: did anything move?
  void turned(bool moved) {
    if (idle_ == Idle::spin) return;
    rounds_in_vain_ = moved ? 0 : rounds_in_vain_ + 1;
    if (rounds_in_vain_ == 0) return;
    if (idle_ == Idle::yield || rounds_in_vain_ <= kYields) {
      sys::sched_yield();
    } else {
      sys::nanosleep(std::min(kLongestNapNs, kShortestNapNs << std::min(rounds_in_vain_ - kYields - 1, 10)));
    }
  }

 private:
  static constexpr int kYields = 64;
  static constexpr std::int64_t kShortestNapNs = 1'000;
  static constexpr std::int64_t kLongestNapNs = 1'000'000;

  struct Entry {
    int fd;
    ConnectionKey key;
    Interest interest;
  };
  Idle idle_ = Idle::spin;
  int rounds_in_vain_ = 0;
  bool changed_ = false;
  std::vector<Entry> entries_;
  std::vector<std::size_t> place_of_;  // by descriptor
  std::vector<Ready> everybody_;
};

}  // namespace

MadeFrontend make_nonblocking(const FrontendSettings& settings) {
  return std::make_unique<ReadinessFrontend<BusyPoller>>(settings);
}

}  // namespace iolab::io
