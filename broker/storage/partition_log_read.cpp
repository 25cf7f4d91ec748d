// Finding and reading. A look-up runs under the lock of the partition and reads little: an index entry and some
// headers, and for the newest batches nothing at all. The bytes themselves are read without the lock, from the pinned
// file.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "broker/protocol/record_reader.h"
#include "broker/storage/batch_scanner.h"
#include "broker/storage/partition_log.h"
#include "broker/storage/segment.h"

namespace iolab::storage {
namespace {

// The whole, right batches at the start of `bytes`, which begin with `location`'s first batch.
Expected<std::size_t> right_prefix(const ReadLocation& location, std::span<const std::byte> bytes) {
  std::size_t right = 0;
  std::int64_t expected_offset = location.base_offset;
  while (bytes.size() - right >= kBatchHeaderBytes) {
    const auto rest = bytes.subspan(right);
    const BatchHeader header = decode_batch_header(rest);
    const char* fault =
        fault_of_header(header, expected_offset, location.segment->leader_epoch(), std::numeric_limits<int>::max());
    if (fault == nullptr && header.bytes() > static_cast<std::int64_t>(rest.size())) break;  // cut short by the limit
    if (fault == nullptr && !checksum_matches(rest.first(static_cast<std::size_t>(header.bytes()))))
      fault = "the checksum is wrong";
    if (fault != nullptr) {
      if (right > 0) break;  // the next read begins with it, and fails then
      return std::unexpected(location.segment->damaged(location.position, fault));
    }
    right += static_cast<std::size_t>(header.bytes());
    expected_offset = header.next_offset();
  }
  return right;
}

}  // namespace

int ReadLocation::segment_descriptor() const {
  return segment->file().descriptor();
}

std::size_t PartitionLog::segment_index_of(std::int64_t offset) const {
  const auto later = std::ranges::upper_bound(segments_, offset, {}, [](const auto& s) { return s->base_offset(); });
  return static_cast<std::size_t>(later - segments_.begin()) - 1;
}

Expected<PartitionLog::RecentBatch> PartitionLog::find_batch(Segment& segment, std::int64_t offset) {
  const std::uint64_t known =
      &segment == segments_.back().get() ? std::min<std::uint64_t>(recent_count_, kRecentBatches) : 0;
  for (std::uint64_t back = 1; back <= known; ++back) {
    const RecentBatch& batch = recent_[(recent_count_ - back) % kRecentBatches];
    if (offset >= batch.base_offset) return batch;  // the ones behind it were looked at before
  }
  const auto found = segment.find_offset(offset);
  if (!found) return std::unexpected(found.error());
  return RecentBatch{.base_offset = found->header.base_offset,
                     .next_offset = found->header.next_offset(),
                     .position = found->position,
                     .bytes = found->header.bytes()};
}

Expected<ReadLocation> PartitionLog::locate(std::int64_t offset, const ReadLimits& limits) {
  if (failure_) return std::unexpected(*failure_);
  if (offset < start_offset_ || offset > end_offset_)
    return std::unexpected(StorageError{StorageFault::out_of_range,
                                        fmt::format("offset {} of {} is outside of {} to {}", offset,
                                                    directory_.filename().string(), start_offset_, end_offset_)});
  ReadLocation location{.base_offset = offset};
  if (offset >= std::min(end_offset_, limits.end_offset)) return location;
  const auto& segment = segments_[segment_index_of(offset)];
  const auto first = find_batch(*segment, offset);
  if (!first) return fail(first.error());
  std::int64_t end_position = segment->size_bytes();
  if (limits.end_offset < segment->end_offset()) {
    const auto limit = find_batch(*segment, limits.end_offset);
    if (!limit) return fail(limit.error());
    end_position = limit->base_offset < limits.end_offset ? limit->position + limit->bytes : limit->position;
  }
  const auto available = static_cast<std::size_t>(end_position - first->position);
  const auto first_bytes = static_cast<std::size_t>(first->bytes);
  std::size_t bytes = std::min(available, limits.max_bytes);
  if (bytes < first_bytes) bytes = limits.at_least_one_batch ? first_bytes : 0;
  if (bytes == 0) return location;
  return ReadLocation{.segment = segment,
                      .position = first->position,
                      .bytes = bytes,
                      .base_offset = first->base_offset,
                      .unchecked = first->position < segment->checked_from()};
}

Expected<std::int64_t> PartitionLog::offset_behind(const ReadLocation& location) {
  if (failure_) return std::unexpected(*failure_);
  const auto& segment = segments_[segment_index_of(location.base_offset)];
  return segment->offset_behind(location.position + static_cast<std::int64_t>(location.bytes));
}

Expected<std::size_t> PartitionLog::read_into(const ReadLocation& location, std::span<std::byte> into) {
  if (location.bytes == 0) return 0;
  const auto bytes = into.first(location.bytes);
  const auto got = location.segment->file().read_at(location.position, bytes);
  if (!got) return std::unexpected(got.error());
  if (*got < bytes.size())
    return std::unexpected(location.segment->damaged(location.position + static_cast<std::int64_t>(*got),
                                                     "the file became shorter while the broker had it open"));
  return check(location, bytes);
}

Expected<std::optional<std::size_t>> PartitionLog::read_now(const ReadLocation& location, std::span<std::byte> into) {
  const auto bytes = into.first(location.bytes);
  const auto got = location.segment->file().read_now(location.position, bytes);
  if (!got) return std::unexpected(got.error());
  if (*got < bytes.size()) return std::nullopt;
  const auto right = check(location, bytes);
  if (!right) return std::unexpected(right.error());
  return std::optional(*right);
}

Expected<std::size_t> PartitionLog::check(const ReadLocation& location, std::span<const std::byte> bytes) {
  return location.unchecked ? right_prefix(location, bytes) : bytes.size();
}

std::span<const std::byte> PartitionLog::map(const ReadLocation& location) {
  constexpr std::size_t kWorthIt = 32 * 1024;  // two calls and a walk over page tables, against one copy
  if (location.unchecked || location.bytes < kWorthIt) return {};
  return location.segment->mapped(location.position, location.bytes);
}

Expected<TimestampLocation> PartitionLog::batch_at(const std::shared_ptr<Segment>& segment, std::int64_t offset,
                                                   std::int64_t timestamp_ms) {
  const auto found = find_batch(*segment, offset);
  if (!found) return std::unexpected(found.error());
  return TimestampLocation{.batch = {.segment = segment,
                                     .position = found->position,
                                     .bytes = static_cast<std::size_t>(found->bytes),
                                     .base_offset = found->base_offset,
                                     .unchecked = found->position < segment->checked_from()},
                           .timestamp_ms = timestamp_ms,
                           .next_offset = found->next_offset};
}

Expected<std::optional<TimestampLocation>> PartitionLog::locate_timestamp(std::int64_t timestamp_ms,
                                                                          std::int64_t from_offset) {
  if (failure_) return std::unexpected(*failure_);
  from_offset = std::max(from_offset, start_offset_);
  if (from_offset >= end_offset_) return std::nullopt;
  for (std::size_t i = segment_index_of(from_offset); i < segments_.size(); ++i) {
    const auto found = segments_[i]->find_timestamp(timestamp_ms, from_offset);
    if (!found) return fail(found.error());
    if (!*found) continue;
    const auto batch = batch_at(segments_[i], (*found)->header.base_offset, timestamp_ms);
    if (!batch) return fail(batch.error());
    return *batch;
  }
  return std::nullopt;
}

Expected<std::optional<TimestampLocation>> PartitionLog::locate_max_timestamp(std::int64_t before_offset) {
  if (failure_) return std::unexpected(*failure_);
  Segment::MaxTimestamp largest;
  std::shared_ptr<Segment> holder;
  for (const auto& segment : segments_) {
    if (segment->base_offset() >= before_offset) break;
    const auto max = segment->max_timestamp(before_offset);
    if (!max) return fail(max.error());
    if (max->timestamp_ms <= largest.timestamp_ms) continue;
    largest = *max;
    holder = segment;
  }
  if (!holder) return std::nullopt;
  const auto batch = batch_at(holder, largest.base_offset, largest.timestamp_ms);
  if (!batch) return fail(batch.error());
  return *batch;
}

Expected<std::optional<TimestampAndOffset>> PartitionLog::find_in_batch(const TimestampLocation& location) {
  std::vector<std::byte> bytes(location.batch.bytes);
  if (const auto got = read_into(location.batch, bytes); !got) return std::unexpected(got.error());
  const auto batch = protocol::first_batch(bytes);
  if (!batch) return std::unexpected(location.batch.segment->damaged(location.batch.position, batch.error().reason));
  // Records that cannot be decoded under a right checksum are their producer's fault, not the disk's: they have no
  // time.
  protocol::RecordReader reader(*batch);
  while (const protocol::Record* record = reader.next())
    if (record->timestamp_ms >= location.timestamp_ms) return TimestampAndOffset{record->timestamp_ms, record->offset};
  return std::nullopt;
}

Expected<void> PartitionLog::for_each_batch(std::int64_t from_offset,
                                            const std::function<bool(const BatchHeader&)>& visit) {
  if (failure_) return std::unexpected(*failure_);
  bool more = true;
  from_offset = std::max(from_offset, start_offset_);
  if (from_offset >= end_offset_) return {};
  for (std::size_t i = segment_index_of(from_offset); more && i < segments_.size(); ++i) {
    const auto done =
        segments_[i]->for_each_batch(from_offset, [&](const BatchHeader& header) { return more = visit(header); });
    if (!done) return fail(done.error());
  }
  return {};
}

}  // namespace iolab::storage
