#include "broker/session/kafka_session.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <new>

#include "broker/base/bytes.h"
#include "broker/handlers/dispatch.h"
#include "io_models/counters.h"

namespace iolab::session {
namespace {

constexpr std::size_t kSizeBytes = protocol::kFrameSizeBytes;
constexpr std::size_t kGrowth = 4;  // of a full receive buffer: memory is at most this times the bytes received
constexpr std::size_t kUsualMost = 256 * 1024;    // for many small frames; a large frame may need more
constexpr std::size_t kLargeFrame = 64 * 1024;    // is read to its end, and only this much further:
constexpr std::size_t kReadAhead = 4 * 1024;      // less than can be asked for came, so there is no need to ask again
constexpr std::size_t kPiecesAtOnce = 64;         // of a gather list
constexpr std::size_t kOutputKeptWhenIdle = 256;  // bytes

class ConnectionSleeper final : public core::Sleeper {
 public:
  explicit ConnectionSleeper(io::Waker waker) : waker_(std::move(waker)) {}
  void wake() override { waker_.wake(); }

 private:
  io::Waker waker_;
};

// What is small is copied; megabytes stay where they are and are kept alive by what held them.
void move_behind(base::GatherBuffer& out, base::GatherBuffer&& answer) {
  const auto keeper = std::make_shared<base::GatherBuffer>(std::move(answer));
  keeper->for_each_piece(0, [&](base::Bytes piece) { out.attach(piece, keeper); });
}

// A known slow-down (iolab.spin.rounds), counted in rounds and not in time: it grows and shrinks with the speed of the
// machine, as the work beside it does. Each round needs the one before it, so that no compiler can leave one out.
void spin(std::int64_t rounds) {
  std::uint64_t value = 1;
  for (; rounds > 0; --rounds) {
    value = value * 6364136223846793005ULL + 1442695040888963407ULL;
    asm volatile("" : "+r"(value));
  }
}

}  // namespace

KafkaSession::KafkaSession(core::Broker& broker, core::Clock& clock, io::Waker waker)
    : broker_(broker), clock_(clock), sleeper_(std::make_shared<ConnectionSleeper>(std::move(waker))) {}

std::span<std::byte> KafkaSession::input() {
  if (!input_) {
    begin_ = end_ = 0;
    try {
      input_ = broker_.buffers().take(usual_bytes_);
    } catch (const std::bad_alloc&) {
      closing_ = true;  // what comes next goes nowhere, and ends this connection
      return {&no_memory_, 1};
    }
  }
  std::size_t limit = input_.size();
  if (const std::size_t frame = frame_bytes_at_begin(); frame >= kLargeFrame) {
    limit = std::min(limit, begin_ + frame + kReadAhead);
  }
  return input_.bytes().subspan(end_, limit - end_);
}

void KafkaSession::received(std::size_t bytes) {
  if (bytes == 0) peer_finished_ = true;
  end_ += bytes;
  advance();
}

std::span<const iovec> KafkaSession::output() {
  pieces_.clear();
  out_.for_each_piece(out_sent_, [&](base::Bytes piece) {
    if (pieces_.size() < pieces_.capacity()) pieces_.push_back({const_cast<std::byte*>(piece.data()), piece.size()});
  });
  return pieces_;
}

void KafkaSession::sent(std::size_t bytes) {
  out_sent_ += bytes;
  if (out_sent_ < out_.size()) return;
  out_.clear();
  out_.shrink_above(kOutputKeptWhenIdle);
  out_sent_ = 0;
  if (pieces_.capacity() > 4) std::vector<iovec>().swap(pieces_);
  advance();
}

void KafkaSession::woken() {
  advance();
}

// The only place where a session moves on. Whatever goes wrong in here, memory included, costs this connection only.
void KafkaSession::advance() {
  try {
    const core::Moment now = clock_.now();
    resume_pending(now);
    take_requests(now);
    tidy_input();
    want_ = decide();
    if (want_ == io::Want::send) pieces_.reserve(std::min(out_.pieces(), kPiecesAtOnce));  // output() must not fail
  } catch (...) {
    want_ = io::Want::close;
  }
}

void KafkaSession::resume_pending(core::Moment now) {
  std::size_t done = 0;
  for (; done < pending_.size(); ++done) {
    Pending& next = pending_[done];
    if (!next.parked) {
      pending_bytes_ -= next.answer.size();
      move_behind(out_, std::move(next.answer));
      continue;
    }
    const auto progress = next.parked->resume(now, out_);
    if (progress == handlers::Parked::Progress::waiting) break;
    if (progress == handlers::Parked::Progress::close) {
      closing_ = true;
      done = pending_.size();
      break;
    }
  }
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(done));
  if (pending_.empty()) pending_bytes_ = 0;
}

void KafkaSession::take_requests(core::Moment now) {
  core::Wakeups wakeups;  // rung at the end: a turn that appends a hundred batches wakes a consumer once
  taken_this_turn_ = 0;
  base::Bytes frame;
  while (may_take_another()) {
    const Frame found = next_frame(frame);
    if (found == Frame::refused) closing_ = true;
    if (found != Frame::whole) break;
    begin_ += kSizeBytes + frame.size();
    usual_bytes_ = std::max(usual_bytes_, std::min(kSizeBytes + frame.size() + kReadAhead, base::BufferPool::kLargest));
    ++taken_this_turn_;
    handle(frame, now, wakeups);
  }
}

bool KafkaSession::may_take_another() const {
  if (closing_) return false;
  if (!pending_.empty() && pending_.back().parked && pending_.back().parked->holds_back()) return false;
  if (out_.empty() && pending_.empty()) return true;
  const auto waiting = static_cast<std::int64_t>(out_.size() + pending_bytes_);
  return taken_this_turn_ < broker_.settings().requests_per_turn &&
         waiting < broker_.settings().output_high_water_bytes;
}

KafkaSession::Frame KafkaSession::next_frame(base::Bytes& frame) const {
  const base::Bytes ready = base::Bytes(input_.bytes()).subspan(begin_, end_ - begin_);
  if (ready.size() < kSizeBytes) return Frame::partial;
  const auto size = base::load_big_endian<std::int32_t>(ready.data());
  if (size < 0 || size > broker_.settings().socket_request_max_bytes) return Frame::refused;
  if (ready.size() - kSizeBytes < static_cast<std::size_t>(size)) return Frame::partial;
  frame = ready.subspan(kSizeBytes, static_cast<std::size_t>(size));
  return Frame::whole;
}

void KafkaSession::handle(base::Bytes frame, core::Moment now, core::Wakeups& wakeups) {
  io::count(io::Count::requests);
  spin(broker_.settings().spin_rounds);
  const bool at_once = pending_.empty();
  base::GatherBuffer later;
  auto outcome = handlers::dispatch(frame, broker_, now, sleeper_, wakeups, at_once ? out_ : later);
  switch (outcome.kind) {
    case handlers::Outcome::Kind::answered:
      if (at_once) return;
      pending_bytes_ += later.size();
      pending_.push_back({nullptr, std::move(later)});
      return;
    case handlers::Outcome::Kind::parked: pending_.push_back({std::move(outcome.parked), {}}); return;
    case handlers::Outcome::Kind::close: closing_ = true; return;
    case handlers::Outcome::Kind::silent: return;
  }
}

io::Want KafkaSession::decide() const {
  if (!out_.empty()) return io::Want::send;
  if (!pending_.empty()) return io::Want::wake;
  return closing_ || peer_finished_ ? io::Want::close : io::Want::receive;
}

std::size_t KafkaSession::frame_bytes_at_begin() const {
  if (end_ - begin_ < kSizeBytes) return kSizeBytes;
  return kSizeBytes + base::load_big_endian<std::uint32_t>(input_.data() + begin_);
}

// After a turn the buffer holds the start of at most one frame that is not whole, unless requests were held back.
// LESSON: declared-sizes-do-not-allocate. A full buffer grows by a factor of what has arrived.
void KafkaSession::tidy_input() {
  if (!input_) return;
  if (begin_ == end_ || closing_) return give_input_back();
  const std::size_t frame = frame_bytes_at_begin();
  if (begin_ + frame <= input_.size()) return;
  if (begin_ > 0) {
    std::memmove(input_.data(), input_.data() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
  }
  if (end_ < input_.size()) return;
  base::PooledBuffer larger = broker_.buffers().take(std::min(frame, kGrowth * input_.size()));
  std::memcpy(larger.data(), input_.data(), end_);
  input_ = std::move(larger);
}

void KafkaSession::give_input_back() {
  if (end_ == input_.size()) {
    usual_bytes_ = std::max(usual_bytes_, std::min(kGrowth * input_.size(), kUsualMost));
  } else if (end_ < usual_bytes_ / kGrowth) {
    usual_bytes_ = std::max(base::BufferPool::kSmallest, usual_bytes_ - usual_bytes_ / 8);
  }
  input_.reset();
  begin_ = end_ = 0;
}

}  // namespace iolab::session
