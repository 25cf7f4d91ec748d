#include "broker/core/deadlines.h"

namespace iolab::core {

Deadlines::Ticket Deadlines::add(std::int64_t steady_ms, Wakeup wakeup) {
  Ticket ticket{steady_ms, 0};
  bool earlier = false;
  {
    const std::scoped_lock lock(mutex_);
    ticket.number = ++numbers_;
    waits_.emplace(ticket, std::move(wakeup));
    earlier = steady_ms < told_;
    if (earlier) told_ = steady_ms;  // the next one that is later need not ring
  }
  if (earlier && sleeper_) sleeper_->wake();
  return ticket;
}

void Deadlines::remove(const Ticket& ticket) {
  const std::scoped_lock lock(mutex_);
  waits_.erase(ticket);
}

std::int64_t Deadlines::next() {
  const std::scoped_lock lock(mutex_);
  told_ = waits_.empty() ? kNever : waits_.begin()->first.at_ms;
  return told_;
}

void Deadlines::collect_due(std::int64_t now_steady_ms, Wakeups& due) {
  const std::scoped_lock lock(mutex_);
  while (!waits_.empty() && waits_.begin()->first.at_ms <= now_steady_ms) {
    due.add(std::move(waits_.begin()->second));
    waits_.erase(waits_.begin());
  }
}

}  // namespace iolab::core
