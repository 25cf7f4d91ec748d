// Tracepoints of the kernel through perf_event_open(2): where their fields lie, and rings of their records.
//
// Needs root, or perf_event_paranoid at most -1. The layout of a record is read from the kernel that runs, never
// assumed. Where tracefs is not mounted, a child mounts it for itself alone.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace iolab::lab {

struct Tracepoint {
  struct Field {
    std::size_t offset = 0;
    std::size_t bytes = 0;
  };
  std::string name;      // "sched/sched_switch"
  std::uint64_t id = 0;  // 0: this kernel does not have it
  std::map<std::string, Field, std::less<>> fields;

  // An integer field of a record; 0 if there is none of that name.
  std::int64_t number(std::span<const std::byte> record, std::string_view field) const;
};
// In the order of `names`.
std::vector<Tracepoint> find_tracepoints(const std::vector<std::string>& names);

// One event on one CPU. `thread`: -1 for all that run there. -1 with errno if it may not be opened.
int open_tracepoint(std::uint64_t id, pid_t thread, int cpu);
// How many records an event could not write since it was opened. Nothing before Linux 6.0: there the ring alone tells,
// with the next record that has room.
std::optional<std::uint64_t> lost_records(int event);

// What a record says before its fields: read as PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_RAW lays it out.
struct EventHead {
  pid_t thread = 0;
  std::int64_t at_ns = 0;        // CLOCK_MONOTONIC
  std::uint16_t tracepoint = 0;  // its id
};

// The memory that one CPU's records go through; we are its only reader.
class EventRing {
 public:
  // `pages`: a power of two.
  static std::optional<EventRing> map(int event, std::size_t pages);
  EventRing(EventRing&& other) noexcept : memory_(std::exchange(other.memory_, nullptr)), bytes_(other.bytes_) {}
  EventRing& operator=(EventRing&&) = delete;
  ~EventRing();

  using Handle = std::function<void(const EventHead& head, std::span<const std::byte> record)>;
  // Hands over every record that is there; adds what the ring says that it had no room for.
  void drain(const Handle& handle, std::uint64_t& lost);

 private:
  EventRing(void* memory, std::size_t bytes) : memory_(memory), bytes_(bytes) {}
  void copy(std::uint64_t from, void* to, std::size_t bytes) const;

  void* memory_;
  std::size_t bytes_;
};

}  // namespace iolab::lab
