#include "experiments/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "experiments/terminal.h"
#include "experiments/units.h"

namespace iolab::lab {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kEagain = -11;
constexpr double kWorthShowing = 1;  // a shorter pause between two calls is no work of the broker

bool one_of(std::string_view word, std::string_view list) {
  return list.find(fmt::format(" {} ", word)) != std::string_view::npos;
}

bool is_wait(std::string_view call) {
  return one_of(call, " select poll epoll_wait rt_sigtimedwait nanosleep sched_yield futex_wait ");
}

Doing doing_of(const TracedCall& call, std::int64_t sent_ns) {
  const bool straddles = call.entered_ns < sent_ns && call.returned_ns > sent_ns;
  if (call.result == kEagain) return Doing::ask;
  if (is_wait(call.call)) return call.result == 0 && !straddles ? Doing::ask : Doing::wait;
  if (straddles) return Doing::wait;  // slept in it until the bytes came
  if (one_of(call.call, " recv recvmsg read ")) return Doing::receive;
  if (one_of(call.call, " send sendmsg write ")) return Doing::send;
  return Doing::submit;
}

double us_since(std::int64_t ns, std::int64_t zero_ns) {
  return static_cast<double>(ns - zero_ns) / 1000;
}

// A run of calls in vain becomes one piece, from the first to the last, whatever calls they are.
void add_piece(std::vector<Piece>& pieces, Piece piece) {
  if (piece.doing == Doing::ask) {
    const auto last =
        std::find_if(pieces.rbegin(), pieces.rend(), [&](const Piece& p) { return p.thread == piece.thread; });
    if (last != pieces.rend() && last->doing == Doing::ask) {
      if (last->call.find(piece.call) == std::string::npos) last->call += " and " + piece.call;
      last->to_us = piece.to_us;
      last->repeat += piece.repeat;
      return;
    }
  }
  pieces.push_back(std::move(piece));
}

// What a thread does between being woken and sending, or handing over, its answer is the broker's work.
void add_work(Lane& lane) {
  std::vector<Piece> all;
  std::map<std::size_t, const Piece*> last;
  bool answered = false;
  for (const auto& piece : lane.pieces) {
    const auto before = last.find(piece.thread);
    const bool answers = piece.doing == Doing::send || piece.doing == Doing::submit;
    if (before != last.end() && answers && !answered && before->second->doing != Doing::ask) {
      const double from = before->second->to_us;
      if (from > 0 && piece.from_us - from > kWorthShowing) {
        all.push_back({piece.thread, Doing::work, "", "", from, piece.from_us, 0, 1});
      }
    }
    answered = answered || piece.doing == Doing::send;
    all.push_back(piece);
    last[piece.thread] = &piece;
  }
  lane.pieces = std::move(all);
}

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

}  // namespace

std::vector<TracedCall> parse_trace(std::string_view text) {
  std::vector<TracedCall> calls;
  while (!text.empty()) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) break;
    const auto line = nlohmann::json::parse(text.substr(0, end), nullptr, false);
    text.remove_prefix(end + 1);
    if (!line.is_object()) continue;
    calls.push_back({line.value("call", ""), line.value("where", ""), line.value("thread", std::int64_t{0}),
                     line.value("entered_ns", std::int64_t{0}), line.value("returned_ns", std::int64_t{0}),
                     line.value("result", std::int64_t{0})});
  }
  std::ranges::stable_sort(calls, {}, &TracedCall::entered_ns);
  return calls;
}

std::size_t middle_request(const std::vector<TimedRequest>& requests) {
  const std::size_t first = requests.size() / 4;  // connections and caches are cold at first
  std::vector<std::size_t> order;
  for (std::size_t i = first; i < requests.size(); ++i) order.push_back(i);
  std::ranges::sort(order, {}, [&](std::size_t i) { return requests[i].answered_ns - requests[i].sent_ns; });
  return order.empty() ? 0 : order[order.size() / 2];
}

Lane make_lane(const std::string& series, const std::vector<TracedCall>& calls,
               const std::vector<TimedRequest>& requests) {
  Lane lane{.series = series, .missing = "", .threads = {}, .pieces = {}};
  lane.requests = static_cast<int>(requests.size());
  if (requests.empty()) {
    lane.missing = "no request was answered";
    return lane;
  }
  const auto chosen = middle_request(requests);
  const auto& request = requests[chosen];
  const std::int64_t before = chosen > 0 ? requests[chosen - 1].answered_ns : request.sent_ns;
  lane.answered_us = us_since(request.answered_ns, request.sent_ns);
  std::map<std::int64_t, std::size_t> threads;
  for (const auto& call : calls) {
    if (call.returned_ns <= before || call.entered_ns >= request.answered_ns) continue;
    // It slept in this call all the time: a thread that has nothing to do with this request.
    if (call.entered_ns <= request.sent_ns && call.returned_ns >= request.answered_ns) continue;
    auto doing = doing_of(call, request.sent_ns);
    // Still in it when the client had its answer, and not sending: asleep again.
    const bool outlasts = call.returned_ns > request.answered_ns;
    if (outlasts && doing != Doing::send && doing != Doing::ask) doing = Doing::wait;
    const bool under_way = call.returned_ns > request.sent_ns;
    if (!under_way && doing != Doing::ask) continue;  // the end of the request before
    const auto thread = threads.try_emplace(call.thread, threads.size()).first->second;
    lane.calls += under_way;
    lane.calls_in_vain += under_way && doing == Doing::ask;
    lane.in_vain_before += !under_way;
    add_piece(lane.pieces, {thread, doing, call.call, call.where, us_since(call.entered_ns, request.sent_ns),
                            us_since(call.returned_ns, request.sent_ns), call.result, 1});
  }
  for (std::size_t i = 0; i < threads.size(); ++i) lane.threads.push_back(fmt::format("thread {}", i + 1));
  if (lane.pieces.empty()) lane.missing = "the trace holds no call of this request";
  add_work(lane);
  return lane;
}

nlohmann::ordered_json timeline_chart(const std::vector<Lane>& lanes) {
  double longest = 1;
  const Lane* fewest = nullptr;
  const Lane* most = nullptr;
  std::vector<double> totals;
  for (const auto& lane : lanes) {
    if (!lane.missing.empty()) continue;
    totals.push_back(lane.answered_us);
    const auto useful = [](const Lane& l) { return l.calls - l.calls_in_vain; };
    if (fewest == nullptr || useful(lane) < useful(*fewest)) fewest = &lane;
    if (most == nullptr || lane.calls > most->calls) most = &lane;
  }
  std::ranges::sort(totals);
  // One slow model must not press all others into a corner: what is cut off has its number printed.
  if (!totals.empty()) longest = std::min(totals.back() * 1.1, totals[totals.size() / 2] * 2.5);
  const double left = -0.12 * longest;
  Json drawn = Json::array();
  for (const auto& lane : lanes) {
    Json events = Json::array();
    for (const auto& piece : lane.pieces) {
      const auto& look = *std::ranges::find(kStates, piece.doing, &StateLook::doing);
      events.push_back({{"thread", piece.thread},
                        {"state", look.id},
                        {"call", piece.call},
                        {"text", piece_text(piece)},
                        {"from_us", piece.from_us},
                        {"to_us", piece.to_us},
                        {"draw_from_us", std::clamp(piece.from_us, left, longest)},
                        {"draw_to_us", std::clamp(piece.to_us, left, longest)},
                        {"result", piece.doing == Doing::work ? "" : std::to_string(piece.result)},
                        {"where", piece.where},
                        {"repeat", piece.repeat}});
    }
    Json marks = Json::array();
    if (lane.missing.empty()) {
      marks.push_back({{"at_us", 0.0}, {"label", "client sends"}});
      marks.push_back({{"at_us", std::min(lane.answered_us, longest)}, {"label", "client has the answer"}});
    }
    drawn.push_back({{"series", lane.series},
                     {"title", lane.series},
                     {"text", lane.missing.empty() ? calls_text(lane) : ""},
                     {"missing", lane.missing},
                     {"threads", lane.threads},
                     {"events", events},
                     {"marks", marks}});
  }
  Json states = Json::array();
  for (const auto& state : kStates) {
    states.push_back({{"id", state.id}, {"label", state.label}, {"color", state.color}, {"hatch", state.hatch}});
  }
  std::string title = "One request through every model";
  if (fewest != nullptr && most != nullptr && most->calls > fewest->calls) {
    title = fmt::format("One request: {} in {}, {} in {}", counted(static_cast<std::uint64_t>(fewest->calls), "call"),
                        fewest->series, with_thousands(most->calls), most->series);
  }
  Json ticks = Json::array();
  const double step = longest > 400 ? 100 : longest > 200 ? 50 : longest > 80 ? 20 : longest > 30 ? 10 : 5;
  for (double at = 0; at <= longest; at += step) ticks.push_back({{"at", at}, {"label", with_thousands(at)}});
  return {{"id", "one_request"},
          {"kind", "timeline"},
          {"title", title},
          {"subtitle",
           "One produced record of 100 B, one connection: the request nearest to the median, traced. Tracing slows "
           "everything: this shows what happens, not how fast"},
          {"alt", title + ". For each model the calls of its threads from the client's send to its answer."},
          {"x",
           {{"label", "time since the client sent the request"},
            {"unit", "us"},
            {"scale", "linear"},
            {"min", left},
            {"max", longest},
            {"ticks", ticks},
            {"note", "what began earlier, or ends later, is cut at the edge"}}},
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
