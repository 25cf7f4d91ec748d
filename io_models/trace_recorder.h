// `iolab broker --trace FILE`: every system call of the front-end, written down when all is over.
//
// Recording must not disturb what it records: threads fill memory that was allocated and touched beforehand, and take
// no lock. (The clock of a thread's CPU, which the layer reads before and after each call, is a system call itself.)
// When the memory is used up, later calls are counted, not kept. Even so, a traced run shows what happens and in which
// order, never how fast.
//
// The file holds one JSON object a line: {"thread", "thread_name", "call", "descriptor", "entered_ns", "returned_ns",
// "cpu_ns", "result", "where"}, in the order of entered_ns (CLOCK_MONOTONIC). `descriptor` is -1 where the call has
// none, `cpu_ns` is what the thread spent inside, `result` is the kernel's or -errno, `where` is file:line of the
// caller. "arrived_ns" is there if the kernel stamped the received bytes; "order": true says that it was no call, but
// an order from when it was passed on to when its result was looked at. If calls were lost, a last line says
// {"lost_calls", "first_lost_ns"}: how many, and when the first of them was entered.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <expected>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "io_models/counters.h"
#include "io_models/system_calls.h"

namespace iolab::io {

class TraceRecorder final : public sys::TraceSink {
 public:
  static constexpr std::size_t kCallsAtMost = 1'000'000;  // about 64 MB

  // Creates the file, so that a wrong path is an error before the run, and attaches itself; one at a time. The error is
  // one sentence.
  static std::expected<std::unique_ptr<TraceRecorder>, std::string> start(const std::string& path,
                                                                          std::size_t calls_at_most = kCallsAtMost);
  // Detaches itself and writes the file. After the last serving thread has ended.
  ~TraceRecorder() override;
  TraceRecorder(const TraceRecorder&) = delete;
  TraceRecorder& operator=(const TraceRecorder&) = delete;

  void record(const sys::TraceRecord& record) override;

 private:
  // What one thread fills alone, and then takes another one.
  struct Sheet {
    std::array<char, sizeof(ThreadBlock::thread_name)> thread_name{};
    std::size_t used = 0;
    std::array<sys::TraceRecord, 1024> calls{};
  };

  TraceRecorder(std::FILE* file, std::size_t calls_at_most);
  Sheet* next_sheet();  // null: there are no more
  void lose(const sys::TraceRecord& record);
  void write_line(const Sheet& sheet, const sys::TraceRecord& call) const;

  std::FILE* const file_;
  const std::uint64_t run_;  // tells a thread that its sheet is of an earlier recorder
  std::vector<Sheet> sheets_;
  std::atomic<std::size_t> sheets_taken_ = 0;
  std::atomic<std::size_t> lost_ = 0;
  std::atomic<std::int64_t> first_lost_ns_ = std::numeric_limits<std::int64_t>::max();
};

}  // namespace iolab::io
