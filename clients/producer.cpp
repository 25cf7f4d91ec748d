#include "clients/producer.h"

#include <chrono>

#include "clients/partitioner.h"
#include "clients/topic_calls.h"

namespace iolab::clients {

Producer::Producer(ProtocolClient& client, ProducerSettings settings, std::function<void(const Receipt&)> on_receipt)
    : client_(client), settings_(std::move(settings)), on_receipt_(std::move(on_receipt)) {
  for (int i = 0; i < settings_.partitions; ++i) {
    open_.push_back(
        {protocol::BatchBuilder({.compression = settings_.compression}), 0, {.partition = i, .created = {}}});
  }
}

Result<void> Producer::add(std::optional<base::Bytes> key, std::optional<base::Bytes> value) {
  const int partition = key ? partition_of_key(*key, settings_.partitions) : keyless_;
  auto& batch = open_[static_cast<std::size_t>(partition)];
  const auto wall_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch());
  const protocol::BatchBuilder::Entry entry{.timestamp_ms = wall_ms.count(), .key = key, .value = value, .headers = {}};
  // As with Kafka's producer: batch.size is the most that a batch holds, unless one record alone is larger.
  const auto after = batch.builder.size_bytes() + protocol::BatchBuilder::most_bytes_of(entry);
  if (!batch.builder.empty() && after > settings_.batch_bytes) {
    if (auto sent = send(partition); !sent) return sent;
  }
  const Nanoseconds now = monotonic_ns();
  if (batch.builder.empty()) batch.opened = now;
  batch.builder.add(entry);
  batch.receipt.created.push_back(now);
  batch.receipt.value_bytes += (key ? key->size() : 0) + (value ? value->size() : 0);
  const bool lingered = now - batch.opened >= std::chrono::nanoseconds(settings_.linger).count();
  if (lingered && sent_.size() < settings_.max_in_flight) return send(partition);
  return {};
}

Result<void> Producer::send(int partition) {
  while (sent_.size() >= settings_.max_in_flight) {
    if (auto taken = take_answer(); !taken) return taken;
  }
  auto& batch = open_[static_cast<std::size_t>(partition)];
  const auto bytes = batch.builder.finish();
  if (auto sent = send_batch(client_, settings_.topic, partition, bytes, settings_.acks); !sent) return sent;
  auto receipt = std::exchange(batch.receipt, {.partition = partition, .created = {}});
  if (settings_.acks == 0) {
    on_receipt_(receipt);
  } else {
    sent_.push_back(std::move(receipt));
  }
  if (partition == keyless_) keyless_ = (keyless_ + 1) % settings_.partitions;
  return {};
}

Result<void> Producer::take_answer() {
  const auto offset = receive_acknowledgement(client_);
  if (!offset) return std::unexpected(offset.error());
  auto receipt = std::move(sent_.front());
  sent_.pop_front();
  receipt.base_offset = *offset;
  on_receipt_(receipt);
  return {};
}

Result<void> Producer::poll() {
  while (!sent_.empty() && client_.answer_is_there()) {
    if (auto taken = take_answer(); !taken) return taken;
  }
  const Nanoseconds now = monotonic_ns();
  for (int i = 0; i < settings_.partitions && sent_.size() < settings_.max_in_flight; ++i) {
    const auto& batch = open_[static_cast<std::size_t>(i)];
    const bool lingered = now - batch.opened >= std::chrono::nanoseconds(settings_.linger).count();
    if (batch.builder.empty() || !lingered) continue;
    if (auto sent = send(i); !sent) return sent;
  }
  return {};
}

Result<void> Producer::flush() {
  for (int i = 0; i < settings_.partitions; ++i) {
    if (open_[static_cast<std::size_t>(i)].builder.empty()) continue;
    if (auto sent = send(i); !sent) return sent;
  }
  while (!sent_.empty()) {
    if (auto taken = take_answer(); !taken) return taken;
  }
  return {};
}

}  // namespace iolab::clients
