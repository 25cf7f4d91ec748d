#include "clients/load_worker.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace iolab::clients {
namespace {

using State = LoadConnection::State;

constexpr Nanoseconds kLongestWait = 50 * kMillisecond;  // a worker looks this often whether it has been stopped
constexpr int kEventsPerWait = 256;
constexpr std::size_t kPiecesPerSend = 64;

}  // namespace

// --- one turn of the loop -------------------------------------------------------------------------------------------

void LoadWorker::turn(Nanoseconds timeout) {
  std::array<epoll_event, kEventsPerWait> events;
  const timespec wait{timeout / kSecond, timeout % kSecond};
  const int ready = ::epoll_pwait2(epoll_.get(), events.data(), kEventsPerWait, &wait, nullptr);
  for (int i = 0; i < ready; ++i) {
    const auto& event = events[static_cast<std::size_t>(i)];
    auto& connection = connections_[event.data.u64];
    if (connection.state == State::connecting && (event.events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) {
      connected(connection);
    } else if (connection.state != State::gone && connection.waits_to_send && (event.events & EPOLLOUT) != 0) {
      flush(connection);
    }
    if (connection.state > State::connecting && connection.state != State::gone && (event.events & ~EPOLLOUT) != 0) {
      receive(connection);
    }
  }
}

void LoadWorker::receive(LoadConnection& connection) {
  // Short answers land in one buffer that stays in the cache; what is known to be long goes where it has to end anyway.
  const bool whole_so_far = connection.partial.empty() || connection.partial_bytes == 0;
  const bool into_scratch = whole_so_far && spec_.kind != LoadKind::fetch;
  if (!into_scratch && connection.partial.empty()) connection.partial.resize(scratch_.size());
  const std::span<std::byte> room =
      into_scratch ? std::span(scratch_) : std::span(connection.partial).subspan(connection.partial_bytes);
  const ssize_t got = ::recv(connection.fd.get(), room.data(), room.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got < 0) return lose(connection, LoadError::closed_by_server, fmt::format("receive: {}", std::strerror(errno)));
  if (got == 0) return lose(connection, LoadError::closed_by_server, "the server closed a connection");

  const Nanoseconds now = monotonic_ns();
  const auto bytes =
      into_scratch ? room.first(static_cast<std::size_t>(got))
                   : std::span(connection.partial).first(connection.partial_bytes + static_cast<std::size_t>(got));
  const auto taken = take_answers(connection, bytes, now);
  if (connection.state == State::gone) return;
  keep_rest(connection, bytes.subspan(taken));
  ask(connection, now);
}

std::size_t LoadWorker::take_answers(LoadConnection& connection, std::span<const std::byte> bytes, Nanoseconds now) {
  std::size_t taken = 0;
  while (taken < bytes.size()) {
    const auto length = script_.framing().answer_bytes(bytes.subspan(taken));
    if (length < 0) {
      lose(connection, LoadError::wrong_answer, "what came back does not start with a length that an answer can have");
      break;
    }
    if (length == 0 || static_cast<std::size_t>(length) > bytes.size() - taken) break;
    answer(connection, bytes.subspan(taken, static_cast<std::size_t>(length)), now);
    if (connection.state == State::gone) break;
    taken += static_cast<std::size_t>(length);
  }
  return taken;
}

void LoadWorker::keep_rest(LoadConnection& connection, std::span<const std::byte> rest) {
  connection.partial_bytes = rest.size();
  if (rest.empty()) return;
  constexpr std::size_t kLeast = 4096;
  const auto length = static_cast<std::size_t>(script_.framing().answer_bytes(rest));
  const bool was_there =
      rest.data() >= connection.partial.data() && rest.data() < connection.partial.data() + connection.partial.size();
  if (was_there) std::memmove(connection.partial.data(), rest.data(), rest.size());
  // With room for the whole answer the rest of it arrives in as few receives as the kernel allows.
  const auto room = std::max({connection.partial.size(), length, rest.size() + kLeast});
  if (connection.partial.size() < room) connection.partial.resize(room);
  if (!was_there) std::memcpy(connection.partial.data(), rest.data(), rest.size());
}

void LoadWorker::answer(LoadConnection& connection, std::span<const std::byte> bytes, Nanoseconds now) {
  if (connection.state == State::probing) return served(connection);
  const auto outstanding = connection.started - connection.answered;
  if (!connection.active || outstanding == 0) {
    return lose(connection, LoadError::wrong_answer, "an answer came to a connection that had asked nothing");
  }
  const auto slot = static_cast<std::uint32_t>(connection.answered % static_cast<std::uint64_t>(spec_.in_flight));
  if (outstanding == static_cast<std::uint64_t>(spec_.in_flight)) connection.room_since = now;
  ++connection.answered;
  --owed_;
  const Answer result = connection.dialogue->answered(slot, bytes);
  if (result.error) {
    tally_.count_error(*result.error, connection.dialogue->note());
  } else {
    tally_.count_answer(course_->window, result, connection.due_ns[slot], now);
  }
}

void LoadWorker::ask(LoadConnection& connection, Nanoseconds now) {
  if (!asking_ || !connection.active || connection.state != State::served) return;
  const auto in_flight = static_cast<std::uint64_t>(spec_.in_flight);
  auto wanted = in_flight - (connection.started - connection.answered);
  if (schedule_) wanted = std::min(wanted, connection.due - connection.started);
  if (wanted == 0) return;
  const bool room_in_socket = connection.unsent.empty();
  for (; wanted > 0; --wanted) {
    const auto slot = static_cast<std::uint32_t>(connection.started % in_flight);
    Nanoseconds due = now;
    if (schedule_) {
      due = schedule_->due(connection.position, connection.started);
      --waiting_;
      if (course_->window.contains(due)) {
        tally_.send_delay_ns.record(static_cast<std::uint64_t>(now - std::max(due, connection.room_since)));
      }
    }
    connection.due_ns[slot] = due;
    for (const auto& piece : connection.dialogue->request(slot)) connection.unsent.push_back(piece);
    ++connection.started;
    ++owed_;
  }
  if (room_in_socket) flush(connection);
}

void LoadWorker::flush(LoadConnection& connection) {
  auto& unsent = connection.unsent;
  auto& first = connection.unsent_first;
  while (first < unsent.size()) {
    msghdr message{};
    message.msg_iov = &unsent[first];
    message.msg_iovlen = std::min(unsent.size() - first, kPiecesPerSend);
    const ssize_t sent = message.msg_iovlen == 1
                             ? ::send(connection.fd.get(), unsent[first].iov_base, unsent[first].iov_len, MSG_NOSIGNAL)
                             : ::sendmsg(connection.fd.get(), &message, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) {
      if (!connection.waits_to_send) watch(connection, true);
      return;
    }
    if (sent < 0) return lose(connection, LoadError::closed_by_server, fmt::format("send: {}", std::strerror(errno)));
    for (auto left = static_cast<std::size_t>(sent); left > 0;) {
      const auto step = std::min(left, unsent[first].iov_len);
      unsent[first].iov_base = static_cast<std::byte*>(unsent[first].iov_base) + step;
      unsent[first].iov_len -= step;
      left -= step;
      if (unsent[first].iov_len == 0) ++first;
    }
  }
  unsent.clear();
  first = 0;
  if (connection.waits_to_send) watch(connection, false);
}

// --- a whole run ----------------------------------------------------------------------------------------------------

void LoadWorker::run(Course& course, const LoadEvents& events) {
  course_ = &course;
  const auto& window = course.window;
  next_border_ = share_.sets_borders ? course.begin + std::chrono::nanoseconds(spec_.warmup).count() : kNever;
  if (spec_.arrivals == Arrivals::open && !active_.empty()) {
    const double share = static_cast<double>(active_.size()) / course.connections;
    const auto offset = static_cast<Nanoseconds>(share_.first_connection * 1e9 / spec_.rate_per_s);
    schedule_.emplace(course.begin + offset, spec_.rate_per_s * share, active_.size());
  }
  asking_ = true;
  for (const auto index : active_) ask(connections_[index], monotonic_ns());

  ThreadCpu at_start{};
  bool started = false;
  for (;;) {
    const Nanoseconds now = monotonic_ns();
    if (share_.sets_borders) set_borders(events, now);
    if (!started && window.start.load(std::memory_order_acquire) != kNever) {
      started = true;
      at_start = ThreadCpu::now();
    }
    if (window.end.load(std::memory_order_acquire) != kNever) break;
    if (schedule_) release_due(now);
    turn(time_to_wait(now));
  }
  // What fell due while this thread was not running belongs to the window like all the rest.
  if (schedule_) release_due(course_->window.end.load(std::memory_order_relaxed) - 1);
  const auto at_end = ThreadCpu::now();
  tally_.cpu = {at_end.user_s - at_start.user_s, at_end.system_s - at_start.system_s};
  asking_ = schedule_.has_value();  // what fell due inside the window is still sent
  await_owed(events.stop);
}

void LoadWorker::set_borders(const LoadEvents& events, Nanoseconds now) {
  auto& window = course_->window;
  const bool nobody_left = course_->connections_alive.load(std::memory_order_relaxed) <= 0;
  if (events.stop.stop_requested() || nobody_left) return end_window(events);
  if (now < next_border_) return;
  if (window.start.load(std::memory_order_relaxed) != kNever) return end_window(events);
  if (events.on_window_start) events.on_window_start();
  const Nanoseconds start = monotonic_ns(), length = std::chrono::nanoseconds(spec_.measure).count();
  window.middle.store(start + length / 2, std::memory_order_relaxed);
  window.start.store(start, std::memory_order_release);
  next_border_ = start + length;
}

// Also where a run is cut short: before its window has begun, the window is empty and nobody is told of it.
void LoadWorker::end_window(const LoadEvents& events) {
  auto& window = course_->window;
  const Nanoseconds end = monotonic_ns();
  const bool empty = window.start.load(std::memory_order_relaxed) == kNever;
  if (empty) window.start.store(end, std::memory_order_release);
  window.end.store(end, std::memory_order_release);
  if (!empty && events.on_window_end) events.on_window_end();
}

void LoadWorker::release_due(Nanoseconds now) {
  for (Nanoseconds due = schedule_->next_due(); due <= now; due = schedule_->next_due()) {
    auto& connection = connections_[active_[schedule_->next_connection()]];
    schedule_->release();
    if (connection.state == State::gone) continue;
    ++connection.due;
    ++waiting_;
    const auto outstanding = connection.started - connection.answered;
    if (outstanding < static_cast<std::uint64_t>(spec_.in_flight)) {
      ask(connection, monotonic_ns());
    } else if (course_->window.contains(due)) {
      ++tally_.held_back;
    }
  }
}

Nanoseconds LoadWorker::time_to_wait(Nanoseconds now) const {
  Nanoseconds next = std::min(now + kLongestWait, next_border_);
  if (schedule_) next = std::min(next, schedule_->next_due() - std::chrono::nanoseconds(spec_.spin_before_due).count());
  return std::max<Nanoseconds>(next - now, 0);
}

void LoadWorker::await_owed(std::stop_token stop) {
  const Nanoseconds deadline =
      course_->window.end.load(std::memory_order_relaxed) + std::chrono::nanoseconds(spec_.answer_deadline).count();
  Nanoseconds now = monotonic_ns();
  while (owed_ + waiting_ > 0 && now < deadline && !stop.stop_requested()) {
    turn(std::min(deadline - now, kLongestWait));
    now = monotonic_ns();
  }
  give_up_owed(now);
}

void LoadWorker::give_up_owed(Nanoseconds now) {
  const auto& window = course_->window;
  const auto at_least = [&](Nanoseconds due) {
    tally_.latency_ns.record(static_cast<std::uint64_t>(now - due + tally_.waited_for_more));
  };
  for (const auto index : active_) {
    auto& connection = connections_[index];
    if (connection.state == State::gone) continue;
    for (auto i = connection.answered; i < connection.started; ++i) {
      const Nanoseconds due = connection.due_ns[i % static_cast<std::uint64_t>(spec_.in_flight)];
      ++tally_.lost_requests;
      tally_.count_error(LoadError::unanswered, "a request had no answer when the run was over");
      if (window.contains(due)) at_least(due);
    }
    for (auto i = connection.started; schedule_ && i < connection.due; ++i) {
      const Nanoseconds due = schedule_->due(connection.position, i);
      if (!window.contains(due)) continue;
      ++tally_.unsent;
      at_least(due);
    }
  }
}

// --- slices ---------------------------------------------------------------------------------------------------------

// At rest every connection has sent and been answered all that was due: its numbers begin again with the timetable.
void LoadWorker::begin_timetable(Nanoseconds begin) {
  for (const auto index : active_) {
    auto& connection = connections_[index];
    connection.due = connection.started = connection.answered = 0;
    connection.room_since = begin;
  }
  schedule_.emplace(begin, spec_.rate_per_s, active_.size());
}

std::expected<LoadWorker::Slice, std::string> LoadWorker::slice(Nanoseconds length, Nanoseconds patience) {
  const Nanoseconds begin = monotonic_ns();
  own_course_.window.start.store(begin, std::memory_order_relaxed);
  const auto before = tally_.requests;
  if (spec_.arrivals == Arrivals::open) begin_timetable(begin);
  next_border_ = begin + length;
  asking_ = true;
  for (const auto index : active_) ask(connections_[index], monotonic_ns());
  Nanoseconds now = monotonic_ns();
  for (auto last_answered = now; asking_ || owed_ > 0; now = monotonic_ns()) {
    if (schedule_) release_due(std::min(now, begin + length - 1));
    asking_ = now - begin < length || waiting_ > 0;
    if (!asking_) next_border_ = kNever;
    if (!asking_ && owed_ == 0) break;
    const auto answered_before = tally_.requests;
    turn(asking_ && now - begin < length ? time_to_wait(now) : kLongestWait);
    if (tally_.requests != answered_before || owed_ + waiting_ == 0) last_answered = now;
    if (now - last_answered > patience) {
      return std::unexpected(fmt::format("no answer within {} ms", patience / kMillisecond));
    }
  }
  asking_ = false;
  return Slice{tally_.requests - before, now - begin};
}

}  // namespace iolab::clients
