// What readers ask of a partition. A look-up takes the lock; reading does not.
#include <algorithm>

#include "broker/core/partition.h"

namespace iolab::core {

using protocol::ErrorCode;

std::expected<Partition::Offsets, ErrorCode> Partition::offsets() const {
  const std::scoped_lock lock(mutex_);
  if (auto fine = usable(); !fine) return std::unexpected(fine.error());
  return Offsets{log_->start_offset(), high_watermark_, last_stable_offset_};
}

std::expected<std::map<std::int64_t, ProducerState>, ErrorCode> Partition::producers() const {
  const std::scoped_lock lock(mutex_);
  if (auto fine = usable(); !fine) return std::unexpected(fine.error());
  std::map<std::int64_t, ProducerState> all;
  producers_.for_each([&](std::int64_t id, const ProducerState& state) { all.emplace(id, state); });
  return all;
}

std::expected<Partition::Readable, ErrorCode> Partition::locate(std::int64_t offset, storage::ReadLimits limits,
                                                                Isolation isolation) {
  const std::scoped_lock lock(mutex_);
  if (auto fine = usable(); !fine) return std::unexpected(fine.error());
  Readable readable;
  readable.offsets = {log_->start_offset(), high_watermark_, last_stable_offset_};
  const std::int64_t end = readable.offsets.end(isolation);
  if (offset < log_->start_offset() || offset > high_watermark_) return std::unexpected(ErrorCode::offset_out_of_range);
  if (offset >= end) return readable;
  limits.end_offset = end;
  auto location = log_->locate(offset, limits);
  if (!location) return std::unexpected(storage_failed(location.error()));
  readable.location = std::move(*location);
  if (readable.location.bytes == 0) return readable;
  if (isolation == Isolation::read_committed) readable.aborted = aborted_in(offset, end, readable.location);
  if (readable.location.bytes < limits.max_bytes && log_->segment_count() > 1) {
    const auto last = log_->locate(end - 1, {.max_bytes = 1, .end_offset = end});
    readable.ends_inside = last && last->segment != readable.location.segment;
  }
  return readable;
}

std::vector<AbortedTransaction> Partition::aborted_in(std::int64_t from, std::int64_t to,
                                                      const storage::ReadLocation& location) {
  const PartitionTransactions& transactions = producers_.transactions();
  if (transactions.aborted().empty() || transactions.aborted().back().last_offset < from) return {};
  if (const auto behind = log_->offset_behind(location)) to = std::min(to, *behind);
  return transactions.aborted_in(from, to);
}

std::expected<Partition::Records, ErrorCode> Partition::read(const storage::ReadLocation& location,
                                                             base::BufferPool& buffers) {
  if (const base::Bytes mapped = storage::PartitionLog::map(location); !mapped.empty()) {
    return Records{mapped, location.segment};
  }
  return read_copied(location, buffers);
}

std::expected<Partition::Records, ErrorCode> Partition::read_copied(const storage::ReadLocation& location,
                                                                    base::BufferPool& buffers) {
  auto buffer = std::make_shared<base::PooledBuffer>(buffers.take(location.bytes));
  const auto bytes = storage::PartitionLog::read_into(location, buffer->bytes());
  if (bytes) return Records{buffer->bytes().first(*bytes), buffer};
  const std::scoped_lock lock(mutex_);
  return std::unexpected(damaged(bytes.error()));
}

std::expected<std::optional<Partition::Records>, ErrorCode> Partition::read_now(const storage::ReadLocation& location,
                                                                                base::BufferPool& buffers) {
  auto buffer = std::make_shared<base::PooledBuffer>(buffers.take(location.bytes));
  const auto bytes = storage::PartitionLog::read_now(location, buffer->bytes());
  if (bytes && !*bytes) return std::nullopt;
  if (bytes) return Records{buffer->bytes().first(**bytes), buffer};
  const std::scoped_lock lock(mutex_);
  return std::unexpected(damaged(bytes.error()));
}

std::expected<Partition::Records, ErrorCode> Partition::accept(const storage::ReadLocation& location,
                                                               std::shared_ptr<base::PooledBuffer> buffer) {
  const auto bytes = storage::PartitionLog::check(location, buffer->bytes().first(location.bytes));
  if (bytes) return Records{buffer->bytes().first(*bytes), buffer};
  const std::scoped_lock lock(mutex_);
  return std::unexpected(damaged(bytes.error()));
}

// Found while reading without the lock, which is held now.
ErrorCode Partition::damaged(const storage::StorageError& error) {
  const bool lasting = error.fault == storage::StorageFault::corrupt || error.fault == storage::StorageFault::io;
  if (log_ && lasting) log_->take_offline(error);
  return storage_failed(error);
}

Partition::Found Partition::find_timestamp(std::int64_t timestamp_ms, Isolation isolation) {
  const auto known = offsets();
  if (!known) return std::unexpected(known.error());
  auto found = storage::first_offset_at_or_after(*log_, mutex_, timestamp_ms);
  const std::scoped_lock lock(mutex_);
  if (!found) return std::unexpected(damaged(found.error()));
  if (*found && (*found)->offset >= known->end(isolation)) return std::nullopt;
  return *found;
}

Partition::Found Partition::find_max_timestamp(Isolation isolation) {
  storage::TimestampLocation location;
  {
    const std::scoped_lock lock(mutex_);
    if (auto fine = usable(); !fine) return std::unexpected(fine.error());
    auto candidate =
        log_->locate_max_timestamp(isolation == Isolation::read_committed ? last_stable_offset_ : high_watermark_);
    if (!candidate) return std::unexpected(storage_failed(candidate.error()));
    if (!*candidate) return std::nullopt;
    location = std::move(**candidate);
  }
  const auto found = storage::PartitionLog::find_in_batch(location);
  if (found) return *found;
  const std::scoped_lock lock(mutex_);
  return std::unexpected(damaged(found.error()));
}

}  // namespace iolab::core
