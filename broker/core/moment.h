// What the time is, as a value. The core never asks a clock: whoever calls it says when "now" is, so that a test can.
#pragma once

#include <cstdint>

namespace iolab::core {

struct Moment {
  std::int64_t wall_ms = 0;    // since 1970, for time stamps and ages of records
  std::int64_t steady_ms = 0;  // never steps back, for deadlines
};

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Moment now() = 0;  // from any thread
};

// Where ids come from. From any thread.
class RandomSource {
 public:
  virtual ~RandomSource() = default;
  virtual std::uint64_t next() = 0;
};

}  // namespace iolab::core
