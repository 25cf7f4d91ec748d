#include "experiments/trace/strip.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <nlohmann/json.hpp>

#include "experiments/trace/source_line.h"
#include "experiments/trace/strip_words.h"
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
    Look{Doing::unknown, "unknown", "#A6A6A6", "++", "?"},
    Look{Doing::notice, "notice", "#F0E442", "////", "~"},
    Look{Doing::wake_and_copy, "wake_and_copy", "#8DB6D6", "//", "▓"},
    Look{Doing::awake_and_copy, "awake_and_copy", "#5D9CCB", "/.", "%"},
    Look{Doing::copy, "copy", "#0072B2", "", "█"},
    Look{Doing::task_work, "task_work", "#0072B2", "oo", "■"},
    Look{Doing::copied_inside, "copied_inside", "#E3B5CE", "\\\\\\\\", "▒"},
    Look{Doing::copied_for_us, "copied_for_us", "#CC79A7", "\\\\", "▞"},
    Look{Doing::carried_out, "carried_out", "#B7DDF5", "||", ":"},
    Look{Doing::work, "work", "#009E73", "", "="},
    Look{Doing::broker_waits, "broker_waits", "#7CC4A8", "**", "w"},
    Look{Doing::reply, "reply", "#E69F00", "--", ">"},
    Look{Doing::other, "other", "#FFFFFF", "", "-"},
};
constexpr double kLeftShare = 0.2;  // of what lies right of the arrival
constexpr double kBreak = 0.12;     // where in it the mark stands that the two scales differ

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

std::string_view border_name(Border border) {
  switch (border) {
    case Border::none: return "none";
    case Border::exact: return "exact";
    case Border::seen: return "seen";
    case Border::at_most: return "at_most";
  }
  return "none";
}

// How many requests counted: in every model as many, unless a trace was too short for its requests.
std::string requests_of(const std::vector<Lane>& lanes) {
  std::vector<int> counts;
  for (const auto& lane : lanes) {
    if (lane.missing.empty()) counts.push_back(lane.requests);
  }
  if (counts.empty()) return "0";
  const auto [low, high] = std::ranges::minmax(counts);
  if (low == high) return with_thousands(low);
  return fmt::format("{}–{}", with_thousands(low), with_thousands(high));
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
          {"result", piece.result ? std::to_string(*piece.result) : ""},
          {"where", piece.where},
          {"source", source_line(piece.where)},
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
      case Row::kernel_thread: names.push_back(recorded("timeline.kernel_thread")); break;
    }
  }
  return names;
}

Json lane_of(const Lane& lane, const Scale& scale) {
  Json events = Json::array();
  for (const auto& piece : lane.pieces) events.push_back(event_of(piece, lane, scale));
  Json marks = Json::array();
  if (lane.missing.empty()) {
    const bool bounded = lane.border == Border::at_most;
    marks.push_back({{"at_us", 0.0},
                     {"label", recorded(bounded ? "timeline.sent" : "timeline.arrives")},
                     {"kind", bounded ? "sent" : "arrives"}});
    marks.push_back({{"at_us", std::min(lane.answered_us, scale.right)},
                     {"label", recorded("timeline.has_answer")},
                     {"kind", "answered"}});
  }
  return {{"series", lane.series},
          {"title", lane.series},
          {"text", lane.missing.empty() ? lane_text(lane) : ""},
          {"missing", lane.missing},
          {"border", border_name(lane.border)},
          {"lost_calls", lane.lost_calls},
          {"lost_kernel_records", lane.lost_records},
          {"threads", row_names(lane)},
          {"events", events},
          {"marks", marks}};
}

Json time_axis(const Scale& scale, double window_us) {
  const double right = scale.right;
  double step = 5;  // 5, 10, 20, 50, ...: about eight labels
  for (int i = 0; right / step > 10; ++i) step *= i % 3 == 2 ? 2.5 : 2;
  Json ticks = Json::array();
  ticks.push_back({{"at", scale.left}, {"label", recorded("timeline.before", {{"us", with_thousands(window_us)}})}});
  for (double at = 0; at <= right; at += step) ticks.push_back({{"at", at}, {"label", with_thousands(at)}});
  return {{"label", recorded("timeline.axis")},
          {"unit", "us"},
          {"scale", "linear"},
          {"min", scale.left},
          {"max", right},
          {"breaks", Json::array({scale.left * kBreak})},
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

std::string subtitle_of(const StripSubject& subject, const std::string& requests) {
  const auto rule = recorded(fmt::format("timeline.rule_{}", subject.exemplar), {{"requests", requests}});
  const auto text = recorded("timeline.subtitle", {{"work", subject.work}, {"rule", rule}});
  if (subject.overhead.empty()) return text;
  return recorded("timeline.subtitle_overhead", {{"text", text}, {"overhead", subject.overhead}});
}

Json strip_chart(const std::vector<Lane>& lanes, const StripSubject& subject) {
  const double right = right_edge(lanes);
  const Scale scale{-kLeftShare * right, right};
  Json drawn = Json::array();
  for (const auto& lane : lanes) drawn.push_back(lane_of(lane, scale));
  const auto title = title_for(lanes);
  return {{"id", subject.id},
          {"kind", "timeline"},
          {"title", title},
          {"subtitle", subtitle_of(subject, requests_of(lanes))},
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

std::string figures_of(const Words& words, const Lane& lane) {
  std::vector<std::string> parts;
  if (lane.asks()) parts.push_back(words.say("trace.in_vain", {{"times", lane.asked_in_vain}}));
  for (const Doing doing :
       {Doing::unknown, Doing::notice, Doing::wake_and_copy, Doing::awake_and_copy, Doing::copied_inside,
        Doing::copied_for_us, Doing::copy, Doing::task_work, Doing::work, Doing::broker_waits}) {
    double us = 0;
    for (const auto& piece : lane.pieces) {
      // The first bytes of a long request are copied before its last has come, and count as the title counts them.
      const bool counts = piece.from_us >= 0 || doing == Doing::copy;
      if (piece.doing == doing && lane.rows[piece.row] == Row::thread && counts) us += piece.length_us();
    }
    if (us > 0) parts.push_back(words.say(fmt::format("trace.{}", name(doing)), {{"us", three_digits(us)}}));
  }
  const auto total = lane.border == Border::at_most ? "trace.answer_at_most" : "trace.answer";
  parts.push_back(words.say(total, {{"us", three_digits(lane.answered_us)}}));
  if (lane.lost_calls > 0) {
    parts.push_back(words.say("trace.lost_calls", {{"calls", with_thousands(static_cast<double>(lane.lost_calls))}}));
  }
  if (lane.lost_records > 0) {
    parts.push_back(
        words.say("trace.lost_records", {{"records", with_thousands(static_cast<double>(lane.lost_records))}}));
  }
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
