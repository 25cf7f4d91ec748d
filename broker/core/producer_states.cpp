#include "broker/core/producer_states.h"

#include <algorithm>
#include <utility>

namespace iolab::core {

using protocol::ErrorCode;

void ProducerState::set_epoch(std::int16_t new_epoch) {
  if (epoch == new_epoch) return;
  epoch = new_epoch;
  count_ = 0;
}

void ProducerState::remember(const Batch& batch) {
  newest_ = count_ == 0 ? 0 : static_cast<std::uint8_t>((newest_ + 1U) % kBatchesRemembered);
  batches_[newest_] = batch;
  count_ = static_cast<std::uint8_t>(std::min<std::size_t>(count_ + 1U, kBatchesRemembered));
}

const ProducerState* ProducerStates::find(std::int64_t producer_id) const {
  const auto known = producers_.find(producer_id);
  return known == producers_.end() ? nullptr : &known->second;
}

std::expected<std::optional<std::int64_t>, ErrorCode> ProducerStates::check(const ProducerBatch& batch) const {
  if (batch.producer_id < 0) return std::nullopt;
  const ProducerState* producer = find(batch.producer_id);
  if (producer == nullptr) return std::nullopt;  // expired or never seen: any sequence will do
  if (batch.epoch == producer->epoch && batch.has_sequence()) {
    for (std::size_t age = 0; age < producer->batch_count(); ++age) {
      const ProducerState::Batch& stored = producer->batch(age);
      if (stored.first_sequence == batch.first_sequence && stored.last_sequence == batch.last_sequence()) {
        return stored.base_offset;
      }
    }
  }
  if (batch.epoch < producer->epoch) return std::unexpected(ErrorCode::invalid_producer_epoch);
  if (batch.has_sequence()) {
    const std::int64_t last = batch.epoch > producer->epoch ? -1 : producer->last_sequence();
    const auto expected = static_cast<std::int32_t>((last + 1) & 0x7fffffff);
    if (batch.first_sequence != expected) return std::unexpected(ErrorCode::out_of_order_sequence_number);
  }
  if (producer->in_transaction() && !batch.transactional) return std::unexpected(ErrorCode::invalid_txn_state);
  return std::nullopt;
}

std::expected<void, ErrorCode> ProducerStates::check(const protocol::TransactionMarker& marker) const {
  const ProducerState* producer = find(marker.producer_id);
  if (producer == nullptr) return {};
  if (marker.producer_epoch < producer->epoch) return std::unexpected(ErrorCode::invalid_producer_epoch);
  if (marker.coordinator_epoch < producer->coordinator_epoch) {
    return std::unexpected(ErrorCode::transaction_coordinator_fenced);
  }
  return {};
}

void ProducerStates::apply(const ProducerBatch& batch, std::int64_t base_offset, std::int64_t wall_ms) {
  if (batch.producer_id < 0) return;
  ProducerState& producer = producers_[batch.producer_id];
  producer.set_epoch(batch.epoch);
  if (batch.has_sequence()) producer.remember({batch.first_sequence, batch.last_sequence(), base_offset});
  producer.wall_ms = wall_ms;
  if (!batch.transactional || producer.in_transaction()) return;
  producer.transaction_offset = base_offset;
  transactions_.begin(base_offset);
}

void ProducerStates::apply(const protocol::TransactionMarker& marker, std::int64_t offset, std::int64_t wall_ms) {
  ProducerState& producer = producers_[marker.producer_id];
  producer.set_epoch(marker.producer_epoch);
  producer.coordinator_epoch = marker.coordinator_epoch;
  producer.marker_offset = offset;
  producer.wall_ms = wall_ms;
  if (!producer.in_transaction()) return;
  const std::int64_t first_offset = std::exchange(producer.transaction_offset, -1);
  transactions_.end(marker.producer_id, first_offset, offset, !marker.commit);
}

void ProducerStates::expire(std::int64_t wall_ms) {
  std::erase_if(producers_,
                [&](const auto& entry) { return entry.second.wall_ms < wall_ms && !entry.second.in_transaction(); });
}

void ProducerStates::for_each(const std::function<void(std::int64_t, const ProducerState&)>& take) const {
  for (const auto& [id, producer] : producers_) take(id, producer);
}

void ProducerStates::restore(std::int64_t producer_id, const ProducerState& state) {
  producers_[producer_id] = state;
  if (state.in_transaction()) transactions_.begin(state.transaction_offset);
}

}  // namespace iolab::core
