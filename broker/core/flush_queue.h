// Which partitions have to be synced, and when: the work list of the flusher thread.
//
// A partition stands in it at most once (it keeps a mark of its own, under its mutex), so that all appends up to the
// moment of its sync share that sync: group commit. After one failed sync the broker acknowledges nothing more.
//
// Threads: any.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "broker/core/deadlines.h"
#include "broker/core/wakeup.h"

namespace iolab::core {

class Partition;

class FlushQueue {
 public:
  // Rung when the queue has got an earlier entry. Set once, before the first add().
  void set_sleeper(Wakeup sleeper) { sleeper_ = std::move(sleeper); }

  // Never call it with a lock held.
  void add(std::int64_t due_steady_ms, std::shared_ptr<Partition> partition) {
    bool earlier = false;
    {
      const std::scoped_lock lock(mutex_);
      earlier = entries_.empty() || due_steady_ms < entries_.begin()->first;
      entries_.emplace(due_steady_ms, std::move(partition));
    }
    if (earlier && sleeper_) sleeper_->wake();
  }

  std::int64_t next() {
    const std::scoped_lock lock(mutex_);
    return entries_.empty() ? Deadlines::kNever : entries_.begin()->first;
  }

  std::vector<std::shared_ptr<Partition>> take_due(std::int64_t now_steady_ms) {
    const std::scoped_lock lock(mutex_);
    std::vector<std::shared_ptr<Partition>> due;
    while (!entries_.empty() && entries_.begin()->first <= now_steady_ms) {
      due.push_back(std::move(entries_.begin()->second));
      entries_.erase(entries_.begin());
    }
    return due;
  }

  void fail() { failed_.store(true); }
  bool failed() const { return failed_.load(std::memory_order_relaxed); }

 private:
  std::mutex mutex_;
  std::multimap<std::int64_t, std::shared_ptr<Partition>> entries_;
  Wakeup sleeper_;
  std::atomic<bool> failed_{false};
};

}  // namespace iolab::core
