// How transactions end: prepare, mark, complete, each when the step before it cannot be lost any more.
#include <algorithm>

#include "broker/base/log.h"
#include "broker/core/transactions/coordinator.h"
#include "broker/core/transactions/marker.h"

namespace iolab::core {

using protocol::ErrorCode;

namespace {

constexpr std::int64_t kTryAgainMs = 1000;

// Nothing is left to be done there: its topic is gone, or its producer has been there with a later epoch since, which
// it got only when this transaction had been ended.
bool is_marked(ErrorCode code) {
  return code == ErrorCode::none || code == ErrorCode::unknown_topic_or_partition ||
         code == ErrorCode::invalid_producer_epoch;
}

}  // namespace

// Woken by the disk, it lets the flusher look again at one transactional id: the thread that wakes must not work.
class TransactionCoordinator::Reminder final : public Sleeper,
                                               public DiskWork,
                                               public std::enable_shared_from_this<Reminder> {
 public:
  Reminder(TransactionCoordinator& coordinator, std::string id) : coordinator_(coordinator), id_(std::move(id)) {}

  void wake() override { coordinator_.flushes_.add(shared_from_this()); }
  void run(Moment now) override {
    Wakeups wakeups;  // declared first: it rings when the lock is released
    TransactionCall call{now, wakeups};
    (void)coordinator_.change([&] {
      Entry* entry = coordinator_.find_entry(id_);
      if (entry != nullptr && entry->wait && entry->wait->over()) coordinator_.go_on(*entry, call);
      return 0;
    });
  }

 private:
  TransactionCoordinator& coordinator_;
  const std::string id_;
};

std::shared_ptr<CommitWait> TransactionCoordinator::new_wait(const Entry& entry) {
  if (settings_.flush_policy() != FlushPolicy::commit) return nullptr;
  return std::make_shared<CommitWait>(std::make_shared<Reminder>(*this, entry.name));
}

ErrorCode TransactionCoordinator::prepare(Entry& entry, const TransactionValue& value, TransactionCall& call,
                                          const ProducerIdentity& previous) {
  auto wait = new_wait(entry);
  if (const ErrorCode code = store(entry, value, wait, call, previous); code != ErrorCode::none) return code;
  entry.step = Step::prepared;
  entry.unmarked = entry.transaction.partitions();
  entry.wait = std::move(wait);
  if (!entry.wait || entry.wait->one_done(true)) go_on(entry, call);
  return ErrorCode::none;
}

// What the step waited for is over.
void TransactionCoordinator::go_on(Entry& entry, TransactionCall& call) {
  const bool failed = entry.wait && entry.wait->failed();
  entry.wait.reset();
  switch (entry.step) {
    case Step::none: return;
    case Step::prepared:
      if (!failed) return mark(entry, call);
      base::log::error("the end of a transaction could not be synced; the next start will finish or forget it",
                       {{"transactional_id", entry.name}});
      return tell(entry, ErrorCode::not_coordinator, call);
    case Step::marked:
      if (!failed) entry.unmarked = std::move(entry.left);
      return entry.unmarked.empty() ? complete(entry, call) : try_later(entry, call);
  }
}

void TransactionCoordinator::mark(Entry& entry, TransactionCall& call) {
  const Transaction& transaction = entry.transaction;
  const protocol::TransactionMarker marker{.producer_id = transaction.producer().id,
                                           .producer_epoch = transaction.producer().epoch,
                                           .coordinator_epoch = kTransactionCoordinatorEpoch,
                                           .commit = transaction.state() == TransactionState::prepare_commit};
  entry.step = Step::marked;
  entry.left.clear();
  entry.wait = new_wait(entry);
  for (const TopicPartition& where : entry.unmarked) {
    const ErrorCode code = write_marker(topics_, groups_, where, marker, call.now, entry.wait, call.wakeups);
    if (!is_marked(code)) entry.left.insert(where);
  }
  if (!entry.wait || entry.wait->one_done(true)) go_on(entry, call);
}

void TransactionCoordinator::complete(Entry& entry, TransactionCall& call) {
  const TransactionValue value = entry.transaction.completed(call.now.wall_ms);
  if (store(entry, value, nullptr, call) != ErrorCode::none) return try_later(entry, call);
  entry.step = Step::none;
  tell(entry, ErrorCode::none, call);
}

// The decision stands, whatever keeps a partition from learning of it: a disk that fails, most likely.
void TransactionCoordinator::try_later(Entry& entry, TransactionCall& call) {
  entry.not_before_ms = Deadlines::after(call.now.steady_ms, kTryAgainMs);
  schedule(entry);
  tell(entry, ErrorCode::none, call);
}

void TransactionCoordinator::tell(Entry& entry, ErrorCode error, TransactionCall& call) {
  if (const PendingEnd asked = std::exchange(entry.asked, nullptr)) asked->give({error}, call.wakeups);
}

std::int64_t TransactionCoordinator::next_deadline_ms(const Entry& entry) {
  if (entry.transaction.state() == TransactionState::ongoing) {
    return std::max(entry.transaction.deadline_ms(), entry.not_before_ms);
  }
  const bool waits_for_time = entry.step == Step::marked && !entry.wait;
  return waits_for_time ? entry.not_before_ms : Deadlines::kNever;
}

// Only to an earlier time: what is put off is found out when its time comes.
void TransactionCoordinator::run_timer(Entry& entry, TransactionCall& call) {
  if (next_deadline_ms(entry) > call.now.steady_ms) return;
  if (entry.step == Step::marked) return mark(entry, call);
  base::log::warning("a transaction was aborted because its time was up",
                     {{"transactional_id", entry.name}, {"timeout_ms", entry.transaction.timeout_ms()}});
  if (prepare(entry, entry.transaction.fenced(call.now.wall_ms), call) == ErrorCode::none) return;
  entry.not_before_ms = Deadlines::after(call.now.steady_ms, kTryAgainMs);
}

std::int64_t TransactionCoordinator::run_timers(TransactionCall call) {
  const std::scoped_lock lock(mutex_);
  return agenda_.run_due(call.now.steady_ms, [&](Entry& entry) {
    run_timer(entry, call);
    schedule(entry);
  });
}

}  // namespace iolab::core
