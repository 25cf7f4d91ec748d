#include "experiments/run/time_left.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "experiments/words/units.h"

namespace iolab::lab {

using std::chrono::milliseconds;

void TimeLeft::plan(StepKind kind, StepTime step) {
  auto& to_come = kinds_[static_cast<std::size_t>(kind)].to_come;
  to_come.boxed += step.boxed;
  to_come.around += step.around;
  ++to_start_;
}

void TimeLeft::starts(StepKind kind, StepTime step, TimePoint now) {
  running_ = true;
  running_kind_ = kind;
  running_step_ = step;
  started_ = now;
  --to_start_;
  if (!ended_) return;
  between_ += std::chrono::round<milliseconds>(now - *ended_);
  ++gaps_;
}

void TimeLeft::finished(TimePoint now, bool ok) {
  auto& kind = kinds_[static_cast<std::size_t>(running_kind_)];
  kind.to_come.boxed -= running_step_.boxed;
  kind.to_come.around -= running_step_.around;
  running_ = false;
  ended_ = now;
  if (!ok) return;
  kind.guessed += running_step_.around;
  kind.took += std::max(milliseconds{0}, std::chrono::round<milliseconds>(now - started_) - running_step_.boxed);
}

milliseconds TimeLeft::expected(StepKind kind, StepTime step) const {
  const auto& known = kinds_[static_cast<std::size_t>(kind)];
  if (known.guessed == milliseconds{0}) return step.total();
  const double stretch = static_cast<double>(known.took.count()) / static_cast<double>(known.guessed.count());
  return step.boxed + std::chrono::round<milliseconds>(step.around * stretch);
}

milliseconds TimeLeft::left(TimePoint now) const {
  milliseconds total{0};
  for (const auto kind : {StepKind::trial, StepKind::duets}) {
    total += expected(kind, kinds_[static_cast<std::size_t>(kind)].to_come);
  }
  if (gaps_ > 0) total += between_ * to_start_ / gaps_;
  if (running_) {
    // A step that is over its time has nothing left, and takes nothing from those behind it.
    total -= std::min(std::chrono::round<milliseconds>(now - started_), expected(running_kind_, running_step_));
  }
  return std::max(total, milliseconds{0});
}

std::string time_left_text(milliseconds left, std::int64_t now_s) {
  const std::time_t end = now_s + std::chrono::round<std::chrono::seconds>(left).count();
  std::tm parts{};
  localtime_r(&end, &parts);
  return fmt::format("left {}, finishes {:02}:{:02}", clock_text(left), parts.tm_hour, parts.tm_min);
}

}  // namespace iolab::lab
