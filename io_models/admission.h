// How many connections may be open at once, and what every model does alike when no more can be: it leaves them in the
// listen backlog, says so once, and tries again 50 ms later, or sooner if a connection of its own ends.
//
// Without such a bound accept() would fail for want of a descriptor, at once and for ever (a connection that cannot be
// accepted stays pending): a loop would spin, and the server would have no descriptor left for its files.
#pragma once

#include <atomic>
#include <string>

#include "io_models/frontend.h"

namespace iolab::io {

inline constexpr int kAcceptRetryMs = 50;

class Admission {
 public:
  // As many as `limits` say, or as descriptors allow (RLIMIT_NOFILE less an eighth, at most 512, for everything else).
  explicit Admission(const Limits& limits);
  // The model itself can hold only so many: the smaller number counts. `reason` completes "..., because ".
  Admission(const Limits& limits, int most, std::string reason);

  // Any thread. Asked before accept(): a place is taken first, and left again if nothing came of it.
  bool try_enter();
  void leave() { open_.fetch_sub(1, std::memory_order_relaxed); }

  int most() const { return most_; }
  int free() const { return most_ - open_.load(std::memory_order_relaxed); }

 private:
  int most_;
  std::string reason_;
  std::atomic<int> open_ = 0;
  std::atomic_flag said_ = ATOMIC_FLAG_INIT;
};

// accept4() failed: because descriptors or memory are used up (counted and, once, said)? Such a failure repeats at
// once.
bool out_of_descriptors(int accept_result);

// One line on stderr, the first time that `said` is seen.
void say_once(std::atomic_flag& said, const std::string& sentence);

// A bug, or a machine without the means for even one loop: a sentence on stderr, then abort().
[[noreturn]] void give_up(const std::string& sentence);

}  // namespace iolab::io
