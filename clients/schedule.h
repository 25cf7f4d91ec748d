// The timetable of an open loop: request i falls due at start + i / rate and belongs to connection i modulo their
// number, whatever the server does meanwhile. Nothing is stored for a request that waits: its time can be computed.
// Knows no clock, so that tests can walk through a day in a microsecond.
#pragma once

#include <cstdint>

#include "clients/clock.h"

namespace iolab::clients {

class Schedule {
 public:
  // `rate_per_s` > 0 over all `connections` > 0.
  Schedule(Nanoseconds start, double rate_per_s, std::uint64_t connections)
      : start_(start), interval_ns_(1e9 / rate_per_s), connections_(connections) {}

  // When the next request that has not been released falls due, and whose it is.
  Nanoseconds next_due() const { return due(next_); }
  std::uint64_t next_connection() const { return next_ % connections_; }
  void release() { ++next_; }

  // When the `nth` request (from 0) of a connection falls due.
  Nanoseconds due(std::uint64_t connection, std::uint64_t nth) const { return due(connection + nth * connections_); }

 private:
  // Multiplied, not added up: the hundred-millionth request is as punctual as the first.
  Nanoseconds due(std::uint64_t request) const {
    return start_ + static_cast<Nanoseconds>(static_cast<double>(request) * interval_ns_);
  }

  Nanoseconds start_;
  double interval_ns_;
  std::uint64_t connections_;
  std::uint64_t next_ = 0;
};

}  // namespace iolab::clients
