// One request as a picture and as a line of text.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "experiments/terminal.h"
#include "experiments/trace.h"
#include "experiments/units.h"

namespace iolab::lab {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kEagain = -11;

struct StateLook {
  Doing doing;
  std::string_view id, label, color, hatch;
};
constexpr std::array kStates{
    StateLook{Doing::wait, "wait", "asleep in the kernel, until woken", "#D9D9D9", ""},
    StateLook{Doing::ask, "ask", "asked in vain (EAGAIN)", "#D55E00", "xxxx"},
    StateLook{Doing::receive, "receive", "taking the request", "#0072B2", ""},
    StateLook{Doing::work, "work", "the broker at work, log included", "#009E73", ""},
    StateLook{Doing::send, "send", "sending the answer", "#E69F00", "--"},
    StateLook{Doing::submit, "submit", "handing over or collecting orders", "#CC79A7", "\\\\"},
};

std::string piece_text(const Piece& piece) {
  if (piece.doing == Doing::work) return fmt::format("the broker: {} us", three_digits(piece.to_us - piece.from_us));
  const auto took = three_digits(piece.to_us - piece.from_us);
  if (piece.repeat > 1)
    return fmt::format("{} in vain, {} times in {} us", piece.call, with_thousands(piece.repeat), took);
  if (piece.result == kEagain) return fmt::format("{} in vain (EAGAIN) after {} us", piece.call, took);
  return fmt::format("{} returned {} after {} us", piece.call, piece.result, took);
}

std::string calls_text(const Lane& lane) {
  std::string text = fmt::format("{}, answer after {} us", counted(static_cast<std::uint64_t>(lane.calls), "call"),
                                 three_digits(lane.answered_us));
  if (lane.calls_in_vain > 0) text += fmt::format("; {} calls in vain", with_thousands(lane.calls_in_vain));
  if (lane.in_vain_before > 0) text += fmt::format(", {} before it", with_thousands(lane.in_vain_before));
  return text;
}

std::string title_for(const std::vector<Lane>& lanes) {
  const Lane* fewest = nullptr;
  const Lane* most = nullptr;
  for (const auto& lane : lanes) {
    if (!lane.missing.empty()) continue;
    const auto useful = [](const Lane& l) { return l.calls - l.calls_in_vain; };
    if (fewest == nullptr || useful(lane) < useful(*fewest)) fewest = &lane;
    if (most == nullptr || lane.calls > most->calls) most = &lane;
  }
  if (fewest == nullptr || most->calls <= fewest->calls) return "One request through every model";
  return fmt::format("One request: {} in {}, {} in {}", counted(static_cast<std::uint64_t>(fewest->calls), "call"),
                     fewest->series, with_thousands(most->calls), most->series);
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

Json event_of(const Piece& piece, double left, double right) {
  const auto& look = *std::ranges::find(kStates, piece.doing, &StateLook::doing);
  return {{"thread", piece.thread},
          {"state", look.id},
          {"call", piece.call},
          {"text", piece_text(piece)},
          {"from_us", piece.from_us},
          {"to_us", piece.to_us},
          {"draw_from_us", std::clamp(piece.from_us, left, right)},
          {"draw_to_us", std::clamp(piece.to_us, left, right)},
          {"result", piece.doing == Doing::work ? "" : std::to_string(piece.result)},
          {"where", piece.where},
          {"repeat", piece.repeat}};
}

Json lane_of(const Lane& lane, double left, double right) {
  Json events = Json::array();
  for (const auto& piece : lane.pieces) events.push_back(event_of(piece, left, right));
  Json marks = Json::array();
  if (lane.missing.empty()) {
    marks.push_back({{"at_us", 0.0}, {"label", "client sends"}});
    marks.push_back({{"at_us", std::min(lane.answered_us, right)}, {"label", "client has the answer"}});
  }
  return {{"series", lane.series},   {"title", lane.series},    {"text", lane.missing.empty() ? calls_text(lane) : ""},
          {"missing", lane.missing}, {"threads", lane.threads}, {"events", events},
          {"marks", marks}};
}

Json time_axis(double left, double right) {
  const double step = right > 400 ? 100 : right > 200 ? 50 : right > 80 ? 20 : right > 30 ? 10 : 5;
  Json ticks = Json::array();
  for (double at = 0; at <= right; at += step) ticks.push_back({{"at", at}, {"label", with_thousands(at)}});
  return {{"label", "time since the client sent the request"},
          {"unit", "us"},
          {"scale", "linear"},
          {"min", left},
          {"max", right},
          {"ticks", ticks},
          {"note", "what began earlier, or ends later, is cut at the edge"}};
}

}  // namespace

nlohmann::ordered_json timeline_chart(const std::vector<Lane>& lanes) {
  const double right = right_edge(lanes);
  const double left = -0.12 * right;
  Json drawn = Json::array();
  for (const auto& lane : lanes) drawn.push_back(lane_of(lane, left, right));
  Json states = Json::array();
  for (const auto& state : kStates) {
    states.push_back({{"id", state.id}, {"label", state.label}, {"color", state.color}, {"hatch", state.hatch}});
  }
  const auto title = title_for(lanes);
  return {{"id", "one_request"},
          {"kind", "timeline"},
          {"title", title},
          {"subtitle",
           "One produced record of 100 B, one connection: the request nearest to the median, traced. Tracing slows "
           "everything: this shows what happens, not how fast"},
          {"alt", title + ". For each model the calls of its threads from the client's send to its answer."},
          {"x", time_axis(left, right)},
          {"y",
           {{"label", ""},
            {"unit", ""},
            {"scale", "linear"},
            {"min", nullptr},
            {"max", nullptr},
            {"ticks", Json::array()},
            {"note", ""}}},
          {"states", states},
          {"panels", Json::array({{{"title", ""}, {"lanes", drawn}}})}};
}

std::string timeline_text(const std::vector<Lane>& lanes, int width) {
  std::size_t label = 0;
  for (const auto& lane : lanes) label = std::max(label, display_width(lane.series));
  const std::size_t indent = label + 4;
  std::string text;
  for (const auto& lane : lanes) {
    std::string line;
    const auto add = [&](const std::string& part) { line += (line.empty() ? "" : " → ") + part; };
    for (const auto& piece : lane.pieces) {
      const double took = piece.to_us - std::max(piece.from_us, 0.0);
      if (piece.doing == Doing::work)
        add("broker " + three_digits(took));
      else if (piece.repeat > 1)
        add(fmt::format("{} in vain x{}", piece.call, with_thousands(piece.repeat)));
      else if (piece.doing == Doing::ask)
        add(piece.call + " in vain");
      else if (piece.doing == Doing::wait && piece.from_us < 0)
        add(fmt::format("{} woke at {}", piece.call, three_digits(piece.to_us)));
      else if (piece.to_us > lane.answered_us && piece.doing == Doing::wait)
        add(piece.call + " (asleep again)");
      else
        add(fmt::format("{} {}", piece.call, three_digits(took)));
    }
    if (lane.missing.empty()) {
      line += fmt::format(" = answer after {} us", three_digits(lane.answered_us));
    } else {
      line = "not here: " + lane.missing;
    }
    text +=
        "  " + padded(lane.series, label) + "  " + folded(line, static_cast<std::size_t>(width), indent, indent) + "\n";
  }
  return text;
}

}  // namespace iolab::lab
