#include "experiments/trace/strip_words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "experiments/trace/strip.h"
#include "experiments/words/units.h"
#include "experiments/words/words.h"

namespace iolab::lab {
namespace {

std::string answer_text(const Lane& lane) {
  const Slot answered("us", three_digits(lane.answered_us));
  const double waited_us = lane.total_us(Doing::broker_waits);
  const bool bounded = lane.border == Border::at_most;
  if (waited_us <= 0) return recorded(bounded ? "timeline.answer_at_most" : "timeline.answer", {answered});
  const auto key = bounded ? "timeline.answer_at_most_parked" : "timeline.answer_parked";
  return recorded(key, {answered, {"waited", three_digits(waited_us)}});
}

std::string course_text(const Lane& lane) {
  const auto after = answer_text(lane);
  if (lane.asks()) return recorded("timeline.lane_spinning", {{"times", lane.asked_in_vain}, {"answer", after}});
  const auto key = lane.only_waits ? "timeline.lane_asleep" : "timeline.lane_asleep_in_call";
  return recorded(
      key, {{"us", three_digits(lane.blocked_us)}, {"cpu", three_digits(lane.blocked_cpu_us)}, {"answer", after}});
}

// In the threads' own calls, and in those of hidden ones; 0: it cannot be told from other things.
double copy_us(const Lane& lane) {
  return lane.total_us(Doing::copy) + lane.total_us(Doing::task_work);
}

// "All but nonblocking sleep in phase 1"; empty: nobody is known to sleep.
std::string who_sleeps(const std::vector<Lane>& lanes) {
  std::vector<std::string> asking;
  std::vector<std::string> asleep;
  for (const auto& lane : lanes) {
    if (!lane.missing.empty()) continue;
    if (!lane.asks() && lane.blocked_us <= 0) return {};
    (lane.asks() ? asking : asleep).push_back(lane.series);
  }
  if (asleep.empty()) return {};
  if (asleep.size() == 1) return recorded("timeline.who_one", {{"model", asleep.front()}});
  if (asking.empty()) return recorded("timeline.who_all");
  return recorded("timeline.who_all_but", {{"models", fmt::format("{}", fmt::join(asking, ", "))}});
}

}  // namespace

std::string piece_text(const Piece& piece) {
  const Slot took("us", three_digits(piece.length_us()));
  const auto doing = recorded(fmt::format("timeline.{}", name(piece.doing)));
  if (piece.call.empty()) return recorded("timeline.piece", {{"doing", doing}, took});
  const Slot call("call", piece.call);
  if (piece.repeat > 1) {
    const auto key = piece.doing == Doing::broker_waits ? "timeline.piece_in_hand" : "timeline.piece_in_vain";
    return recorded(key, {call, {"times", piece.repeat}, took});
  }
  const bool sleeps = piece.doing == Doing::blocked && piece.cpu_us > 0;
  if (sleeps) {
    return recorded("timeline.piece_asleep", {call, {"doing", doing}, took, {"cpu", three_digits(piece.cpu_us)}});
  }
  if (!piece.result) return recorded("timeline.piece_open", {call, {"doing", doing}, took});
  return recorded("timeline.piece_call", {call, {"doing", doing}, took, {"result", std::to_string(*piece.result)}});
}

// What was lost stands beside what is shown, or the rest would seem to be all.
std::string lane_text(const Lane& lane) {
  auto text = course_text(lane);
  if (lane.lost_calls > 0) {
    text = recorded("timeline.lost_calls",
                    {{"text", text}, {"calls", with_thousands(static_cast<double>(lane.lost_calls))}});
  }
  if (lane.lost_records > 0) {
    text = recorded("timeline.lost_records",
                    {{"text", text}, {"records", with_thousands(static_cast<double>(lane.lost_records))}});
  }
  return text;
}

// What the picture shows before all else: who slept, and how short the copy is.
std::string title_for(const std::vector<Lane>& lanes) {
  const auto who = who_sleeps(lanes);
  if (who.empty()) return recorded("timeline.title_plain");
  std::vector<double> copies;
  for (const auto& lane : lanes) {
    if (const double us = copy_us(lane); us > 0) copies.push_back(us);
  }
  if (copies.empty()) return who;
  const auto [least, most] = std::ranges::minmax(copies);
  const auto low = three_digits(least);
  const auto high = three_digits(most);
  if (low == high) return recorded("timeline.title_one_copy", {{"who", who}, {"us", low}});
  return recorded("timeline.title", {{"who", who}, {"low", low}, {"high", high}});
}

}  // namespace iolab::lab
