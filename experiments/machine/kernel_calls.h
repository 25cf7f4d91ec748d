// System calls as the kernel sees them, by thread and number: the tracepoint raw_syscalls:sys_enter of every thread of
// one process, and of every thread that those start. It is what the layer's own counts are held against.
//
// Every call is a record in a ring that a thread of ours empties; nothing is sampled, and what a full ring lost is
// known. It slows each call of the watched process by some hundred nanoseconds: never in a timed trial. Needs root, or
// perf_event_paranoid at most -1. Source: perf_event_open(2).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io_models/counters.h"

namespace iolab::lab {

struct ThreadCall {
  pid_t thread = 0;
  int number = 0;  // of the system call
  auto operator<=>(const ThreadCall&) const = default;
};
using KernelCounts = std::map<ThreadCall, std::uint64_t>;

class KernelCalls {
 public:
  // The error is a sentence: no tracepoints here, or no permission.
  static std::expected<KernelCalls, std::string> watch(pid_t process);
  // Why this process may not watch, found out on itself; empty if it may.
  static std::string forbidden();
  KernelCalls(KernelCalls&&) noexcept;
  KernelCalls& operator=(KernelCalls&&) = delete;
  ~KernelCalls();

  KernelCounts counts() const;  // since watch(), up to now
  // The same, once nothing has been called for 20 ms; after 5 s as it then is.
  KernelCounts counts_at_rest() const;
  std::uint64_t lost() const;

 private:
  struct Rings;
  explicit KernelCalls(std::unique_ptr<Rings> rings);
  std::unique_ptr<Rings> rings_;
};

std::string system_call_name(int number);  // "epoll_wait", "system call 999"

// The layer's counts of the threads that use it, by their thread id.
using LayerCounts = std::map<pid_t, io::CounterTotals>;
LayerCounts layer_counts(const io::CounterPage& page);
using ThreadNames = std::map<pid_t, std::string>;
ThreadNames layer_threads(const io::CounterPage& page);

// One window, both views of it.
struct ComparedCall {
  std::string call;  // by the kernel's name
  std::uint64_t layer = 0;
  std::uint64_t kernel = 0;  // in the threads that use the layer
};
struct OtherCall {
  std::string thread;  // name
  std::string call;
  std::uint64_t count = 0;
};
struct CallComparison {
  std::vector<ComparedCall> compared;   // calls that nobody but the layer makes in its threads
  std::vector<OtherCall> others;        // what the kernel saw and the layer did not issue, most frequent first
  bool agrees(double tolerance) const;  // each |layer - kernel| <= tolerance * kernel, at least one call compared
};

struct CallSnapshot {
  LayerCounts layer;
  KernelCounts kernel;
};
// `names`: of the layer's threads; all others are threads that a library started.
CallComparison compare_calls(const CallSnapshot& before, const CallSnapshot& after, const ThreadNames& names);

}  // namespace iolab::lab
