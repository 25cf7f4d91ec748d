#include "broker/core/internal_log.h"

#include <fmt/format.h>

#include <algorithm>

#include "broker/protocol/batch_builder.h"

namespace iolab::core {

using protocol::ErrorCode;

namespace {

constexpr std::size_t kReadAtOnce = 1 << 20;  // bytes; a batch that is larger is read whole

protocol::BatchBuilder::Entry entry_of(const InternalRecord& record, Moment now) {
  protocol::BatchBuilder::Entry entry{
      .timestamp_ms = now.wall_ms, .key = base::Bytes(record.key), .value = {}, .headers = {}};
  if (record.value) entry.value = base::Bytes(*record.value);
  return entry;
}

// Visits the records of the whole batches in `bytes`, and returns the offset behind the last of them.
std::expected<std::int64_t, std::string> visit_batches(base::Bytes bytes, std::int64_t offset,
                                                       const InternalLog::Visit& visit) {
  while (!bytes.empty()) {
    const auto batch = protocol::first_batch(bytes);
    if (!batch) break;  // the last one was cut short: it is read again, from its beginning
    protocol::RecordReader reader(*batch);
    while (const protocol::Record* record = reader.next()) visit(*batch, *record);
    if (reader.fault()) {
      return std::unexpected(fmt::format("the batch at offset {}: {}", batch->base_offset(), reader.fault()->reason));
    }
    offset = batch->next_offset();
    bytes = bytes.subspan(batch->size());
  }
  return offset;
}

}  // namespace

bool is_internal_topic(std::string_view name) {
  return name == kConsumerOffsetsTopic || name == kTransactionStateTopic;
}

Overrides internal_topic_overrides(const BrokerSettings& broker, std::string_view name) {
  Overrides overrides{{"cleanup.policy", "compact"}};
  if (name == kConsumerOffsetsTopic) overrides.emplace("segment.bytes", std::to_string(broker.offsets_segment_bytes));
  if (name == kTransactionStateTopic) {
    overrides.emplace("segment.bytes", std::to_string(broker.transaction_segment_bytes));
  }
  return overrides;
}

void InternalLog::attach(std::shared_ptr<Partition> partition, std::int64_t most_batch_bytes) {
  partition_ = std::move(partition);
  most_batch_bytes_ = most_batch_bytes;
  attached_.store(true, std::memory_order_release);
}

std::expected<std::int64_t, ErrorCode> InternalLog::append(std::span<const InternalRecord> records, Moment now,
                                                           const std::shared_ptr<CommitWait>& wait, Wakeups& wakeups,
                                                           Producer producer) {
  const auto most = static_cast<std::size_t>(most_batch_bytes_);
  const auto is_too_large = [&](const InternalRecord& record) {
    return protocol::kBatchHeaderBytes + protocol::BatchBuilder::most_bytes_of(entry_of(record, now)) > most;
  };
  if (std::ranges::any_of(records, is_too_large)) return std::unexpected(ErrorCode::message_too_large);

  protocol::BatchBuilder builder(
      {.producer_id = producer.id, .producer_epoch = producer.epoch, .transactional = producer.id >= 0});
  std::int64_t first_offset = -1;
  const auto write = [&]() -> std::expected<void, ErrorCode> {
    std::vector<std::byte> bytes = builder.finish();
    const auto batch = protocol::first_batch(bytes);
    const auto appended = partition_->append(bytes, *batch, now, wait, wakeups, Origin::coordinator, producer.verified);
    if (!appended) return std::unexpected(appended.error());
    if (first_offset < 0) first_offset = appended->base_offset;
    return {};
  };
  for (const InternalRecord& record : records) {
    const auto entry = entry_of(record, now);
    if (!builder.empty() && builder.size_bytes() + protocol::BatchBuilder::most_bytes_of(entry) > most) {
      if (auto done = write(); !done) return std::unexpected(done.error());
    }
    builder.add(entry);
  }
  if (!builder.empty()) {
    if (auto done = write(); !done) return std::unexpected(done.error());
  }
  return first_offset;
}

std::expected<void, ErrorCode> InternalLog::await_sync(const std::shared_ptr<CommitWait>& wait) {
  return partition_->await_sync(wait);
}

std::expected<void, std::string> InternalLog::replay(base::BufferPool& buffers, const Visit& visit) const {
  const auto offsets = partition_->offsets();
  const auto failed = [&](std::string_view what) {
    return std::unexpected(fmt::format("{}-{} cannot be read: {}", partition_->topic(), partition_->index(), what));
  };
  if (!offsets) return failed("it is offline");
  for (std::int64_t offset = offsets->start; offset < offsets->high_watermark;) {
    const auto found = partition_->locate(offset, {.max_bytes = kReadAtOnce});
    if (!found) return failed("the log refuses to be read");
    const auto read = partition_->read_copied(found->location, buffers);
    if (!read) return failed("its bytes are damaged, or the disk fails");
    const auto next = visit_batches(read->bytes, offset, visit);
    if (!next) return failed(next.error());
    if (*next <= offset) return failed(fmt::format("there is no batch at offset {}", offset));
    offset = *next;
  }
  return {};
}

}  // namespace iolab::core
