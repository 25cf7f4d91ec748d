// The ladder view of one request through one model, as Stevens draws his figures 6.1 to 6.5: time runs downwards, the
// application on the left, the kernel on the right, an arrow for every crossing; right of the kernel a thread that the
// program did not start, where the kernel saw one. Every rung is a record of the trace. Its steps are equally far
// apart, whatever lies between them: the moments are written beside them.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "experiments/trace/phases.h"
#include "experiments/trace/strip.h"

namespace iolab::lab {

enum class Step : std::uint8_t {
  call,     // from the application to the kernel
  returns,  // back
  arrives,  // the data, in the kernel
  sent,     // by the client; that is all that is known of the arrival
  within,   // nothing crosses: the application works
};

struct Rung {
  Step step = Step::call;
  double at_us = 0;  // 0: the data has arrived
  Doing doing = Doing::other;
  std::string text;     // as recorded
  std::string where;    // the source line that made the call
  bool hidden = false;  // of the hidden thread, not of the application
};
std::vector<Rung> rungs_of(const Lane& lane);

// Each side of the ladder, and the kernel between them: two, or three with a hidden thread.
std::vector<std::string> columns_of(const Lane& lane);

// What stands in the margin, from rung to rung, both included: "wait for data 3.1 ms".
struct Span {
  std::size_t first = 0;
  std::size_t last = 0;
  Doing doing = Doing::blocked;
  std::string text;
};
std::vector<Span> spans_of(const Lane& lane, const std::vector<Rung>& rungs);

// A chart of kind "ladder" as RESULTS.md describes it.
nlohmann::ordered_json ladder_chart(const Lane& lane, const StripSubject& subject);

// The same, drawn with the signs that a terminal has.
std::string ladder_text(const Words& words, const Lane& lane, const Terminal& terminal);

}  // namespace iolab::lab
