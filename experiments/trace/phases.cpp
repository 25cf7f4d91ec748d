#include "experiments/trace/phases.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <string_view>

#include "experiments/trace/in_hand.h"

namespace iolab::lab {
namespace {

constexpr double kWorthShowing = 1;  // us; a shorter pause between two calls is no work of the session

bool one_of(std::string_view word, std::string_view list) {
  return list.find(fmt::format(" {} ", word)) != std::string_view::npos;
}
bool waits(const TracedCall& call) {
  return one_of(call.call, " select poll epoll_wait rt_sigtimedwait io_uring_enter futex_wait ");
}
bool pauses(const TracedCall& call) {  // for a time, whatever comes
  return one_of(call.call, " nanosleep sched_yield ");
}
// read() and write() are a bell's: no model asks them of a socket.
bool receives(const TracedCall& call) {
  return one_of(call.call, " recv recvmsg ");
}
bool sends(const TracedCall& call) {
  return one_of(call.call, " send sendmsg aio_write ");
}

// The kernel's stamp of the last bytes of this request, or nothing.
std::optional<std::int64_t> arrival_of(const std::vector<TracedCall>& calls, const TimedRequest& request) {
  std::optional<std::int64_t> last;
  for (const auto& call : calls) {
    const bool of_this = call.arrived_ns >= request.sent_ns && call.arrived_ns <= request.answered_ns;
    if (of_this && call.arrived_ns > last.value_or(0)) last = call.arrived_ns;
  }
  return last;
}

class LaneMaker {
 public:
  LaneMaker(const std::string& series, const TimedRequest& request, std::int64_t before_ns, Border border,
            std::int64_t arrived_ns, std::optional<InHand> in_hand)
      : request_(request), before_ns_(before_ns), arrived_ns_(arrived_ns), in_hand_(in_hand) {
    lane_.series = series;
    lane_.zero_ns = arrived_ns;
    lane_.border = border;
    lane_.sent_us = us(request.sent_ns);
    lane_.answered_us = us(request.answered_ns);
    lane_.window_us = -us(before_ns);
  }

  void add(const TracedCall& call) {
    if (!call.is_order) note_order(call);
    if (call.returned_ns <= before_ns_ || call.entered_ns >= request_.answered_ns) return;
    if (call.is_order) return add_order(call);
    // It slept in this call all the time: a thread that has nothing to do with this request.
    if (call.entered_ns <= request_.sent_ns && call.returned_ns >= request_.answered_ns) return;
    count(call);
    add_call(call);
  }

  Lane finished() {
    threads_first();
    add_notice();
    add_work();
    std::ranges::stable_sort(lane_.pieces, {}, [](const Piece& piece) { return std::pair(piece.row, piece.from_us); });
    if (lane_.pieces.empty()) lane_.missing = "the trace holds no call of this request";
    return std::move(lane_);
  }

 private:
  double us(std::int64_t ns) const { return static_cast<double>(ns - arrived_ns_) / 1000; }

  std::size_t row_of(std::int64_t thread) {
    const auto [found, is_new] = rows_.try_emplace(thread, lane_.rows.size());
    if (is_new) {
      lane_.threads.resize(lane_.rows.size(), 0);  // orders between have none
      lane_.threads.push_back(thread);
      lane_.rows.push_back(Row::thread);
    }
    return found->second;
  }
  std::size_t order_row() {
    if (!order_row_) {
      order_row_ = lane_.rows.size();
      lane_.rows.push_back(Row::order);
    }
    return *order_row_;
  }

  // An order is older than the call that sleeps for it, and is drawn below.
  void threads_first() {
    lane_.threads.resize(lane_.rows.size(), 0);
    std::vector<std::size_t> order(lane_.rows.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_partition(order, [&](std::size_t row) { return lane_.rows[row] == Row::thread; });
    std::vector<std::size_t> place(order.size());
    std::vector<Row> rows;
    std::vector<std::int64_t> threads;
    for (std::size_t i = 0; i < order.size(); ++i) {
      place[order[i]] = i;
      rows.push_back(lane_.rows[order[i]]);
      threads.push_back(lane_.threads[order[i]]);
    }
    for (auto& piece : lane_.pieces) piece.row = place[piece.row];
    lane_.rows = std::move(rows);
    lane_.threads = std::move(threads);
  }

  void count(const TracedCall& call) {
    const bool under_way = call.returned_ns > request_.sent_ns;
    lane_.calls += under_way;
    lane_.calls_in_vain += under_way && call.in_vain();
    if (call.entered_ns < arrived_ns_ && call.in_vain()) ++lane_.asked_in_vain;
    const bool sleeps = waits(call) || receives(call) || call.call == "nanosleep";
    if (call.entered_ns >= arrived_ns_ || call.in_vain() || !sleeps) return;
    lane_.only_waits = lane_.only_waits && !receives(call) && call.call != "io_uring_enter";
    lane_.blocked_us += us(std::min(call.returned_ns, arrived_ns_)) - us(std::max(call.entered_ns, before_ns_));
    lane_.blocked_cpu_us += static_cast<double>(call.cpu_ns) / 1000;
  }

  bool knows_arrival() const { return lane_.border != Border::at_most; }

  // One call may be two pieces: until the data came, and from then on.
  void add_call(const TracedCall& call) {
    const auto row = row_of(call.thread);
    const bool straddles = call.entered_ns < arrived_ns_ && call.returned_ns > arrived_ns_;
    // Its order stands in memory that the kernel reads; the call after that is the one in which the kernel does.
    const bool passes_on =
        call.call == "io_uring_enter" && in_hand_ && call.entered_ns >= in_hand_->until_ns && !replied_;
    if (waits_for_broker(call)) {
      add_piece(call, row, Doing::broker_waits, call.entered_ns, call.returned_ns);
    } else if (sends(call) || passes_on) {
      replied_ = replied_ || call.entered_ns > arrived_ns_;
      // io_uring_enter passes the answer on and goes to sleep; when the one ended and the other began is not told.
      add_piece(call, row, Doing::reply, call.entered_ns,
                passes_on ? std::min(call.returned_ns, request_.answered_ns) : call.returned_ns);
    } else if (call.in_vain() || (pauses(call) && call.entered_ns < arrived_ns_)) {
      add_piece(call, row, Doing::spinning, call.entered_ns, call.returned_ns);
    } else if (call.entered_ns >= arrived_ns_ && call.returned_ns > request_.answered_ns) {
      add_piece(call, row, Doing::blocked, call.entered_ns, call.returned_ns);  // asleep again
    } else if (straddles && receives(call) && lane_.asked_in_vain > 0) {
      add_piece(call, row, Doing::copy, call.entered_ns, call.returned_ns);  // who asks in vain does not sleep
    } else if (straddles && (waits(call) || receives(call))) {
      add_piece(call, row, Doing::blocked, call.entered_ns, arrived_ns_);
      add_piece(call, row, after_arrival(call), arrived_ns_, call.returned_ns);
    } else if (waits(call) && call.returned_ns <= arrived_ns_) {
      add_piece(call, row, Doing::blocked, call.entered_ns, call.returned_ns);
    } else if (receives(call)) {
      add_piece(call, row, knows_arrival() ? Doing::copy : Doing::unknown, call.entered_ns, call.returned_ns);
    } else {
      add_piece(call, row, Doing::other, call.entered_ns, call.returned_ns);
    }
  }

  // Asleep for whatever may come, or asking for it, while the answer is not ready.
  bool waits_for_broker(const TracedCall& call) const {
    return in_hand_ && in_hand_->holds(call) && (waits(call) || pauses(call) || call.in_vain());
  }

  // Whether the bytes are in the program's memory when a call returns that the data ended.
  Doing after_arrival(const TracedCall& call) const {
    if (!knows_arrival()) return Doing::unknown;
    if (receives(call)) return Doing::wake_and_copy;
    if (call.call == "io_uring_enter") return Doing::copied_inside;
    return copied_by_others_ ? Doing::copied_for_us : Doing::notice;
  }

  // glibc's orders are calls of their own: given by aio_read, and looked at by aio_return.
  void note_order(const TracedCall& call) {
    if (call.call == "aio_read") {
      copied_by_others_ = true;
      given_ns_[call.descriptor] = call.returned_ns;
    }
    const auto given = given_ns_.find(call.descriptor);
    if (call.call != "aio_return" || given == given_ns_.end()) return;
    TracedCall order = call;
    order.call = "aio_read";
    order.entered_ns = given->second;
    order.returned_ns = call.entered_ns;
    given_ns_.erase(given);
    if (order.returned_ns > request_.sent_ns) add_order(order);
  }

  void add_order(const TracedCall& order) {
    if (sends(order) || order.returned_ns <= arrived_ns_ || order.entered_ns >= arrived_ns_ || order.result <= 0)
      return;
    // A standing order comes back with each request: this time with a later one.
    if (order.returned_ns >= request_.answered_ns) return;
    add_piece(order, order_row(), Doing::handed_over, order.entered_ns, arrived_ns_);
    add_piece(order, order_row(), knows_arrival() ? Doing::carried_out : Doing::unknown, arrived_ns_,
              order.returned_ns);
  }

  // A run of calls in vain is one piece, from the first to the last, whatever calls they are.
  void add_piece(const TracedCall& call, std::size_t row, Doing doing, std::int64_t from_ns, std::int64_t to_ns) {
    const bool asks = call.in_vain() || pauses(call);
    const bool is_run = doing == Doing::spinning || (doing == Doing::broker_waits && asks);
    if (is_run) {
      const auto last = std::find_if(lane_.pieces.rbegin(), lane_.pieces.rend(),
                                     [&](const Piece& piece) { return piece.row == row; });
      if (last != lane_.pieces.rend() && last->doing == doing && last->is_run) {
        if (last->call.find(call.call) == std::string::npos) last->call += " + " + call.call;
        last->to_us = us(to_ns);
        last->cpu_us += static_cast<double>(call.cpu_ns) / 1000;
        last->repeat += call.in_vain();
        return;
      }
    }
    lane_.pieces.push_back({row, doing, call.call, call.where, us(from_ns), us(to_ns),
                            static_cast<double>(call.cpu_ns) / 1000, call.result, 1, is_run});
  }

  // A thread that was awake when the data came knows of it when it next asks.
  void add_notice() {
    const bool told = std::ranges::any_of(lane_.pieces, [](const Piece& piece) {
      return piece.doing == Doing::notice || piece.doing == Doing::wake_and_copy ||
             piece.doing == Doing::copied_inside || piece.doing == Doing::copied_for_us;
    });
    const auto copy = std::ranges::find(lane_.pieces, Doing::copy, &Piece::doing);
    if (told || !knows_arrival() || copy == lane_.pieces.end() || copy->from_us <= 0) return;
    const Piece notice{.row = copy->row, .doing = Doing::notice, .from_us = 0, .to_us = copy->from_us};
    for (auto& piece : lane_.pieces) {  // it asked once more and the data had just come: not what follows the reply
      const bool straddles = piece.from_us < 0 && piece.to_us > 0;
      if (piece.row == notice.row && piece.doing == Doing::spinning && straddles) piece.to_us = 0;
    }
    lane_.pieces.push_back(notice);
  }

  // What the thread that has the request does in no call: each pause between two of them, until the answer begins.
  void add_work() {
    const auto row = row_in_hand();
    if (!row) return;
    std::ranges::stable_sort(lane_.pieces, {}, &Piece::from_us);
    double since = us(in_hand_->since_ns);
    double until = us(in_hand_->until_ns);
    std::vector<Piece> work;
    const auto add = [&](double to_us) {
      if (to_us - since <= kWorthShowing) return;
      work.push_back({.row = *row, .doing = Doing::work, .from_us = since, .to_us = to_us});
    };
    for (const auto& piece : lane_.pieces) {
      if (piece.row != *row || piece.to_us <= since) continue;
      if (piece.from_us >= until) {
        if (piece.doing == Doing::reply) until = piece.from_us;
        break;
      }
      add(piece.from_us);
      since = std::max(since, piece.to_us);
    }
    add(until);
    lane_.pieces.insert(lane_.pieces.end(), work.begin(), work.end());
  }

  std::optional<std::size_t> row_in_hand() const {
    if (!in_hand_) return std::nullopt;
    const auto thread = std::ranges::find(lane_.threads, in_hand_->thread);
    if (thread == lane_.threads.end()) return std::nullopt;
    return static_cast<std::size_t>(thread - lane_.threads.begin());
  }

  const TimedRequest request_;
  const std::int64_t before_ns_;
  const std::int64_t arrived_ns_;
  const std::optional<InHand> in_hand_;
  Lane lane_;
  std::map<std::int64_t, std::size_t> rows_;  // by thread
  std::optional<std::size_t> order_row_;
  std::map<int, std::int64_t> given_ns_;  // of glibc's orders, by descriptor
  bool copied_by_others_ = false;
  bool replied_ = false;
};

}  // namespace

bool Lane::asks() const {
  double asked_us = 0;
  double slept_us = 0;
  for (const auto& piece : pieces) {
    if (piece.from_us >= 0) continue;
    if (piece.doing == Doing::spinning) asked_us += std::min(piece.to_us, 0.0) - piece.from_us;
    if (piece.doing == Doing::blocked) slept_us += std::min(piece.to_us, 0.0) - piece.from_us;
  }
  return asked_us > slept_us;
}

double Lane::total_us(Doing doing) const {
  double us = 0;
  for (const auto& piece : pieces) {
    if (piece.doing == doing) us += piece.length_us();
  }
  return us;
}

std::size_t serving_row(const Lane& lane) {
  for (const Doing doing : {Doing::work, Doing::reply, Doing::copy, Doing::wake_and_copy}) {
    const auto piece = std::ranges::find_if(
        lane.pieces, [&](const Piece& each) { return each.doing == doing && lane.rows[each.row] == Row::thread; });
    if (piece != lane.pieces.end()) return piece->row;
  }
  return 0;
}

std::size_t how_many_count(const std::vector<TimedRequest>& requests) {
  return requests.size() - requests.size() / 4;
}

std::vector<TimedRequest> within_trace(std::vector<TimedRequest> requests, const std::vector<TracedCall>& calls,
                                       const LostCalls& lost) {
  std::int64_t last_ns = 0;
  for (const auto& call : calls) last_ns = std::max(last_ns, call.returned_ns);
  if (lost.calls > 0) last_ns = std::min(last_ns, lost.since_ns);
  std::erase_if(requests, [&](const TimedRequest& request) { return request.answered_ns > last_ns; });
  return requests;
}

std::size_t exemplar(const std::vector<TimedRequest>& requests, double share) {
  const std::size_t first = requests.size() - how_many_count(requests);
  std::vector<std::size_t> order;
  for (std::size_t i = first; i < requests.size(); ++i) order.push_back(i);
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return requests[i].answered_ns - requests[i].sent_ns; });
  if (order.empty()) return 0;
  const auto at = static_cast<std::size_t>(std::floor(share * static_cast<double>(order.size())));
  return order[std::min(at, order.size() - 1)];
}

Lane make_lane(const std::string& series, const std::vector<TracedCall>& calls,
               const std::vector<TimedRequest>& requests, std::size_t chosen, std::optional<std::int64_t> seen_ns) {
  if (chosen >= requests.size()) {
    Lane lane;
    lane.series = series;
    lane.missing = "no request was answered";
    return lane;
  }
  const auto& request = requests[chosen];
  const auto stamp = arrival_of(calls, request);
  const auto border = stamp ? Border::exact : seen_ns ? Border::seen : Border::at_most;
  const auto arrived_ns = stamp ? *stamp : seen_ns.value_or(request.sent_ns);
  const std::int64_t before_ns = chosen > 0 ? requests[chosen - 1].answered_ns : request.sent_ns;
  LaneMaker maker(series, request, before_ns, border, arrived_ns, in_hand(calls, request));
  for (const auto& call : calls) maker.add(call);
  auto lane = maker.finished();
  lane.requests = static_cast<int>(how_many_count(requests));
  return lane;
}

}  // namespace iolab::lab
