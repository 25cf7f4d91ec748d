// Which connections of a loop other threads have woken, and whether that loop must be roused to look.
//
// A loop that is at work looks here by itself on every turn: only one that sleeps costs its caller a system call. The
// two sides each write one flag and then read the other's, in sequentially consistent order (Dekker), so that either
// the loop sees what was added or the caller sees that the loop sleeps. How a sleeper is roused differs by model and is
// the template's parameter: an eventfd, a signal, or nothing for a loop that never sleeps.
#pragma once

#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

#include "io_models/connection_table.h"
#include "io_models/counters.h"
#include "io_models/frontend.h"

namespace iolab::io {

class WokenConnections {
 public:
  // Any thread. True: the loop may be asleep, and this caller, alone, has to rouse it.
  bool add(ConnectionKey key) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return false;
      keys_.push_back(key);
      any_.store(true, std::memory_order_seq_cst);
    }
    return claim_sleeper();
  }

  // Any thread: makes the loop turn once more, for a reason that it finds elsewhere.
  bool interrupt() {
    any_.store(true, std::memory_order_seq_cst);
    return claim_sleeper();
  }

  // The loop's thread, before it waits. False: somebody was here, do not sleep.
  bool may_sleep() {
    asleep_.store(true, std::memory_order_seq_cst);
    if (!any_.load(std::memory_order_seq_cst)) return true;
    awake();
    return false;
  }
  void awake() { asleep_.store(false, std::memory_order_relaxed); }

  bool any() const { return any_.load(std::memory_order_relaxed); }
  // Swaps the woken keys into `keys`, whose memory serves the next round.
  void take(std::vector<ConnectionKey>& keys) {
    keys.clear();
    const std::lock_guard lock(mutex_);
    any_.exchange(false, std::memory_order_seq_cst);  // and see what was done before it was set
    keys_.swap(keys);
  }

  // The loop has ended: from here on nothing is kept.
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    keys_.clear();
    asleep_.store(false, std::memory_order_seq_cst);
  }

 private:
  bool claim_sleeper() {
    return asleep_.load(std::memory_order_seq_cst) && asleep_.exchange(false, std::memory_order_seq_cst);
  }

  std::atomic<bool> any_ = false;
  std::atomic<bool> asleep_ = false;
  std::mutex mutex_;
  bool closed_ = false;
  std::vector<ConnectionKey> keys_;
};

// What every Waker of a loop points at; it outlives the loop if a Waker does. `Bell` has ring(), callable from any
// thread, also after the loop has ended.
template <class Bell>
class LoopDoorbell final : public Doorbell {
 public:
  void ring(std::uint32_t slot, std::uint32_t generation) override {
    if (woken.add({slot, generation})) rouse();
  }
  void interrupt() {
    if (woken.interrupt()) rouse();
  }

  WokenConnections woken;
  Bell bell;

 private:
  void rouse() {
    count(Count::rings);
    bell.ring();
  }
};

}  // namespace iolab::io
