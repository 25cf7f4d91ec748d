// `iolab broker --trace FILE`: every system call of the front-end, one line each, tab-separated, with a heading line:
// entered_ns, returned_ns (CLOCK_MONOTONIC), thread, call, descriptor, result (negative: errno), file:line of the
// caller.
//
// Writing costs far more than the calls that it describes: a traced run shows what happens, never how fast.
#pragma once

#include <cstdio>
#include <expected>
#include <memory>
#include <mutex>
#include <string>

#include "io_models/system_calls.h"

namespace iolab::io {

class TraceFile final : public sys::TraceSink {
 public:
  // Also attaches it. The error is one sentence.
  static std::expected<std::unique_ptr<TraceFile>, std::string> open(const std::string& path);
  ~TraceFile() override;  // after the last serving thread has ended
  void record(const sys::TraceRecord& record) override;

 private:
  explicit TraceFile(std::FILE* file) : file_(file) {}
  std::mutex mutex_;
  std::FILE* file_;
};

}  // namespace iolab::io
