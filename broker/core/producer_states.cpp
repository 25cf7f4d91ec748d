#include "broker/core/producer_states.h"

#include <algorithm>

namespace iolab::core {

using protocol::ErrorCode;

std::expected<std::optional<std::int64_t>, ErrorCode> ProducerStates::check(const ProducerBatch& batch) const {
  if (batch.producer_id < 0) return std::nullopt;
  const auto known = producers_.find(batch.producer_id);
  if (known == producers_.end()) return std::nullopt;  // expired or never seen: any sequence will do
  const Producer& producer = known->second;
  if (batch.epoch == producer.epoch) {
    for (std::size_t i = 0; i < producer.count; ++i) {
      const Batch& stored = producer.batches[i];
      if (stored.first_sequence == batch.first_sequence && stored.last_sequence == batch.last_sequence()) {
        return stored.base_offset;
      }
    }
  }
  if (batch.epoch < producer.epoch) return std::unexpected(ErrorCode::invalid_producer_epoch);
  if (batch.epoch > producer.epoch) {
    if (batch.first_sequence != 0) return std::unexpected(ErrorCode::out_of_order_sequence_number);
    return std::nullopt;
  }
  const auto expected =
      static_cast<std::int32_t>((std::int64_t{producer.batches[producer.newest].last_sequence} + 1) & 0x7fffffff);
  if (batch.first_sequence != expected) return std::unexpected(ErrorCode::out_of_order_sequence_number);
  return std::nullopt;
}

void ProducerStates::apply(const ProducerBatch& batch, std::int64_t base_offset, std::int64_t wall_ms) {
  if (batch.producer_id < 0) return;
  remember(batch.producer_id, batch.epoch, {batch.first_sequence, batch.last_sequence(), base_offset}, wall_ms);
}

void ProducerStates::remember(std::int64_t producer_id, std::int16_t epoch, const Batch& batch, std::int64_t wall_ms) {
  Producer& producer = producers_[producer_id];
  if (producer.epoch != epoch) {
    producer.epoch = epoch;
    producer.count = 0;
  }
  producer.newest = producer.count == 0 ? 0 : static_cast<std::uint8_t>((producer.newest + 1) % kBatchesRemembered);
  producer.batches[producer.newest] = batch;
  producer.count = static_cast<std::uint8_t>(std::min<std::size_t>(producer.count + 1U, kBatchesRemembered));
  producer.wall_ms = wall_ms;
}

void ProducerStates::expire(std::int64_t wall_ms) {
  std::erase_if(producers_, [&](const auto& entry) { return entry.second.wall_ms < wall_ms; });
}

void ProducerStates::for_each(const std::function<void(const Remembered&)>& take) const {
  for (const auto& [id, producer] : producers_) {
    for (std::size_t age = producer.count; age > 0; --age) {
      const Batch& batch = producer.batches[(producer.newest + kBatchesRemembered - (age - 1)) % kBatchesRemembered];
      take({id, producer.epoch, batch.first_sequence, batch.last_sequence, batch.base_offset, producer.wall_ms});
    }
  }
}

void ProducerStates::restore(const Remembered& batch) {
  remember(batch.producer_id, batch.epoch, {batch.first_sequence, batch.last_sequence, batch.base_offset},
           batch.wall_ms);
}

}  // namespace iolab::core
