// Traces written by hand: one line a call, times in microseconds.
#pragma once

#include <fmt/format.h>

#include <string>

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
};

inline std::string line(const MadeUpCall& made) {
  auto text = fmt::format(
      R"({{"thread":{},"thread_name":"serve 0","call":"{}","descriptor":5,"entered_ns":{},"returned_ns":{},)"
      R"("cpu_ns":{},"result":{},"where":"io_models/a.cpp:1")",
      made.thread, made.call, made.entered * 1000, made.returned * 1000, made.cpu * 1000, made.result);
  if (made.arrived != 0) text += fmt::format(R"(,"arrived_ns":{})", made.arrived * 1000);
  return text + (made.order ? ",\"order\":true}\n" : "}\n");
}

}  // namespace iolab::lab
