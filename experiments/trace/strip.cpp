#include "experiments/trace/strip.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <functional>
#include <nlohmann/json.hpp>

#include "experiments/trace/source_line.h"
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
    Look{Doing::copy, "copy", "#0072B2", "", "█"},
    Look{Doing::task_work, "task_work", "#0072B2", "oo", "■"},
    Look{Doing::copied_inside, "copied_inside", "#E3B5CE", "\\\\\\\\", "▒"},
    Look{Doing::copied_for_us, "copied_for_us", "#CC79A7", "\\\\", "▞"},
    Look{Doing::carried_out, "carried_out", "#B7DDF5", "||", ":"},
    Look{Doing::work, "work", "#009E73", "", "="},
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
  if (!piece.result) return recorded("timeline.piece_open", {call, {"doing", doing}, took});
  return recorded("timeline.piece_call", {call, {"doing", doing}, took, {"result", std::to_string(*piece.result)}});
}

std::string lane_text(const Lane& lane) {
  const Slot answered("us", three_digits(lane.answered_us));
  const bool bounded = lane.border == Border::at_most;
  const auto after = recorded(bounded ? "timeline.answer_at_most" : "timeline.answer", {answered});
  if (lane.asks()) return recorded("timeline.lane_spinning", {{"times", lane.asked_in_vain}, {"answer", after}});
  const auto key = lane.only_waits ? "timeline.lane_asleep" : "timeline.lane_asleep_in_call";
  return recorded(
      key, {{"us", three_digits(lane.blocked_us)}, {"cpu", three_digits(lane.blocked_cpu_us)}, {"answer", after}});
}

// In the threads' own calls, and in those of hidden ones; 0: it cannot be told from other things.
double copy_us(const Lane& lane) {
  double us = 0;
  for (const auto& piece : lane.pieces) {
    if (piece.doing == Doing::copy || piece.doing == Doing::task_work) us += piece.length_us();
  }
  return us;
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

// The row in which the answer was made.
std::size_t serving_row(const Lane& lane) {
  for (const Doing doing : {Doing::work, Doing::reply, Doing::copy, Doing::wake_and_copy}) {
    const auto piece = std::ranges::find_if(
        lane.pieces, [&](const Piece& each) { return each.doing == doing && lane.rows[each.row] == Row::thread; });
    if (piece != lane.pieces.end()) return piece->row;
  }
  return 0;
}

std::string figures_of(const Words& words, const Lane& lane) {
  std::vector<std::string> parts;
  if (lane.asks()) parts.push_back(words.say("trace.in_vain", {{"times", lane.asked_in_vain}}));
  for (const Doing doing : {Doing::unknown, Doing::notice, Doing::wake_and_copy, Doing::copied_inside,
                            Doing::copied_for_us, Doing::copy, Doing::task_work, Doing::work}) {
    double us = 0;
    for (const auto& piece : lane.pieces) {
      if (piece.doing == doing && lane.rows[piece.row] == Row::thread && piece.from_us >= 0) us += piece.length_us();
    }
    if (us > 0) parts.push_back(words.say(fmt::format("trace.{}", name(doing)), {{"us", three_digits(us)}}));
  }
  const auto total = lane.border == Border::at_most ? "trace.answer_at_most" : "trace.answer";
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
