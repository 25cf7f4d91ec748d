#include "experiments/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "experiments/units.h"

namespace iolab::lab {
namespace {

std::string rate_of(const TrialRecord& record) {
  return record.ok ? fmt::format("{} requests/s", with_thousands(record.load.requests_per_s)) : "failed";
}

std::string what_came_out(const TrialRecord& record) {
  if (!record.ok) return "failed: " + record.reason;
  const auto& load = record.load;
  std::string text = rate_of(record);
  if (!record.model.empty() && load.requests > 0) {
    text +=
        fmt::format("  CPU {} us/req", three_digits(record.server.cpu_s * 1e6 / static_cast<double>(load.requests)));
  }
  return text + fmt::format("  p50 {} us", three_digits(static_cast<double>(load.latency_ns.percentile(0.5)) / 1000));
}

}  // namespace

Progress::Progress(const Spec& spec, const Plan& plan)
    : spec_(spec), plan_(plan), terminal_(look_at_terminal(stderr)), expected_left_(expected_duration(spec, plan)) {
  std::size_t models = 0;
  for (const auto& series : plan.series) models += series.role == Role::model;
  fmt::print(
      stderr, "{} · {} · {} x {}, {} each · {} · about {} · Ctrl-C keeps what is finished\n", spec.name, spec.profile,
      counted(models, "model"), counted(spec.levels.size(), "level"),
      counted(static_cast<std::uint64_t>(spec.timing.repeat), "trial"),
      counted(plan.trials.size(), "trial") + (plan.duets.empty() ? "" : ", " + counted(plan.duets.size(), "duet")),
      clock_text(expected_left_));
}

Progress::~Progress() {
  if (terminal_.is_tty) fmt::print(stderr, "\r\033[K");
}

std::chrono::milliseconds Progress::left() const {
  return std::chrono::round<std::chrono::milliseconds>(expected_left_ * stretch_);
}

void Progress::redraw(const std::string& now) {
  constexpr int kBar = 24;
  const auto total = std::max<std::size_t>(all(), 1);
  const auto filled = static_cast<int>(kBar * done_ / total);
  std::string bar;
  for (int i = 0; i < kBar; ++i) bar += i < filled ? "█" : "░";
  auto line = fmt::format("{} {:>3}%  left {}  {}", bar, 100 * done_ / total, clock_text(left()), now);
  const auto width = static_cast<std::size_t>(terminal_.width) - 1;
  while (display_width(line) > width) {
    while ((static_cast<unsigned char>(line.back()) & 0xC0) == 0x80) line.pop_back();  // never half a character
    line.pop_back();
  }
  fmt::print(stderr, "\r\033[K{}", line);
  std::fflush(stderr);
}

void Progress::begin(std::size_t series, std::size_t level, const char* what) {
  trial_start_ = std::chrono::steady_clock::now();
  if (!terminal_.is_tty) return;
  const auto& axes = spec_.axes;
  redraw(fmt::format("{}{}{}{}{}", what, plan_.series[series].id, axes.empty() ? "" : " · ",
                     axes.empty() ? "" : spec_.levels[level].label, last_.empty() ? "" : "   before: " + last_));
}

void Progress::end(std::chrono::milliseconds expected) {
  ++done_;
  expected_left_ -= expected;
  expected_done_ += expected;
  real_done_ += std::chrono::round<std::chrono::milliseconds>(std::chrono::steady_clock::now() - trial_start_);
  stretch_ =
      static_cast<double>(real_done_.count()) / static_cast<double>(std::max<std::int64_t>(1, expected_done_.count()));
}

void Progress::starts(const PlannedTrial& trial) {
  begin(trial.series, trial.level, "");
}

void Progress::finished(const PlannedTrial& trial, const TrialRecord& record) {
  end(expected_duration(spec_, trial));
  last_ = rate_of(record);
  if (!terminal_.is_tty) {
    fmt::print(stderr, "trial {}/{}  {}  {}  left {}\n", done_, all(), record.cell, what_came_out(record),
               clock_text(left()));
  } else if (!record.ok) {
    note(fmt::format("{}: {}", record.cell, what_came_out(record)));
  }
}

void Progress::starts(const PlannedDuet& duet) {
  begin(duet.series, duet.level, "duet with ");
}

void Progress::finished(const PlannedDuet&, const DuetRecord& record) {
  end(expected_duration_of_duet(spec_));
  last_ = record.ok ? fmt::format("{:.3f} times the CPU", record.cpu_ratio) : "failed";
  const auto came_out = record.ok ? last_ : "failed: " + record.reason;
  if (!terminal_.is_tty) {
    fmt::print(stderr, "duet {}/{}  {}  {}  left {}\n", done_, all(), record.series, came_out, clock_text(left()));
  } else if (!record.ok) {
    note(fmt::format("duet with {}: {}", record.series, came_out));
  }
}

void Progress::note(const std::string& text) {
  fmt::print(stderr, "{}{}\n", terminal_.is_tty ? "\r\033[K" : "", text);
}

}  // namespace iolab::lab
