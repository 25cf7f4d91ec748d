// What a parked request waits for: bytes to read, or the disk.
//
// Both are counted down by whoever brings the event, under a partition's mutex, and are shared between the request and
// the partitions it waits at; the request leaves by taking itself out of the partitions. Whoever counts the last one
// down collects the wake-up. A wait may be rung without reason; who is woken looks again.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "broker/core/wakeup.h"

namespace iolab::core {

// A long poll: until so many bytes have become readable in any of its partitions, or an error has.
class DataWait {
 public:
  explicit DataWait(Wakeup sleeper) : sleeper_(std::move(sleeper)) {}

  // Before looking at the partitions; after registering with them. What arrives meanwhile is counted.
  void arm(std::int64_t missing_bytes) {
    missing_bytes_.store(missing_bytes);
    rung_.store(false);
  }
  // After looking: what was found. True: that was enough, nobody will ring.
  bool found(std::int64_t bytes) { return missing_bytes_.fetch_sub(bytes) - bytes <= 0 && !rung_.exchange(true); }

  void arrived(std::int64_t bytes, Wakeups& wakeups) {
    if (found(bytes)) wakeups.add(sleeper_);
  }
  void ring(Wakeups& wakeups) {
    if (!rung_.exchange(true)) wakeups.add(sleeper_);
  }
  bool rung() const { return rung_.load(); }

 private:
  std::atomic<std::int64_t> missing_bytes_{0};
  std::atomic<bool> rung_{false};
  Wakeup sleeper_;
};

// An acknowledgement that waits until everything it acknowledges is on the disk.
class CommitWait {
 public:
  explicit CommitWait(Wakeup sleeper) : sleeper_(std::move(sleeper)) {}

  void expect_one_more() { open_.fetch_add(1); }
  // True: nothing is left to wait for.
  bool one_done(bool success) {
    if (!success) failed_.store(true);
    return open_.fetch_sub(1) == 1;
  }
  void one_done(bool success, Wakeups& wakeups) {
    if (one_done(success)) wakeups.add(sleeper_);
  }
  bool over() const { return open_.load() == 0; }
  bool failed() const { return failed_.load(); }

 private:
  std::atomic<int> open_{1};  // whoever makes it holds one, until all of the request has been appended
  std::atomic<bool> failed_{false};
  Wakeup sleeper_;
};

}  // namespace iolab::core
