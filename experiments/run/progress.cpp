#include "experiments/run/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>

#include "experiments/spec/metrics.h"
#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

// The first figure of interest that a probe has told.
std::string told_by_probe(const Spec& spec, const TrialRecord& record) {
  const auto& words = Words::in(Language::english);
  for (const auto& id : spec.watch) {
    const Metric& metric = *find_metric(id);
    const auto figure = record.probe.find(id);
    if (figure == record.probe.end()) continue;
    return fmt::format("{} {}", metric_label(words, metric), metric_phrase(words, metric, figure->second));
  }
  return "done";
}

std::string rate_of(const Spec& spec, const TrialRecord& record) {
  if (!record.ok) return "failed";
  if (!spec.probe.empty()) return told_by_probe(spec, record);
  return fmt::format("{} requests/s", with_thousands(record.load.requests_per_s));
}

std::string what_came_out(const Spec& spec, const TrialRecord& record) {
  if (!record.ok) return "failed: " + record.reason;
  const auto& load = record.load;
  std::string text = rate_of(spec, record);
  if (!spec.probe.empty()) return text;
  if (!record.model.empty() && load.requests > 0) {
    text +=
        fmt::format("  CPU {} us/req", three_digits(record.server.cpu_s * 1e6 / static_cast<double>(load.requests)));
  }
  return text + fmt::format("  p50 {} us", three_digits(static_cast<double>(load.latency_ns.percentile(0.5)) / 1000));
}

std::string ratio_of(const DuetRecord& record) {
  return std::isfinite(record.cpu_ratio) ? fmt::format("{:.3f} times the CPU", record.cpu_ratio)
                                         : fmt::format("{:.3f} times the rate", record.rate_ratio);
}

}  // namespace

Progress::Progress(const Spec& spec, const Plan& plan, const Left& left, Talk talk)
    : spec_(spec),
      plan_(plan),
      talk_(talk),
      terminal_(talk == Talk::redraw ? look_at_terminal(stderr) : Terminal{}),
      all_(plan.trials.size() + plan.duets.size()),
      done_(all_ - left.trials.size() - left.duets.size()) {
  for (const auto& trial : left.trials) time_left_.plan(StepKind::trial, step_time(spec, trial));
  const std::span<const PlannedDuet> duets = left.duets;
  for (std::size_t at = 0; at < duets.size(); at += group_from(duets, at).size()) {
    time_left_.plan(StepKind::duets, step_time(spec, group_from(duets, at)));
  }
  if (talk == Talk::quiet) return;
  std::size_t models = 0;
  for (const auto& series : plan.series) models += series.role == Role::model;
  fmt::print(
      stderr, "{} · {} · {} x {}, {} each · {}{} · about {} · Ctrl-C keeps what is finished\n", spec.name, spec.profile,
      counted(models, "model"), counted(spec.levels.size(), "level"),
      counted(static_cast<std::uint64_t>(spec.timing.repeat), "trial"),
      counted(plan.trials.size(), "trial") + (plan.duets.empty() ? "" : ", " + counted(plan.duets.size(), "duet")),
      done_ == 0 ? "" : fmt::format(" · {} of {} done", done_, all_),
      clock_text(time_left_.left(std::chrono::steady_clock::now())));
}

Progress::~Progress() {
  if (terminal_.is_tty) fmt::print(stderr, "\r\033[K");
}

std::string Progress::time_left() const {
  return time_left_text(time_left_.left(std::chrono::steady_clock::now()), std::time(nullptr));
}

void Progress::redraw(const std::string& now) {
  constexpr int kBar = 24;
  const auto total = std::max<std::size_t>(all_, 1);
  const auto filled = static_cast<int>(kBar * done_ / total);
  std::string bar;
  for (int i = 0; i < kBar; ++i) bar += i < filled ? "█" : "░";
  auto line = fmt::format("{} {:>3}%  {}  {}", bar, 100 * done_ / total, time_left(), now);
  const auto width = static_cast<std::size_t>(terminal_.width) - 1;
  while (display_width(line) > width) {
    while ((static_cast<unsigned char>(line.back()) & 0xC0) == 0x80) line.pop_back();  // never half a character
    line.pop_back();
  }
  fmt::print(stderr, "\r\033[K{}", line);
  std::fflush(stderr);
}

void Progress::begin(StepKind kind, StepTime step, std::size_t series, std::size_t level, const char* what) {
  time_left_.starts(kind, step, std::chrono::steady_clock::now());
  if (!terminal_.is_tty) return;
  const auto& axes = spec_.axes;
  redraw(fmt::format("{}{}{}{}{}", what, plan_.series[series].id, axes.empty() ? "" : " · ",
                     axes.empty() ? "" : spec_.levels[level].label, last_.empty() ? "" : "   before: " + last_));
}

void Progress::starts(const PlannedTrial& trial) {
  begin(StepKind::trial, step_time(spec_, trial), trial.series, trial.level, "");
}

void Progress::starts(std::span<const PlannedDuet> together) {
  begin(StepKind::duets, step_time(spec_, together), together.front().series, together.front().level, "duet with ");
}

void Progress::finished(const TrialRecord& record) {
  time_left_.finished(std::chrono::steady_clock::now(), record.ok);
  last_ = rate_of(spec_, record);
  said("trial", record.cell, record.ok, what_came_out(spec_, record));
}

void Progress::finished(std::span<const DuetRecord> records) {
  const bool ok = std::ranges::all_of(records, &DuetRecord::ok);
  time_left_.finished(std::chrono::steady_clock::now(), ok);
  for (const auto& record : records) {
    last_ = record.ok ? ratio_of(record) : "failed";
    said("duet", record.series, record.ok, record.ok ? last_ : "failed: " + record.reason);
  }
}

// A line that stays: for every step where nothing is redrawn, else only for what failed.
void Progress::said(std::string_view kind, const std::string& who, bool ok, const std::string& what) {
  ++done_;
  if (ok && (terminal_.is_tty || talk_ == Talk::quiet)) return;
  fmt::print(stderr, "{}{} {}/{}  {}  {}  {}\n", terminal_.is_tty ? "\r\033[K" : "", kind, done_, all_, who, what,
             time_left());
}

}  // namespace iolab::lab
