// What only the kernel sees of a request: when a thread is woken and when it runs, in which thread bytes are copied to
// the program, whoever called for them, and what io_uring does on a thread's behalf. From tracepoints of all CPUs
// (machine/tracepoints.h), while the traced requests go through; needs root, or perf_event_paranoid at most -1.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "experiments/trace/phases.h"

namespace iolab::lab {

struct KernelEvent {
  enum class Kind : std::uint8_t {
    data_ready,  // bytes were put into a socket's queue; thread: whoever delivered them, on loopback the sender
    runs,        // `subject` is given the CPU
    copies,      // `thread` begins to copy to the program; not for a datagram that lies in one piece of memory
    signals,     // a signal is sent to `subject`
    enters,      // `thread` makes the system call `call`
    leaves,      // and has its result, `value`
    completes,   // io_uring posts a result, `value`
    task_work,   // io_uring's task work has run in `thread`
  };
  Kind kind = Kind::runs;
  std::int64_t at_ns = 0;  // CLOCK_MONOTONIC
  pid_t thread = 0;        // that ran when it happened
  pid_t subject = 0;
  std::int64_t value = 0;
  const char* call = "";
};

struct ServerThread {
  pid_t id = 0;
  std::string name;  // the kernel's own threads for a ring are called "iou-..."
};

// What was watched. Which records were lost cannot be told: with any lost, what the others seem to say may be wrong.
struct KernelRecord {
  std::vector<KernelEvent> events;  // in the order of time
  std::uint64_t lost = 0;           // the rings had no room for them

  bool whole() const { return lost == 0; }
};

class KernelWatch {
 public:
  // Opens the tracepoints, and watches nothing yet: opening and closing them takes the kernel long, watching does not.
  // The error is a sentence: no tracepoints here, or no permission.
  static std::expected<KernelWatch, std::string> open();
  KernelWatch(KernelWatch&&) noexcept;
  KernelWatch& operator=(KernelWatch&&) = delete;
  ~KernelWatch();

  void start();
  // Everything since start().
  KernelRecord stop();

 private:
  struct Rings;
  explicit KernelWatch(std::unique_ptr<Rings> rings);
  std::unique_ptr<Rings> rings_;
};

// When the last bytes of a request that `client` sent were put into the server's queue; nothing if that was not seen.
std::optional<std::int64_t> arrival_seen(const std::vector<KernelEvent>& events, pid_t client,
                                         const TimedRequest& request);

// Draws into a lane what the kernel saw: a wake-up apart from the copy, io_uring's task work, and a row for each thread
// of the server that copied and is in no row: glibc's helpers, and the kernel's own threads. Where the beginning of a
// copy was not seen (it has no tracepoint for a short datagram), the wake-up ends where the thread is given the CPU,
// and the copy is somewhere in what follows. `threads`: all of the server.
void add_kernel_events(Lane& lane, const std::vector<KernelEvent>& events, const std::vector<ServerThread>& threads);

}  // namespace iolab::lab
