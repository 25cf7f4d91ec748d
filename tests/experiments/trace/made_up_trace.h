// Traces written by hand: one line a call, times in microseconds.
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "experiments/trace/phases.h"

namespace iolab::lab {

struct MadeUpCall {
  int thread = 1;
  const char* call = "";
  int entered = 0;
  int returned = 0;
  int result = 0;
  int arrived = 0;  // 0: no stamp
  int cpu = 1;
  bool order = false;
  int descriptor = 5;
};

inline std::string line(const MadeUpCall& made) {
  auto text = fmt::format(
      R"({{"thread":{},"thread_name":"serve 0","call":"{}","descriptor":{},"entered_ns":{},"returned_ns":{},)"
      R"("cpu_ns":{},"result":{},"where":"io_models/a.cpp:1")",
      made.thread, made.call, made.descriptor, made.entered * 1000, made.returned * 1000, made.cpu * 1000, made.result);
  if (made.arrived != 0) text += fmt::format(R"(,"arrived_ns":{})", made.arrived * 1000);
  return text + (made.order ? ",\"order\":true}\n" : "}\n");
}

// The client sends at 1,000 us and has its answer at 1,060; where there is a stamp, the data arrives at 1,010.
inline const std::vector<TimedRequest> kTwo{{0, 100'000}, {1'000'000, 1'060'000}};

inline std::vector<Doing> doings(const Lane& lane, std::size_t row = 0) {
  std::vector<Doing> list;
  for (const auto& piece : lane.pieces) {
    if (piece.row == row) list.push_back(piece.doing);
  }
  return list;
}

}  // namespace iolab::lab
