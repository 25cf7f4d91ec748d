// The timers of a loop, which a session has none of: when to try accept() again, and how long a connection that was
// closed in order may linger (lingering_close.h). Used by the loop's own thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <deque>

#include "io_models/admission.h"
#include "io_models/connection_table.h"
#include "io_models/lingering_close.h"

namespace iolab::io {

class LoopTimers {
 public:
  // LESSON: emfile-must-not-spin. Whoever reports levels would report the waiting connection without end; whoever
  // reports edges would never report it again. Both need a timer.
  void pause_accepting() { accept_again_at(Clock::now() + std::chrono::milliseconds(kAcceptRetryMs)); }
  bool accepting_is_paused() const { return accept_again_at_ != kNever; }
  // A connection of ours has ended: try at the next turn.
  void place_is_free() {
    if (accepting_is_paused()) accept_again_at(Clock::time_point::min());
  }

  void linger(ConnectionKey key) {
    lingering_.push_back({Clock::now() + std::chrono::milliseconds(kLingerMs), key});
    note_next();
  }

  bool any() const { return next_ != kNever; }

  // For the next wait; -1: nothing will ever be due.
  int ms_to_next() const {
    if (!any()) return -1;
    const auto now = Clock::now();
    if (next_ <= now) return 0;
    return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(next_ - now).count());
  }

  // Calls accept_again(), and close(key) for each connection that has lingered long enough, or is gone meanwhile.
  template <class AcceptAgain, class Close>
  void run(AcceptAgain&& accept_again, Close&& close) {
    const auto now = Clock::now();
    if (accept_again_at_ <= now) {
      accept_again_at(kNever);
      accept_again();
    }
    while (!lingering_.empty() && lingering_.front().until <= now) {
      const ConnectionKey key = lingering_.front().key;
      lingering_.pop_front();
      close(key);
    }
    note_next();
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr auto kNever = Clock::time_point::max();

  struct Lingering {
    Clock::time_point until;
    ConnectionKey key;
  };

  void accept_again_at(Clock::time_point when) {
    accept_again_at_ = when;
    note_next();
  }
  void note_next() {
    next_ = lingering_.empty() ? accept_again_at_ : std::min(accept_again_at_, lingering_.front().until);
  }

  Clock::time_point next_ = kNever;  // the earlier of the two below: all that a turn has to look at
  Clock::time_point accept_again_at_ = kNever;
  std::deque<Lingering> lingering_;  // in order of time: all linger equally long
};

}  // namespace iolab::io
