// How long a run still takes. Warm-up and window of a trial and the slices of a duet last as long as the spec says, so
// most of it is no estimate: cells that are slower than the ones before them take no longer. What lies around that,
// starting, connecting, stopping, is guessed at first and then learned from the steps that are done; so is what lies
// between two steps, such as the ceilings.
//
// Time is an argument; nothing here looks at a clock.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace iolab::lab {

struct StepTime {
  std::chrono::milliseconds boxed{0};   // what the spec fixes
  std::chrono::milliseconds around{0};  // a guess
  std::chrono::milliseconds total() const { return boxed + around; }
};

enum class StepKind : std::uint8_t { trial, duets };

class TimeLeft {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  void plan(StepKind kind, StepTime step);  // one that is still to come
  void starts(StepKind kind, StepTime step, TimePoint now);
  // A step that failed may have taken any time: from it nothing is learned.
  void finished(TimePoint now, bool ok);
  std::chrono::milliseconds left(TimePoint now) const;

 private:
  struct Kind {
    StepTime to_come;  // all planned steps that are not finished, the running one among them
    std::chrono::milliseconds guessed{0};
    std::chrono::milliseconds took{0};  // where `guessed` was guessed
  };
  std::chrono::milliseconds expected(StepKind kind, StepTime step) const;

  std::array<Kind, 2> kinds_{};
  int to_start_ = 0;  // planned steps that have not begun
  std::chrono::milliseconds between_{0};
  int gaps_ = 0;  // of which `between_` is the sum
  std::optional<TimePoint> ended_;
  bool running_ = false;
  StepKind running_kind_{};
  StepTime running_step_;
  TimePoint started_;
};

// "left 6:52, finishes 14:31", by the local time of day `now_s` (seconds since the epoch).
std::string time_left_text(std::chrono::milliseconds left, std::int64_t now_s);

}  // namespace iolab::lab
