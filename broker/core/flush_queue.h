// Which partitions have to be synced, and when: the work list of the flusher thread.
//
// A partition stands in it at most once (it keeps a mark of its own, under its mutex), so that all appends up to the
// moment of its sync share that sync: group commit. After one failed sync the broker acknowledges nothing more.
// Other work that waits for the disk, such as creating a topic, is done by the same thread.
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
#include "broker/core/moment.h"
#include "broker/core/wakeup.h"

namespace iolab::core {

class Partition;

// Work that waits for the disk. What it answers, and whom it wakes, is its own business.
class DiskWork {
 public:
  virtual ~DiskWork() = default;
  virtual void run(Moment now) = 0;
};

class FlushQueue {
 public:
  // Rung when the queue has got an earlier entry. Set once, before the first add().
  void set_sleeper(Wakeup sleeper) { sleeper_ = std::move(sleeper); }

  // Never call it with a lock held.
  void add(std::int64_t due_steady_ms, std::shared_ptr<Partition> partition) {
    if (put(due_steady_ms, std::move(partition)) && sleeper_) sleeper_->wake();
  }
  // The same for callers with a lock: the ring comes with the others.
  void add(std::int64_t due_steady_ms, std::shared_ptr<Partition> partition, Wakeups& wakeups) {
    if (put(due_steady_ms, std::move(partition))) wakeups.add(sleeper_);
  }

  void add(std::shared_ptr<DiskWork> work) {
    {
      const std::scoped_lock lock(mutex_);
      work_.push_back(std::move(work));
    }
    if (sleeper_) sleeper_->wake();
  }

  // Steady milliseconds; in the past if there is something to do at once, kNever if there is nothing to do.
  std::int64_t next() {
    const std::scoped_lock lock(mutex_);
    if (!work_.empty()) return 0;
    return entries_.empty() ? Deadlines::kNever : entries_.begin()->first;
  }

  std::vector<std::shared_ptr<DiskWork>> take_work() {
    const std::scoped_lock lock(mutex_);
    return std::exchange(work_, {});
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
  // True: it is the first that is due.
  bool put(std::int64_t due_steady_ms, std::shared_ptr<Partition> partition) {
    const std::scoped_lock lock(mutex_);
    const bool earlier = entries_.empty() || due_steady_ms < entries_.begin()->first;
    entries_.emplace(due_steady_ms, std::move(partition));
    return earlier;
  }

  std::mutex mutex_;
  std::multimap<std::int64_t, std::shared_ptr<Partition>> entries_;
  std::vector<std::shared_ptr<DiskWork>> work_;  // in order of arrival
  Wakeup sleeper_;
  std::atomic<bool> failed_{false};
};

}  // namespace iolab::core
