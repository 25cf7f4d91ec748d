// One transactional id: which producer may write in its name, and what becomes of its transaction.
//
//   empty --partitions are added--> ongoing --its end is decided--> prepare_commit --all are marked--> complete_commit
//     ^                                ^                            prepare_abort                      complete_abort
//     |                                +------------------- partitions are added --------------------------------+
//     +-------------------------------------------- a producer starts --------------------------------------------+
//
// Invariants: of all who ever used the id only one has its producer id and epoch, and the others are refused: whoever
// starts gets a higher epoch, or a new producer id when epochs run out; if that happens while a transaction is ongoing,
// it is aborted first, with an epoch that nobody gets. A decision that has been made is never changed. Each request is
// asked what the next record would be; apply() alone changes anything, live and at a replay.
//
// Left out: transactions that end with a new epoch each time (KIP-890's second part).
// Threads: under the coordinator's lock. Source: KIP-98, KIP-360 and KIP-588; TransactionMetadata of Apache Kafka.
#pragma once

#include <cstdint>
#include <expected>
#include <limits>
#include <optional>
#include <set>
#include <vector>

#include "broker/core/deadlines.h"
#include "broker/core/moment.h"
#include "broker/core/transactions/transaction_records.h"
#include "broker/protocol/error_code.h"

namespace iolab::core {

struct ProducerIdentity {
  std::int64_t id = -1;
  std::int16_t epoch = -1;

  bool operator==(const ProducerIdentity&) const = default;
};

class Transaction {
 public:
  // The last epoch that a producer is given is one lower: the very last is left for fencing it.
  static constexpr std::int16_t kLastEpoch = std::numeric_limits<std::int16_t>::max();

  // The record to append and then to apply; nothing: all is as it should be; or why not.
  using Decision = std::expected<std::optional<TransactionValue>, protocol::ErrorCode>;

  struct Start {
    TransactionValue
        value;  // `empty`: the producer has what stands in it; `prepare_abort`: ask again when that is over
    ProducerIdentity previous;  // for apply()
  };
  // A producer begins to use the id. `had`: what it was given before, if it says so; it is refused if it has been
  // replaced since. `fresh_id` is a producer id that nobody has.
  std::expected<Start, protocol::ErrorCode> start(std::int32_t timeout_ms, const ProducerIdentity& had,
                                                  std::int64_t fresh_id, std::int64_t wall_ms) const;
  Decision add(const ProducerIdentity& who, const std::vector<TopicPartition>& more, std::int64_t wall_ms) const;
  Decision end(const ProducerIdentity& who, bool commit, std::int64_t wall_ms) const;
  // Of an ongoing one: aborted, and its producer may not go on.
  TransactionValue fenced(std::int64_t wall_ms) const;
  // Of a prepared one: every partition has its marker.
  TransactionValue completed(std::int64_t wall_ms) const;

  // `previous`: who may start once more with what it had, because it did not get an answer, or was told to come again
  // when its own transaction is aborted. It is not in the log: after a restart such a producer is refused.
  void apply(const TransactionValue& value, Moment now, const ProducerIdentity& previous = {});

  // Whether `who` may write to a partition now, in the words of an answer to Produce.
  protocol::ErrorCode verify(const ProducerIdentity& who, const TopicPartition& where) const;

  TransactionState state() const { return state_; }
  const ProducerIdentity& producer() const { return producer_; }  // epoch -1: nobody has used the id yet
  std::int32_t timeout_ms() const { return timeout_ms_; }
  std::int64_t start_ms() const { return start_ms_; }              // wall; -1: none has begun
  std::int64_t last_update_ms() const { return last_update_ms_; }  // wall
  std::int64_t deadline_ms() const { return deadline_ms_; }        // steady; kNever unless it is ongoing
  const std::set<TopicPartition>& partitions() const { return partitions_; }
  bool is_prepared() const {
    return state_ == TransactionState::prepare_commit || state_ == TransactionState::prepare_abort;
  }
  bool is_idle() const { return !is_prepared() && state_ != TransactionState::ongoing; }

 private:
  protocol::ErrorCode check(const ProducerIdentity& who) const;
  TransactionValue value_of(TransactionState status, std::int64_t wall_ms) const;

  TransactionState state_ = TransactionState::empty;
  ProducerIdentity producer_, previous_;
  std::int32_t timeout_ms_ = 0;
  std::set<TopicPartition> partitions_;
  std::int64_t last_update_ms_ = -1;
  std::int64_t start_ms_ = -1;
  std::int64_t deadline_ms_ = Deadlines::kNever;
};

}  // namespace iolab::core
