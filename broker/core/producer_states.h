// What one partition remembers of its idempotent producers, so that a batch sent twice is stored once.
//
// For each producer id: its epoch and its last five batches. The order of the checks is Kafka's, and matters:
// duplicates first, then the epoch, then the sequence. check() decides, apply() alone changes: a restart replays the
// log through apply(). Sequence numbers count records and wrap from 2147483647 to 0.
//
// Left out: transactions. Threads: under the partition's mutex.
// Source: the idempotent producer of KIP-98, and ProducerAppendInfo and ProducerStateEntry of Apache Kafka.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <unordered_map>

#include "broker/protocol/error_code.h"

namespace iolab::core {

// The part of a batch's header that belongs to its producer.
struct ProducerBatch {
  std::int64_t producer_id = -1;  // -1: not idempotent
  std::int16_t epoch = -1;
  std::int32_t first_sequence = -1;
  std::int32_t records = 0;

  std::int32_t last_sequence() const {
    return static_cast<std::int32_t>((std::int64_t{first_sequence} + records - 1) & 0x7fffffff);
  }
};

class ProducerStates {
 public:
  static constexpr std::size_t kBatchesRemembered = 5;

  // The offset at which the batch already is, if it was stored before; nothing if it is to be appended; or why not.
  std::expected<std::optional<std::int64_t>, protocol::ErrorCode> check(const ProducerBatch& batch) const;

  // The batch is in the log at `base_offset`. Batches without a producer id change nothing.
  void apply(const ProducerBatch& batch, std::int64_t base_offset, std::int64_t wall_ms);

  // Forgets producers that have been silent since before `wall_ms`.
  void expire(std::int64_t wall_ms);

  std::size_t size() const { return producers_.size(); }

  // What a snapshot holds; restore() takes the same back, oldest batch first.
  struct Remembered {
    std::int64_t producer_id;
    std::int16_t epoch;
    std::int32_t first_sequence;
    std::int32_t last_sequence;
    std::int64_t base_offset;
    std::int64_t wall_ms;
  };
  void for_each(const std::function<void(const Remembered&)>& take) const;
  void restore(const Remembered& batch);

 private:
  struct Batch {
    std::int32_t first_sequence;
    std::int32_t last_sequence;
    std::int64_t base_offset;
  };
  struct Producer {
    std::int16_t epoch = -1;
    std::uint8_t count = 0;
    std::uint8_t newest = 0;  // index into batches
    std::array<Batch, kBatchesRemembered> batches{};
    std::int64_t wall_ms = 0;
  };
  void remember(std::int64_t producer_id, std::int16_t epoch, const Batch& batch, std::int64_t wall_ms);

  std::unordered_map<std::int64_t, Producer> producers_;
};

}  // namespace iolab::core
