// How the core ends somebody's wait without knowing who waits.
//
// A Sleeper is behind a connection (its session rings the front-end), behind the timer thread or behind the flusher.
// Invariant: nobody calls wake() with a lock held. Under a lock, wake-ups are only collected; whoever released it
// rings.
#pragma once

#include <memory>
#include <utility>
#include <vector>

namespace iolab::core {

class Sleeper {
 public:
  virtual ~Sleeper() = default;
  virtual void wake() = 0;  // from any thread, at any time, also when nobody waits any more; must not block
};

using Wakeup = std::shared_ptr<Sleeper>;

// Wake-ups that are due. Those not rung by hand are rung when the collection ends.
class Wakeups {
 public:
  Wakeups() = default;
  Wakeups(const Wakeups&) = delete;
  Wakeups& operator=(const Wakeups&) = delete;
  ~Wakeups() { ring(); }

  void add(Wakeup wakeup) {
    if (wakeup) due_.push_back(std::move(wakeup));
  }
  void ring() {
    for (const Wakeup& wakeup : std::exchange(due_, {})) wakeup->wake();
  }

 private:
  std::vector<Wakeup> due_;
};

}  // namespace iolab::core
