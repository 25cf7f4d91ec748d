// What only the kernel sees of a request: when a thread is woken and when it runs, and in which thread bytes are copied
// to the program, whoever called for them. From tracepoints of all CPUs (machine/tracepoints.h), while the traced
// requests go through; needs root, or perf_event_paranoid at most -1.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "experiments/trace/phases.h"

namespace iolab::lab {

struct KernelEvent {
  enum class Kind : std::uint8_t {
    data_ready,  // bytes were put into a socket's queue; thread: whoever delivered them, on loopback the sender
    waking,      // `subject` is being woken
    runs,        // `subject` is given the CPU
    copies,      // `thread` begins to copy `bytes` to the program
    signals,     // a signal is sent to `subject`
  };
  Kind kind = Kind::runs;
  std::int64_t at_ns = 0;  // CLOCK_MONOTONIC
  pid_t thread = 0;        // that ran when it happened
  pid_t subject = 0;
  std::int64_t bytes = 0;
};

class KernelWatch {
 public:
  // The error is a sentence: no tracepoints here, or no permission.
  static std::expected<KernelWatch, std::string> start();
  KernelWatch(KernelWatch&&) noexcept;
  KernelWatch& operator=(KernelWatch&&) = delete;
  ~KernelWatch();

  // Everything since start(), in the order of time.
  std::vector<KernelEvent> stop();

 private:
  struct Rings;
  explicit KernelWatch(std::unique_ptr<Rings> rings);
  std::unique_ptr<Rings> rings_;
};

// Draws into a lane what the kernel saw: a wake-up apart from the copy, and a row for each thread of the server that
// copied without a call of the layer's own (glibc's helpers). `threads`: all of the server. `zero_ns`: the lane's 0.
void add_kernel_events(Lane& lane, const std::vector<KernelEvent>& events, const std::vector<pid_t>& threads,
                       std::int64_t zero_ns);

}  // namespace iolab::lab
