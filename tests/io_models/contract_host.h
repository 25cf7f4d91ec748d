// The scripted host of the contract test: sessions that do on request whatever a real one may do, and nothing else.
//
// A request is a frame: four bytes of length (native order, of what follows), one letter, a body. An answer is a frame
// without the letter. Sessions parse every whole request they hold and answer in order, as the contract asks. What a
// test waits for (sessions opened, requests parked) is a condition with a deadline, never a pause.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "io_models/frontend.h"

namespace iolab::io::contract {

// Long enough for a sanitizer on a busy machine with two cores; a test that passes never waits for it.
inline constexpr std::chrono::seconds kDeadline{40};

enum Letter : char {
  kEcho = 'E',         // answer: the body
  kPark = 'P',         // body is a key; answered by kRelease of that key, from whichever connection
  kRelease = 'R',      // body is a key; answer: how many requests it released, as decimal text
  kLater = 'L',        // answer: the body, but by another thread
  kBig = 'B',          // body is a decimal number of bytes; answer: that many bytes of pattern()
  kAnswerClose = 'C',  // answer: that many bytes of pattern(), then close
  kClose = 'K',        // close without an answer
  kStall = 'S',        // the serving thread stands still until the test calls end_stall(); answer: empty
};

// Bytes that tell where they are: a block repeated with a length that no buffer and no packet has.
inline std::string pattern(std::size_t bytes) {
  static const std::string block = [] {
    std::string made(65'521, '\0');
    for (std::size_t i = 0; i < made.size(); ++i) made[i] = static_cast<char>((i * 131 + (i >> 8)) & 0xff);
    return made;
  }();
  std::string text;
  text.reserve(bytes);
  while (text.size() < bytes) text.append(block, 0, std::min(block.size(), bytes - text.size()));
  return text;
}

// Several times what both socket buffers of a connection hold.
inline constexpr std::size_t kTooMuch = 24 << 20;

inline std::string framed(std::string_view bytes) {
  const auto length = static_cast<std::uint32_t>(bytes.size());
  std::string frame(sizeof length, '\0');
  std::memcpy(frame.data(), &length, sizeof length);
  return frame.append(bytes);
}

inline std::string request(Letter letter, std::string_view body = {}) {
  return framed(std::string(1, letter).append(body));
}

// An answer that is not there yet: filled by whoever has it, fetched by the session in its own thread.
struct Ticket {
  std::mutex mutex;
  bool ready = false;
  std::string answer;
};

class ScriptedHost final : public Host {
 public:
  explicit ScriptedHost(std::size_t input_bytes = 64 * 1024) : input_bytes_(input_bytes) {}
  ~ScriptedHost() override;

  std::unique_ptr<Session> open(Waker waker) override;

  // Each returns false when the deadline has passed first.
  bool wait_until_sessions(std::size_t how_many) {
    return wait([=, this] { return sessions_ == how_many; });
  }
  bool wait_until_opened(std::size_t how_many) {
    return wait([=, this] { return wakers_.size() >= how_many; });
  }
  bool wait_until_parked(std::size_t how_many) {
    return wait([=, this] { return parked_.size() >= how_many; });
  }
  bool wait_until_stalled() {
    return wait([this] { return stalled_; });
  }

  std::size_t release(const std::string& key);  // from any thread; how many requests were waiting
  void end_stall();
  std::vector<Waker> wakers();                  // every one ever handed out, of dead connections too
  std::set<std::thread::id> serving_threads();  // that opened sessions
  std::size_t sessions();

 private:
  friend class ScriptedSession;
  struct Parked {
    std::string key;
    std::shared_ptr<Ticket> ticket;
    Waker waker;
  };
  template <class Condition>
  bool wait(Condition condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kDeadline, condition);
  }
  void closed();
  void park(Parked parked);
  void answer_later(Parked parked, std::string answer);
  void stall();
  void run_answerer(std::stop_token stop);

  const std::size_t input_bytes_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::size_t sessions_ = 0;
  bool stalled_ = false;
  std::vector<Waker> wakers_;
  std::set<std::thread::id> threads_;
  std::vector<Parked> parked_;
  std::deque<std::pair<Parked, std::string>> later_;
  std::jthread answerer_;  // started by the first kLater, and so with the serving thread's signal mask
};

class ScriptedSession final : public Session {
 public:
  ScriptedSession(ScriptedHost& host, Waker waker) : host_(host), waker_(std::move(waker)), in_(host.input_bytes_) {}
  ~ScriptedSession() override { host_.closed(); }

  Want want() const override {
    if (sent_ < answer_.size()) return Want::send;
    if (ticket_) return Want::wake;
    return closing_ ? Want::close : Want::receive;
  }
  std::span<std::byte> input() override {
    if (have_ == in_.size()) in_.resize(in_.size() * 2);
    return std::span(in_).subspan(have_);
  }
  void received(std::size_t bytes) override {
    if (bytes == 0) closing_ = true;
    have_ += bytes;
    parse();
  }
  // In several pieces, so that a send may end inside any of them.
  std::span<const iovec> output() override {
    pieces_.clear();
    for (std::size_t at = sent_; at < answer_.size() && pieces_.size() < 8;) {
      const std::size_t size = std::min(answer_.size() - at, at == 0 ? std::size_t{3} : std::size_t{100'000});
      pieces_.push_back({answer_.data() + at, size});
      at += size;
    }
    return pieces_;
  }
  void sent(std::size_t bytes) override {
    sent_ += bytes;
    if (sent_ < answer_.size()) return;
    answer_.clear();
    sent_ = 0;
  }
  void woken() override {
    if (!ticket_) return;
    {
      std::lock_guard lock(ticket_->mutex);
      if (!ticket_->ready) return;
      answer_ += framed(ticket_->answer);
    }
    ticket_.reset();
    parse();
  }

 private:
  void parse();
  void carry_out(Letter letter, std::string body);

  ScriptedHost& host_;
  Waker waker_;
  std::vector<std::byte> in_;
  std::size_t have_ = 0;
  std::string answer_;
  std::size_t sent_ = 0;
  std::vector<iovec> pieces_;
  std::shared_ptr<Ticket> ticket_;
  bool closing_ = false;
};

}  // namespace iolab::io::contract
