#include "tests/io_models/contract_host.h"

namespace iolab::io::contract {

ScriptedHost::~ScriptedHost() {
  answerer_.request_stop();
  changed_.notify_all();
}

std::unique_ptr<Session> ScriptedHost::open(Waker waker) {
  {
    std::lock_guard lock(mutex_);
    ++sessions_;
    wakers_.push_back(waker);
    threads_.insert(std::this_thread::get_id());
  }
  changed_.notify_all();
  return std::make_unique<ScriptedSession>(*this, std::move(waker));
}

void ScriptedHost::closed() {
  {
    std::lock_guard lock(mutex_);
    --sessions_;
  }
  changed_.notify_all();
}

void ScriptedHost::park(Parked parked) {
  {
    std::lock_guard lock(mutex_);
    parked_.push_back(std::move(parked));
  }
  changed_.notify_all();
}

std::size_t ScriptedHost::release(const std::string& key) {
  std::vector<Parked> released;
  {
    std::lock_guard lock(mutex_);
    std::vector<Parked> others;
    for (Parked& parked : parked_) (parked.key == key ? released : others).push_back(std::move(parked));
    parked_.swap(others);
  }
  for (Parked& parked : released) {
    {
      std::lock_guard lock(parked.ticket->mutex);
      parked.ticket->ready = true;
      parked.ticket->answer = key;
    }
    parked.waker.wake();  // no lock is held: the rule of Waker
  }
  return released.size();
}

void ScriptedHost::answer_later(Parked parked, std::string answer) {
  {
    std::lock_guard lock(mutex_);
    later_.emplace_back(std::move(parked), std::move(answer));
    if (!answerer_.joinable())
      answerer_ = std::jthread([this](std::stop_token stop) { run_answerer(std::move(stop)); });
  }
  changed_.notify_all();
}

void ScriptedHost::run_answerer(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return !later_.empty(); })) {
    auto [parked, answer] = std::move(later_.front());
    later_.pop_front();
    lock.unlock();
    {
      std::lock_guard ticket_lock(parked.ticket->mutex);
      parked.ticket->ready = true;
      parked.ticket->answer = std::move(answer);
    }
    parked.waker.wake();
    lock.lock();
  }
}

void ScriptedHost::stall() {
  std::unique_lock lock(mutex_);
  stalled_ = true;
  changed_.notify_all();
  changed_.wait_for(lock, kDeadline, [this] { return !stalled_; });
}

void ScriptedHost::end_stall() {
  {
    std::lock_guard lock(mutex_);
    stalled_ = false;
  }
  changed_.notify_all();
}

std::vector<Waker> ScriptedHost::wakers() {
  std::lock_guard lock(mutex_);
  return wakers_;
}

std::set<std::thread::id> ScriptedHost::serving_threads() {
  std::lock_guard lock(mutex_);
  return threads_;
}

std::size_t ScriptedHost::sessions() {
  std::lock_guard lock(mutex_);
  return sessions_;
}

void ScriptedSession::parse() {
  std::size_t at = 0;
  while (!ticket_) {
    std::uint32_t length = 0;
    if (have_ - at < sizeof length) break;
    std::memcpy(&length, &in_[at], sizeof length);
    if (length == 0 || have_ - at - sizeof length < length) break;
    std::string frame(length, '\0');
    std::memcpy(frame.data(), &in_[at + sizeof length], length);
    at += sizeof length + length;
    carry_out(static_cast<Letter>(frame[0]), frame.substr(1));
    if (closing_ && (frame[0] == kAnswerClose || frame[0] == kClose)) at = have_;
  }
  std::memmove(in_.data(), in_.data() + at, have_ - at);
  have_ -= at;
}

void ScriptedSession::carry_out(Letter letter, std::string body) {
  switch (letter) {
    case kEcho: answer_ += framed(body); return;
    case kBig: answer_ += framed(pattern(std::stoul(body))); return;
    case kAnswerClose:
      answer_ += framed(pattern(std::stoul(body)));
      closing_ = true;
      return;
    case kClose: closing_ = true; return;
    case kRelease: answer_ += framed(std::to_string(host_.release(body))); return;
    case kPark: ticket_ = std::make_shared<Ticket>(); return host_.park({std::move(body), ticket_, waker_});
    case kLater:
      ticket_ = std::make_shared<Ticket>();
      return host_.answer_later({"", ticket_, waker_}, std::move(body));
    case kStall:
      host_.stall();
      answer_ += framed("");
      return;
  }
  closing_ = true;  // not a letter of ours
}

}  // namespace iolab::io::contract
