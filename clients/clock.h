// The clients' only clock: monotonic nanoseconds. What computes with time takes it as an argument and never reads it.
#pragma once

#include <cstdint>
#include <ctime>

namespace iolab::clients {

using Nanoseconds = std::int64_t;
inline constexpr Nanoseconds kNever = INT64_MAX;
inline constexpr Nanoseconds kSecond = 1'000'000'000;
inline constexpr Nanoseconds kMillisecond = 1'000'000;

inline Nanoseconds read_clock(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<Nanoseconds>(time.tv_sec) * kSecond + time.tv_nsec;
}
inline Nanoseconds monotonic_ns() {
  return read_clock(CLOCK_MONOTONIC);
}

}  // namespace iolab::clients
