// What one thread of a load counts, and the window it counts against. Tallies are merged when the threads are done.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "clients/clock.h"
#include "clients/dialogue.h"
#include "clients/histogram.h"
#include "clients/load.h"

namespace iolab::clients {

// Its borders are set by one worker when it passes them, and read by all: a border is a fact, not a plan.
struct Window {
  std::atomic<Nanoseconds> start{kNever};
  std::atomic<Nanoseconds> end{kNever};
  std::atomic<Nanoseconds> middle{kNever};

  bool contains(Nanoseconds time) const {
    return time >= start.load(std::memory_order_relaxed) && time < end.load(std::memory_order_relaxed);
  }
};

// The plan of a run, and the window that comes of it.
struct Course {
  Nanoseconds begin = 0;                  // of the warm-up
  int connections = 0;                    // active and served, of all workers, at the begin
  std::atomic<int> connections_alive{0};  // of them
  Window window;
};

// CPU time of the calling thread.
struct ThreadCpu {
  double user_s = 0;
  double system_s = 0;
  static ThreadCpu now();
};

struct LoadTally {
  std::uint64_t requests = 0;
  std::uint64_t records = 0;
  std::uint64_t payload_bytes = 0;
  std::uint64_t first_half = 0;  // of `requests`
  std::uint64_t early = 0;
  std::uint64_t late = 0;
  std::uint64_t unsent = 0;
  std::uint64_t held_back = 0;
  std::uint64_t acknowledged_records = 0;  // since the start
  std::uint64_t lost_requests = 0;         // sent, never answered: since the start
  Histogram latency_ns;
  Histogram send_delay_ns;
  Nanoseconds waited_for_more = 0;  // of each latency: LoadSpec::waited_for_more
  std::array<std::uint64_t, kLoadErrors> errors{};
  std::string note;
  ThreadCpu cpu;  // inside the window

  void count_answer(const Window& window, const Answer& answer, Nanoseconds due, Nanoseconds now);
  void count_error(LoadError error, std::string_view what, std::uint64_t times = 1);
  void merge(const LoadTally& other);
};

}  // namespace iolab::clients
