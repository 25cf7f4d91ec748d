#include "experiments/trace/strip.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <nlohmann/json.hpp>

#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

using Json = nlohmann::ordered_json;

struct Look {
  Doing doing;
  std::string_view id, color, hatch;
  std::string_view sign;  // in the terminal
};
// The colours of the textbook's words: grey sleeps, blue copies, green works; what is somebody else's time is hatched.
constexpr std::array kLooks{
    Look{Doing::blocked, "blocked", "#D9D9D9", "", "░"},
    Look{Doing::spinning, "spinning", "#D55E00", "xxxx", "x"},
    Look{Doing::handed_over, "handed_over", "#56B4E9", "..", "·"},
    Look{Doing::notice, "notice", "#F0E442", "////", "~"},
    Look{Doing::wake_and_copy, "wake_and_copy", "#8DB6D6", "//", "▓"},
    Look{Doing::copy, "copy", "#0072B2", "", "█"},
    Look{Doing::copied_for_us, "copied_for_us", "#CC79A7", "\\\\", "▞"},
    Look{Doing::work, "work", "#009E73", "", "="},
    Look{Doing::reply, "reply", "#E69F00", "--", ">"},
    Look{Doing::other, "other", "#FFFFFF", "", "-"},
};
constexpr double kLeftShare = 0.2;  // of what lies right of the arrival

const Look& look_of(Doing doing) {
  return *std::ranges::find(kLooks, doing, &Look::doing);
}

// One slow model must not press all others into a corner: what is cut off has its number printed.
double right_edge(const std::vector<Lane>& lanes) {
  std::vector<double> totals;
  for (const auto& lane : lanes) {
    if (lane.missing.empty()) totals.push_back(lane.answered_us);
  }
  if (totals.empty()) return 1;
  std::ranges::sort(totals);
  return std::min(totals.back() * 1.1, totals[totals.size() / 2] * 2.5);
}

// Two scales that meet at the arrival.
struct Scale {
  double left;  // of the drawing, negative
  double right;
  double place(double at_us, double window_us) const {
    if (at_us >= 0) return std::min(at_us, right);
    return window_us > 0 ? left * std::min(1.0, -at_us / window_us) : 0;
  }
};

std::string piece_text(const Piece& piece) {
  const Slot took("us", three_digits(piece.length_us()));
  const auto doing = recorded(fmt::format("timeline.{}", look_of(piece.doing).id));
  if (piece.call.empty()) return recorded("timeline.piece", {{"doing", doing}, took});
  const Slot call("call", piece.call);
  if (piece.repeat > 1) return recorded("timeline.piece_in_vain", {call, {"times", piece.repeat}, took});
  const bool sleeps = piece.doing == Doing::blocked && piece.cpu_us > 0;
  if (sleeps) {
    return recorded("timeline.piece_asleep", {call, {"doing", doing}, took, {"cpu", three_digits(piece.cpu_us)}});
  }
  return recorded("timeline.piece_call", {call, {"doing", doing}, took, {"result", std::to_string(piece.result)}});
}

std::string lane_text(const Lane& lane) {
  const Slot answered("us", three_digits(lane.answered_us));
  const bool exact = lane.border == Border::exact;
  const auto after = recorded(exact ? "timeline.answer" : "timeline.answer_at_most", {answered});
  if (lane.asked_in_vain > 0) {
    return recorded("timeline.lane_spinning", {{"times", lane.asked_in_vain}, {"answer", after}});
  }
  return recorded(
      "timeline.lane_asleep",
      {{"us", three_digits(lane.blocked_us)}, {"cpu", three_digits(lane.blocked_cpu_us)}, {"answer", after}});
}

// What the picture shows before all else: who slept, and who asked.
std::string title_for(const std::vector<Lane>& lanes) {
  const Lane* asks = nullptr;
  double longest = 0;
  double dearest = 0;
  for (const auto& lane : lanes) {
    if (!lane.missing.empty()) continue;
    if (lane.asked_in_vain > 0 && (asks == nullptr || lane.asked_in_vain > asks->asked_in_vain)) asks = &lane;
    if (lane.asked_in_vain > 0) continue;
    longest = std::max(longest, lane.blocked_us);
    dearest = std::max(dearest, lane.blocked_cpu_us);
  }
  if (longest <= 0) return recorded("timeline.title_plain");
  const Slot cpu("cpu", three_digits(dearest));
  if (asks == nullptr) return recorded("timeline.title_asleep", {cpu});
  return recorded("timeline.title", {{"model", asks->series}, {"times", asks->asked_in_vain}, cpu});
}

Json event_of(const Piece& piece, const Lane& lane, const Scale& scale) {
  return {{"thread", piece.row},
          {"state", look_of(piece.doing).id},
          {"call", piece.call},
          {"text", piece_text(piece)},
          {"from_us", piece.from_us},
          {"to_us", piece.to_us},
          {"draw_from_us", scale.place(piece.from_us, lane.window_us)},
          {"draw_to_us", scale.place(piece.to_us, lane.window_us)},
          {"result", piece.call.empty() ? "" : std::to_string(piece.result)},
          {"where", piece.where},
          {"repeat", piece.repeat}};
}

std::vector<std::string> row_names(const Lane& lane) {
  std::vector<std::string> names;
  int threads = 0;
  for (const Row row : lane.rows) {
    switch (row) {
      case Row::thread: names.push_back(recorded("timeline.thread", {{"number", ++threads}})); break;
      case Row::order: names.push_back(recorded("timeline.order")); break;
      case Row::helper: names.push_back(recorded("timeline.helper")); break;
    }
  }
  return names;
}

Json lane_of(const Lane& lane, const Scale& scale) {
  Json events = Json::array();
  for (const auto& piece : lane.pieces) events.push_back(event_of(piece, lane, scale));
  Json marks = Json::array();
  if (lane.missing.empty()) {
    marks.push_back({{"at_us", 0.0}, {"label", recorded("timeline.arrives")}});
    marks.push_back({{"at_us", std::min(lane.answered_us, scale.right)}, {"label", recorded("timeline.has_answer")}});
  }
  return {
      {"series", lane.series},   {"title", lane.series},       {"text", lane.missing.empty() ? lane_text(lane) : ""},
      {"missing", lane.missing}, {"threads", row_names(lane)}, {"events", events},
      {"marks", marks}};
}

Json time_axis(const Scale& scale, double window_us) {
  const double right = scale.right;
  const double step = right > 400 ? 100 : right > 200 ? 50 : right > 80 ? 20 : right > 30 ? 10 : 5;
  Json ticks = Json::array();
  ticks.push_back({{"at", scale.left}, {"label", recorded("timeline.before", {{"us", with_thousands(window_us)}})}});
  for (double at = 0; at <= right; at += step) ticks.push_back({{"at", at}, {"label", with_thousands(at)}});
  return {{"label", recorded("timeline.axis")},
          {"unit", "us"},
          {"scale", "linear"},
          {"min", scale.left},
          {"max", right},
          {"ticks", ticks},
          {"note", recorded("timeline.cut")}};
}

double longest_window(const std::vector<Lane>& lanes) {
  double longest = 0;
  for (const auto& lane : lanes) longest = std::max(longest, lane.window_us);
  return longest;
}

}  // namespace

std::string_view name(Doing doing) {
  return look_of(doing).id;
}

Json doing_states() {
  Json states = Json::array();
  for (const auto& look : kLooks) {
    states.push_back({{"id", look.id},
                      {"label", recorded(fmt::format("timeline.{}", look.id))},
                      {"color", look.color},
                      {"hatch", look.hatch}});
  }
  return states;
}

std::string subtitle_of(const StripSubject& subject, int requests) {
  const auto rule = recorded(fmt::format("timeline.rule_{}", subject.exemplar), {{"requests", requests}});
  const auto text = recorded("timeline.subtitle", {{"work", subject.work}, {"rule", rule}});
  if (subject.overhead.empty()) return text;
  return recorded("timeline.subtitle_overhead", {{"text", text}, {"overhead", subject.overhead}});
}

Json strip_chart(const std::vector<Lane>& lanes, const StripSubject& subject) {
  const double right = right_edge(lanes);
  const Scale scale{-kLeftShare * right, right};
  Json drawn = Json::array();
  int requests = 0;
  for (const auto& lane : lanes) {
    drawn.push_back(lane_of(lane, scale));
    requests = std::max(requests, lane.requests);
  }
  const auto title = title_for(lanes);
  return {{"id", subject.id},
          {"kind", "timeline"},
          {"title", title},
          {"subtitle", subtitle_of(subject, requests)},
          {"alt", recorded("timeline.alt", {{"title", title}})},
          {"x", time_axis(scale, longest_window(lanes))},
          {"y",
           {{"label", ""},
            {"unit", ""},
            {"scale", "linear"},
            {"min", nullptr},
            {"max", nullptr},
            {"ticks", Json::array()},
            {"note", ""}}},
          {"states", doing_states()},
          {"panels", Json::array({{{"title", ""}, {"lanes", drawn}}})}};
}

namespace {

// The row of the thread that served, as signs: `left` of them for the waiting, the others for what came after.
std::string bar_of(const Lane& lane, std::size_t row, std::size_t left, std::size_t right, double right_us) {
  std::vector<std::string_view> signs(left + right, " ");
  const auto column = [&](double at_us) {
    const double before = lane.window_us > 0 ? std::min(1.0, -at_us / lane.window_us) : 0;
    const double at = at_us < 0
                          ? static_cast<double>(left) * (1 - before)
                          : static_cast<double>(left) + static_cast<double>(right) * std::min(1.0, at_us / right_us);
    return std::min(signs.size(), static_cast<std::size_t>(at));
  };
  // Each piece has one sign at least, so the short ones come last: a long neighbour would cover them.
  std::vector<const Piece*> pieces;
  for (const auto& piece : lane.pieces) {
    if (piece.row == row) pieces.push_back(&piece);
  }
  std::ranges::stable_sort(pieces, std::greater{}, &Piece::length_us);
  for (const auto* piece : pieces) {
    const auto from = column(piece->from_us);
    const auto to = std::max(column(piece->to_us), std::min(from + 1, signs.size()));
    std::fill(signs.begin() + static_cast<std::ptrdiff_t>(from), signs.begin() + static_cast<std::ptrdiff_t>(to),
              look_of(piece->doing).sign);
  }
  signs.insert(signs.begin() + static_cast<std::ptrdiff_t>(left), "|");
  std::string text;
  for (const auto sign : signs) text += sign;
  return text;
}

// The row in which the answer was made.
std::size_t serving_row(const Lane& lane) {
  for (const Doing doing : {Doing::work, Doing::reply, Doing::copy, Doing::wake_and_copy}) {
    const auto piece = std::ranges::find(lane.pieces, doing, &Piece::doing);
    if (piece != lane.pieces.end()) return piece->row;
  }
  return 0;
}

std::string figures_of(const Words& words, const Lane& lane) {
  std::vector<std::string> parts;
  if (lane.asked_in_vain > 0) parts.push_back(words.say("trace.in_vain", {{"times", lane.asked_in_vain}}));
  for (const Doing doing : {Doing::notice, Doing::wake_and_copy, Doing::copied_for_us, Doing::copy, Doing::work}) {
    double us = 0;
    for (const auto& piece : lane.pieces) {
      if (piece.doing == doing && lane.rows[piece.row] == Row::thread && piece.from_us >= 0) us += piece.length_us();
    }
    if (us > 0) parts.push_back(words.say(fmt::format("trace.{}", name(doing)), {{"us", three_digits(us)}}));
  }
  const auto total = lane.border == Border::exact ? "trace.answer" : "trace.answer_at_most";
  parts.push_back(words.say(total, {{"us", three_digits(lane.answered_us)}}));
  return words.comma_parted(parts);
}

std::string signs_text(const Words& words, const std::vector<Lane>& lanes) {
  std::vector<std::string> parts;
  for (const auto& look : kLooks) {
    const bool used = std::ranges::any_of(lanes, [&](const Lane& lane) {
      const auto row = serving_row(lane);
      return std::ranges::any_of(lane.pieces,
                                 [&](const Piece& piece) { return piece.row == row && piece.doing == look.doing; });
    });
    if (used) parts.push_back(fmt::format("{} {}", look.sign, words.say(fmt::format("trace.sign_{}", look.id))));
  }
  return words.comma_parted(parts);
}

}  // namespace

std::string strip_text(const Words& words, const std::vector<Lane>& lanes, const Terminal& terminal) {
  std::size_t label = 0;
  for (const auto& lane : lanes) label = std::max(label, display_width(lane.series));
  const auto width = static_cast<std::size_t>(std::clamp(terminal.width, 60, 140));
  const std::size_t bar = std::clamp<std::size_t>(width - label - 5, 20, 72);
  const std::size_t left = bar / 4;
  const std::size_t indent = label + 4;
  const double right_us = right_edge(lanes);
  std::string text;
  for (const auto& lane : lanes) {
    text += "  " + padded(lane.series, label) + "  ";
    if (!lane.missing.empty()) {
      text +=
          folded(words.say("trace.missing", {{"reason", words.retold(lane.missing)}}), width, label + 4, label + 4) +
          "\n";
      continue;
    }
    text += bar_of(lane, serving_row(lane), left, bar - left, right_us) + "\n" + std::string(indent, ' ');
    text += folded(figures_of(words, lane), width, indent, indent) + "\n";
  }
  return text + "\n  " + folded(signs_text(words, lanes), width, 2, 2) + "\n";
}

}  // namespace iolab::lab
