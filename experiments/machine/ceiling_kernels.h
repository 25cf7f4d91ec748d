// The small loops behind ceilings.h: each asks the machine for one thing, again and again, for about `limit`, and says
// what it cost or how much of it there was. One call is one repetition.
//
// Within a repetition the fastest batch or the median of single trips counts, because what is slower was disturbed.
// Threads started here are pinned and joined; files are unlinked before they are written. The error says in half a
// sentence what could not be done.
#pragma once

#include <chrono>
#include <cstddef>
#include <expected>
#include <string>

#include "experiments/machine/ceilings.h"

namespace iolab::lab {

using Measured = std::expected<double, std::string>;

double seconds_since(std::chrono::steady_clock::time_point start);

Measured null_syscall_ns(std::chrono::milliseconds limit);
Measured clock_ns(std::chrono::milliseconds limit);
// One byte to a thread that sleeps in read(), on `cpus.server`, from one on `cpus.load`: half of the median round trip.
Measured wake_up_us(CpuPair cpus, std::chrono::milliseconds limit);
// CPU time of one switch between two threads on one CPU, without the call that leads to it: the least that a thread
// pays for going to sleep and running again.
Measured switch_us(int cpu, std::chrono::milliseconds limit);
Measured loopback_mb_per_s(CpuPair cpus, std::chrono::milliseconds limit);
// 64 bytes there and back over TCP between two threads that sleep: the median round trip.
Measured ping_pong_us(CpuPair cpus, std::chrono::milliseconds limit);
Measured memcpy_mb_per_s(std::size_t bytes, std::chrono::milliseconds limit);
// pwrite() of 16 KiB blocks to a growing file, into the page cache.
Measured append_mb_per_s(const std::string& directory, std::chrono::milliseconds limit);
// 16 KiB appended and fdatasync(), median.
Measured fdatasync_us(const std::string& directory, std::chrono::milliseconds limit);

inline constexpr std::size_t kAppendBytes = std::size_t{16} * 1024;  // of one pwrite() of the append ceiling

}  // namespace iolab::lab
