// When each entry of a coordinator has to be looked at next, and what the timer thread was told of that.
//
// `Entry` has a member `std::int64_t scheduled_ms`, which is the agenda's: steady milliseconds, Deadlines::kNever while
// the entry is not in it. Threads: under the coordinator's lock, which under_lock() takes.
#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <utility>

#include "broker/core/deadlines.h"

namespace iolab::core {

template <class Entry>
class Agenda {
 public:
  // The entry has to be looked at then, or earlier: a time that is later than what was known changes nothing.
  void add(Entry& entry, std::int64_t at_ms) {
    if (at_ms >= entry.scheduled_ms) return;
    remove(entry);
    entry.scheduled_ms = at_ms;
    entries_.emplace(at_ms, &entry);
  }
  void remove(Entry& entry) {
    entries_.erase({entry.scheduled_ms, &entry});
    entry.scheduled_ms = Deadlines::kNever;
  }

  // Takes out each entry whose time has come and hands it to `look`, which may add it again. For the timer thread,
  // which is told by this when to come again.
  template <class Look>
  std::int64_t run_due(std::int64_t now_ms, Look&& look) {
    while (!entries_.empty() && entries_.begin()->first <= now_ms) {
      Entry& entry = *entries_.begin()->second;
      remove(entry);
      look(entry);
    }
    return told_ms_ = first_ms();
  }

  // The first time of all, if that is earlier than the timer thread was told; else Deadlines::kNever.
  std::int64_t take_news() { return first_ms() < told_ms_ ? told_ms_ = first_ms() : Deadlines::kNever; }

 private:
  std::int64_t first_ms() const { return entries_.empty() ? Deadlines::kNever : entries_.begin()->first; }

  std::set<std::pair<std::int64_t, Entry*>> entries_;
  std::int64_t told_ms_ = Deadlines::kNever;
};

// Runs `body` under the lock, and rings the timer thread afterwards if it has to come earlier than it knows.
template <class Entry, class Body>
auto under_lock(std::mutex& mutex, Agenda<Entry>& agenda, Deadlines& deadlines, Body&& body) {
  std::unique_lock lock(mutex);
  auto result = body();
  const std::int64_t earlier_ms = agenda.take_news();
  lock.unlock();
  if (earlier_ms != Deadlines::kNever) (void)deadlines.add(earlier_ms, nullptr);
  return result;
}

}  // namespace iolab::core
