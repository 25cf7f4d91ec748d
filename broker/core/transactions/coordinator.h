// The coordinator of all transactional ids of this broker: it decides who may write in an id's name and how its
// transaction ends, keeps that in __transaction_state, and sees to it that every partition learns of the end.
//
// An end has three steps, each of which is begun when the one before it cannot be lost any more:
//
//   prepare    the decision, with all partitions, is appended to the coordinator's log
//   mark       every partition gets a marker, and offsets that were committed within the transaction count or do not
//   complete   that this is done is appended to the coordinator's log
//
// With iolab.flush=commit "cannot be lost" means synced: a marker that outlives its decision in a power cut would
// commit one half of a transaction whose other half is aborted when its time is up, and a completion that outlives a
// marker would leave a partition's readers behind an open transaction for ever. Otherwise appending in this order is
// enough, because a crash of the process keeps what was appended. In between nobody blocks: the disk wakes the flusher,
// which takes the next step. What a restart finds prepared is finished; markers that are written twice harm nobody.
//
// Invariant: state changes and appends happen under one lock, so that a replay, which goes through the same apply(),
// ends where the broker was. An answer that lets a producer go on waits until what it rests on is on the disk.
//
// Threads: load() before the first request; everything else from any. The lock is taken before that of the groups'
// coordinator and before a partition's, and is not held over wake-ups, sends or syncs.
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/core/agenda.h"
#include "broker/core/deadlines.h"
#include "broker/core/flush_queue.h"
#include "broker/core/groups/coordinator.h"
#include "broker/core/internal_log.h"
#include "broker/core/topic_table.h"
#include "broker/core/transactions/transaction.h"

namespace iolab::core {

// What one call may cause, and when it is made.
struct TransactionCall {
  Moment now;
  Wakeups& wakeups;
};

// Who asks, in which id's name.
struct TransactionClaim {
  std::string transactional_id;
  ProducerIdentity producer;
};

// Given when a transaction has been ended everywhere, or at least has been decided and one partition cannot be reached.
struct EndAnswer {
  protocol::ErrorCode error = protocol::ErrorCode::none;
};
using PendingEnd = std::shared_ptr<PendingAnswer<EndAnswer>>;

class TransactionCoordinator {
 public:
  // All of them must outlive it.
  TransactionCoordinator(const BrokerSettings& settings, RandomSource& random, Deadlines& deadlines,
                         FlushQueue& flushes, const TopicTable& topics, GroupCoordinator& groups);

  // Takes over the topic of transactions, reads everything back and finishes what was being ended. False: it cannot be
  // read, the diary says why, and no transaction is coordinated. The groups' coordinator has been loaded, if it can be.
  bool load(const TopicPointer& topic, base::BufferPool& buffers, Moment now);
  // As that of groups.
  protocol::ErrorCode availability() const;
  std::expected<void, protocol::ErrorCode> await_sync(const std::shared_ptr<CommitWait>& wait);

  // --- a producer's way (coordinator.cpp) ---
  // The identity to write with. `claim.producer`: what it had, or -1. concurrent_transactions: come again, something is
  // being ended, if need be on your behalf.
  std::expected<ProducerIdentity, protocol::ErrorCode> start(const TransactionClaim& claim, std::int32_t timeout_ms,
                                                             const std::shared_ptr<CommitWait>& wait,
                                                             TransactionCall call);
  // Partitions that exist; that of a group's offsets among them.
  protocol::ErrorCode add(const TransactionClaim& claim, const std::vector<TopicPartition>& partitions,
                          const std::shared_ptr<CommitWait>& wait, TransactionCall call);
  // none: `pending` is given its answer, now or later. Otherwise nothing has changed.
  protocol::ErrorCode end(const TransactionClaim& claim, bool commit, const PendingEnd& pending, TransactionCall call);
  // Whether a partition is part of the ongoing transaction of a producer that wants to write to it; the error is in the
  // words of an answer to Produce. Never call it with a partition's lock held.
  protocol::ErrorCode verify(std::string_view transactional_id, std::int64_t producer_id, std::int16_t epoch,
                             const TopicPartition& where) const;

  // --- as a whole (coordinator_ids.cpp) ---
  std::optional<Transaction> find(std::string_view transactional_id) const;
  std::vector<std::pair<std::string, Transaction>> all() const;  // by transactional id
  void expire(TransactionCall call);                             // ids that nobody has used for long

  // Aborts what has lasted too long, and tries again what could not be ended. Returns when to come again: steady
  // milliseconds.
  std::int64_t run_timers(TransactionCall call);

 private:
  // How far the end of a transaction has come.
  enum class Step : std::uint8_t {
    none,
    prepared,  // waits for the sync of the decision
    marked,    // waits for the sync of markers, or for the time to try again
  };
  struct Entry {
    explicit Entry(std::string id) : name(std::move(id)) {}
    std::string name;
    Transaction transaction;
    Step step = Step::none;
    std::shared_ptr<CommitWait> wait;         // of that step; null: there is nothing to wait for
    std::set<TopicPartition> unmarked, left;  // without a durable marker; those that refused one
    PendingEnd asked;                         // null: nobody waits for the end
    std::int64_t not_before_ms = 0;           // steady; something failed, and is not tried again before
    std::int64_t scheduled_ms = Deadlines::kNever;
  };
  class Reminder;
  using Entries = std::map<std::string, std::unique_ptr<Entry>, std::less<>>;

  // Runs `body` under the lock, and rings the timer afterwards if it has to come earlier.
  template <class Body>
  auto change(Body&& body) {
    return under_lock(mutex_, agenda_, deadlines_, body);
  }

  Entry* find_entry(std::string_view id) const;
  Entry& find_or_make(const std::string& id);
  Entries::iterator erase(Entries::iterator entry);
  static std::int64_t next_deadline_ms(const Entry& entry);
  void schedule(Entry& entry) { agenda_.add(entry, next_deadline_ms(entry)); }
  void apply(const protocol::BatchView& batch, const protocol::Record& record, Moment now);
  // Appends, and applies if that worked.
  protocol::ErrorCode store(Entry& entry, const TransactionValue& value, const std::shared_ptr<CommitWait>& wait,
                            TransactionCall& call, const ProducerIdentity& previous = {});
  protocol::ErrorCode append(const std::string& id, const TransactionValue* value,
                             const std::shared_ptr<CommitWait>& wait, TransactionCall& call);

  // coordinator_ends.cpp
  std::shared_ptr<CommitWait> new_wait(const Entry& entry);
  protocol::ErrorCode prepare(Entry& entry, const TransactionValue& value, TransactionCall& call,
                              const ProducerIdentity& previous = {});
  void go_on(Entry& entry, TransactionCall& call);
  void mark(Entry& entry, TransactionCall& call);
  void complete(Entry& entry, TransactionCall& call);
  void try_later(Entry& entry, TransactionCall& call);
  void tell(Entry& entry, protocol::ErrorCode error, TransactionCall& call);
  void run_timer(Entry& entry, TransactionCall& call);

  const BrokerSettings& settings_;
  RandomSource& random_;
  Deadlines& deadlines_;
  FlushQueue& flushes_;
  const TopicTable& topics_;
  GroupCoordinator& groups_;
  InternalLog log_;

  enum class Loading : std::uint8_t { not_yet, done, failed };
  std::atomic<Loading> loading_{Loading::not_yet};
  mutable std::mutex mutex_;
  Entries entries_;
  Agenda<Entry> agenda_;
};

}  // namespace iolab::core
