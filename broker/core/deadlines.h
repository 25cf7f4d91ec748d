// When waits end for lack of time: the answer to "how long may the timer thread sleep".
//
// Invariant: whoever sleeps was told by next() until when, and is rung if an earlier deadline is added meanwhile. A
// deadline that is removed does not ring: the sleeper wakes once in vain, which costs less than a ring for each wait.
//
// Threads: any.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <mutex>
#include <utility>

#include "broker/core/wakeup.h"

namespace iolab::core {

class Deadlines {
 public:
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
  // A time from now, or kNever where a setting means "practically never".
  static constexpr std::int64_t after(std::int64_t now_ms, std::int64_t delay_ms) {
    return delay_ms > kNever - now_ms ? kNever : now_ms + delay_ms;
  }

  struct Ticket {
    std::int64_t at_ms = kNever;
    std::uint64_t number = 0;
    auto operator<=>(const Ticket&) const = default;
  };

  // Rung when next() has become earlier. Set once, before the first add().
  void set_sleeper(Wakeup sleeper) { sleeper_ = std::move(sleeper); }

  Ticket add(std::int64_t steady_ms, Wakeup wakeup);  // never call it with a lock held: it may ring
  void remove(const Ticket& ticket);                  // of one that has passed: nothing happens

  std::int64_t next();  // steady milliseconds, or kNever
  void collect_due(std::int64_t now_steady_ms, Wakeups& due);

 private:
  std::mutex mutex_;
  std::map<Ticket, Wakeup> waits_;
  std::uint64_t numbers_ = 0;
  std::int64_t told_ = kNever;
  Wakeup sleeper_;
};

}  // namespace iolab::core
