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

}  // namespace iolab::lab
