// What one partition remembers of its producers: so that a batch sent twice is stored once, that nobody writes on
// behalf of a producer that was replaced, and that it is known which transactions are open.
//
// For each producer id: its epoch, its last five batches, where its open transaction began, and its last marker. The
// order of the checks is Kafka's, and matters: duplicates first, then the epoch, then the sequence, then the
// transaction. check() decides, apply() alone changes: a restart replays the log through apply(). Sequence numbers
// count records and wrap from 2147483647 to 0. A producer that is not remembered may begin with any: it may have been
// forgotten, and UNKNOWN_PRODUCER_ID, which old brokers answered, would end it. One of which only a marker is known
// begins with 0.
//
// Threads: under the partition's mutex.
// Source: KIP-98 and KIP-360; ProducerAppendInfo and ProducerStateEntry of Apache Kafka.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <unordered_map>

#include "broker/core/partition_transactions.h"
#include "broker/protocol/error_code.h"
#include "broker/protocol/transaction_marker.h"

namespace iolab::core {

// The part of a batch's header that belongs to its producer.
struct ProducerBatch {
  std::int64_t producer_id = -1;  // -1: neither idempotent nor transactional
  std::int16_t epoch = -1;
  std::int32_t first_sequence = -1;  // -1: a coordinator writes on behalf of the producer, and counts nothing
  std::int32_t records = 0;
  bool transactional = false;

  bool has_sequence() const { return first_sequence >= 0; }
  std::int32_t last_sequence() const {
    return static_cast<std::int32_t>((std::int64_t{first_sequence} + records - 1) & 0x7fffffff);
  }
};

struct ProducerState {
  static constexpr std::size_t kBatchesRemembered = 5;
  struct Batch {
    std::int32_t first_sequence;
    std::int32_t last_sequence;
    std::int64_t base_offset;
  };

  std::int16_t epoch = -1;
  std::int32_t coordinator_epoch = -1;   // of its last marker; -1: there was none
  std::int64_t wall_ms = 0;              // when it last wrote, or was ended
  std::int64_t transaction_offset = -1;  // where its open transaction began; -1: none is open
  std::int64_t marker_offset = -1;       // of its last marker

  bool in_transaction() const { return transaction_offset >= 0; }
  std::size_t batch_count() const { return count_; }
  const Batch& batch(std::size_t age) const {  // 0: the newest; below batch_count()
    return batches_[(newest_ + kBatchesRemembered - age) % kBatchesRemembered];
  }
  std::int32_t last_sequence() const { return count_ == 0 ? -1 : batch(0).last_sequence; }

  void set_epoch(std::int16_t new_epoch);  // a new one forgets the batches
  void remember(const Batch& batch);

 private:
  std::uint8_t count_ = 0;
  std::uint8_t newest_ = 0;  // index into batches_
  std::array<Batch, kBatchesRemembered> batches_{};
};

class ProducerStates {
 public:
  // The offset at which the batch already is, if it was stored before; nothing if it is to be appended; or why not.
  std::expected<std::optional<std::int64_t>, protocol::ErrorCode> check(const ProducerBatch& batch) const;
  // invalid_producer_epoch: the producer has been here with a higher epoch; transaction_coordinator_fenced: so has the
  // coordinator.
  std::expected<void, protocol::ErrorCode> check(const protocol::TransactionMarker& marker) const;

  // The batch is in the log at `base_offset`. Batches without a producer id change nothing.
  void apply(const ProducerBatch& batch, std::int64_t base_offset, std::int64_t wall_ms);
  // The marker is, at `offset`.
  void apply(const protocol::TransactionMarker& marker, std::int64_t offset, std::int64_t wall_ms);

  // Forgets producers that have been silent since before `wall_ms`, but none with an open transaction.
  void expire(std::int64_t wall_ms);

  std::size_t size() const { return producers_.size(); }
  const ProducerState* find(std::int64_t producer_id) const;  // null: it is not remembered

  PartitionTransactions& transactions() { return transactions_; }
  const PartitionTransactions& transactions() const { return transactions_; }

  // What a snapshot holds; restore() takes the same back.
  void for_each(const std::function<void(std::int64_t producer_id, const ProducerState&)>& take) const;
  void restore(std::int64_t producer_id, const ProducerState& state);

 private:
  std::unordered_map<std::int64_t, ProducerState> producers_;
  PartitionTransactions transactions_;
};

}  // namespace iolab::core
