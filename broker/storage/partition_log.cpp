// Appending, rolling, retention and syncing. Reading is in partition_log_read.cpp, opening in recovery.cpp.
#include "broker/storage/partition_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "broker/storage/recovery.h"
#include "broker/storage/segment.h"

namespace iolab::storage {
namespace {

Segment::Options segment_options(const LogConfig& config, std::int64_t gaps_below = 0) {
  return {.segment_bytes = config.segment_bytes,
          .index_interval_bytes = config.index_interval_bytes,
          .leader_epoch = config.leader_epoch,
          .read_ahead = config.read_ahead,
          .gaps_below = gaps_below,
          .hooks = config.hooks};
}

}  // namespace

PartitionLog::PartitionLog(std::filesystem::path directory, const LogConfig& config)
    : directory_(std::move(directory)), config_(config) {}

PartitionLog::~PartitionLog() = default;

Expected<std::unique_ptr<PartitionLog>> PartitionLog::open(const std::filesystem::path& directory,
                                                           const LogConfig& config, const OpenMode& mode,
                                                           std::int64_t now_ms) {
  auto cleaned = read_cleaner_offsets(directory, config.hooks);
  if (!cleaned) return std::unexpected(cleaned.error());
  auto recovered = recover_log(directory, segment_options(config, cleaned->gaps_below), mode, now_ms);
  if (!recovered) return std::unexpected(recovered.error());
  std::unique_ptr<PartitionLog> log(new PartitionLog(directory, config));
  log->recovery_ = std::move(recovered->report);
  log->segments_ = std::move(recovered->segments);
  for (const auto& segment : log->segments_) log->size_bytes_ += segment->size_bytes();
  log->end_offset_ = log->active().end_offset();
  log->start_offset_ = std::clamp(mode.log_start_offset, log->segments_.front()->base_offset(), log->end_offset_);
  log->synced_offset_ = std::clamp(mode.recovery_point, log->segments_.front()->base_offset(), log->end_offset_);
  log->cleaner_offsets_ = {.cleaned_below = std::min(cleaned->cleaned_below, log->end_offset_),
                           .gaps_below = std::min(cleaned->gaps_below, log->end_offset_)};
  if (recovered->is_new || !mode.after_clean_stop) log->names_version_ = 1;  // nobody knows whether they were synced
  return log;
}

std::unexpected<StorageError> PartitionLog::fail(const StorageError& error) {
  take_offline(error);
  return std::unexpected(error);
}

void PartitionLog::take_offline(const StorageError& reason) {
  if (!failure_) failure_ = StorageError{StorageFault::offline, "the log is offline since: " + reason.message};
}

Expected<void> PartitionLog::append(std::span<const std::byte> batch, std::int64_t now_ms) {
  return append_stamped(decode_batch_header(batch), {}, batch, now_ms);
}

Expected<void> PartitionLog::append(std::span<const std::byte, protocol::kBatchChangeableBytes> start,
                                    std::span<const std::byte> batch, std::int64_t now_ms) {
  std::array<std::byte, kBatchHeaderBytes> stamped;
  std::ranges::copy(batch.first(stamped.size()), stamped.begin());
  std::ranges::copy(start, stamped.begin());
  return append_stamped(decode_batch_header(stamped), start, batch.subspan(start.size()), now_ms);
}

Expected<void> PartitionLog::append_stamped(const BatchHeader& header, std::span<const std::byte> start,
                                            std::span<const std::byte> rest, std::int64_t now_ms) {
  if (failure_) return std::unexpected(*failure_);
  const auto bytes = static_cast<std::int64_t>(start.size() + rest.size());
  if (const char* fault = fault_of_header(header, end_offset_, config_.leader_epoch, bytes);
      fault != nullptr || header.bytes() != bytes)
    return std::unexpected(StorageError{
        StorageFault::corrupt, fmt::format("refused to append a batch to {} at offset {}: {}", directory_.string(),
                                           end_offset_, fault != nullptr ? fault : "more bytes than one batch")});
  if (must_roll_before(header, now_ms)) {
    if (auto rolled = roll(now_ms); !rolled) return rolled;
  }
  Segment& segment = active();
  const std::int64_t position = segment.size_bytes();
  if (auto appended = segment.append(header, start, rest); !appended) {
    if (appended.error().fault == StorageFault::no_space) return appended;
    return fail(appended.error());
  }
  end_offset_ = header.next_offset();
  size_bytes_ += bytes;
  recent_[recent_count_++ % kRecentBatches] = {
      .base_offset = header.base_offset, .next_offset = end_offset_, .position = position, .bytes = bytes};
  return {};
}

bool PartitionLog::must_roll_before(const BatchHeader& header, std::int64_t now_ms) const {
  // Positions and relative offsets of the indexes have 32 bits, in Kafka's files signed ones.
  constexpr std::int64_t kMostRelative = 2'147'483'647;
  const Segment& segment = active();
  if (segment.size_bytes() == 0) return false;
  return segment.size_bytes() + header.bytes() > std::min(config_.segment_bytes, kMostRelative) ||
         header.last_offset() - segment.base_offset() >= kMostRelative ||
         segment.index_bytes() >= config_.segment_index_bytes || now_ms - segment.created_ms() > config_.segment_ms;
}

Expected<void> PartitionLog::roll(std::int64_t now_ms) {
  auto next = Segment::create(directory_, end_offset_, segment_options(config_), now_ms);
  if (!next) return next.error().fault == StorageFault::no_space ? std::unexpected(next.error()) : fail(next.error());
  active().seal();
  segments_.push_back(std::move(*next));
  recent_count_ = 0;
  ++names_version_;
  return {};
}

Expected<void> PartitionLog::roll_if_due(std::int64_t now_ms) {
  if (failure_) return std::unexpected(*failure_);
  if (active().size_bytes() == 0) return {};
  const auto expired = has_expired(active(), now_ms);
  if (!expired) return fail(expired.error());
  if (!*expired && now_ms - active().created_ms() <= config_.segment_ms) return {};
  return roll(now_ms);
}

Expected<bool> PartitionLog::has_expired(Segment& segment, std::int64_t now_ms) {
  if (config_.retention_ms < 0) return false;
  if (segment.size_bytes() == 0) return true;  // compaction has left nothing of it
  const auto max = segment.max_timestamp();
  if (!max) return std::unexpected(max.error());
  if (max->timestamp_ms >= 0) return now_ms - max->timestamp_ms > config_.retention_ms;
  const auto modified_ms = segment.file().modified_ms();  // no record of it has a time
  if (!modified_ms) return std::unexpected(modified_ms.error());
  return now_ms - *modified_ms > config_.retention_ms;
}

Expected<std::vector<std::shared_ptr<const Segment>>> PartitionLog::delete_expired(std::int64_t now_ms) {
  if (failure_) return std::unexpected(*failure_);
  std::vector<std::shared_ptr<const Segment>> removed;
  while (segments_.size() > 1) {
    Segment& oldest = *segments_.front();
    bool due = oldest.end_offset() <= start_offset_ ||
               (config_.retention_bytes >= 0 && size_bytes_ - oldest.size_bytes() >= config_.retention_bytes);
    if (!due) {
      const auto expired = has_expired(oldest, now_ms);
      if (!expired) return fail(expired.error());
      due = *expired;
    }
    if (!due) break;
    if (auto done = oldest.remove(); !done) return std::unexpected(done.error());  // the next turn tries again
    size_bytes_ -= oldest.size_bytes();
    removed.push_back(std::move(segments_.front()));
    segments_.erase(segments_.begin());
    start_offset_ = std::max(start_offset_, segments_.front()->base_offset());
    synced_offset_ = std::max(synced_offset_, segments_.front()->base_offset());
  }
  return removed;
}

Expected<PartitionLog::Cleanable> PartitionLog::cleanable(std::int64_t end_offset, std::int64_t youngest_ms) {
  if (failure_) return std::unexpected(*failure_);
  Cleanable found{.first_dirty_offset = std::max(cleaner_offsets_.cleaned_below, start_offset_),
                  .hooks = config_.hooks};
  std::size_t last = segments_.size() - 1;
  while (last > 0 && segments_[last]->size_bytes() == 0) --last;
  for (std::size_t i = 0; i < last; ++i) {
    Segment& segment = *segments_[i];
    if (segment.end_offset() > std::min(end_offset, synced_offset_)) break;
    const bool clean = segment.end_offset() <= found.first_dirty_offset;
    if (!clean && youngest_ms < std::numeric_limits<std::int64_t>::max()) {
      const auto max = segment.max_timestamp();
      if (!max) return fail(max.error());
      if (max->timestamp_ms > youngest_ms) break;
    }
    (clean ? found.clean_bytes : found.dirty_bytes) += segment.size_bytes();
    found.segments.push_back(segments_[i]);
  }
  return found;
}

Expected<std::shared_ptr<Segment>> PartitionLog::create_cleaned(const SegmentRange& range) {
  if (failure_) return std::unexpected(*failure_);
  return Segment::create_cleaned(directory_, range, segment_options(config_, cleaner_offsets_.gaps_below));
}

Expected<std::vector<std::shared_ptr<const Segment>>> PartitionLog::take_in(const std::shared_ptr<Segment>& cleaned) {
  if (failure_) return std::unexpected(*failure_);
  const auto first =
      std::ranges::find(segments_, cleaned->base_offset(), [](const auto& s) { return s->base_offset(); });
  auto behind = first;
  while (behind != segments_.end() && (*behind)->base_offset() < cleaned->end_offset()) ++behind;
  if (first == behind || behind == segments_.end() || (*behind)->base_offset() != cleaned->end_offset())
    return std::unexpected(StorageError{
        StorageFault::not_found,
        fmt::format("{} was not put in the place of its segments: they are gone", cleaned->file().path().string())});
  const std::vector<std::shared_ptr<const Segment>> replaced(first, behind);
  for (auto old = first; old != behind; ++old) {
    if (auto done = (*old)->remove(); !done) return fail(done.error());
    size_bytes_ -= (*old)->size_bytes();
  }
  if (auto done = cleaned->take_place(); !done) return fail(done.error());
  size_bytes_ += cleaned->size_bytes();
  *first = cleaned;
  segments_.erase(first + 1, behind);
  return replaced;
}

bool PartitionLog::rolled_needs_sync() const {
  return synced_offset_ < active().base_offset() || (segments_.size() > 1 && names_synced_ < names_version_);
}

SyncTask PartitionLog::begin_sync(bool rolled_only) const {
  SyncTask task{.directory = directory_,
                .sync_names = names_synced_ < names_version_,
                .end_offset = rolled_only ? active().base_offset() : end_offset_,
                .names_version = names_version_,
                .hooks = config_.hooks};
  for (const auto& segment : segments_) {
    if (segment->end_offset() <= synced_offset_ || segment->base_offset() >= task.end_offset) continue;
    task.segments.push_back(segment);
  }
  return task;
}

Expected<void> PartitionLog::run_sync(const SyncTask& task) {
  for (const auto& segment : task.segments)
    if (auto done = segment->file().sync(); !done) return done;
  return task.sync_names ? sync_directory(task.directory, task.hooks) : Expected<void>();
}

Expected<void> PartitionLog::finish_sync(const SyncTask& task, const Expected<void>& result) {
  if (!result) {
    take_offline(result.error());
    return std::unexpected(*failure_);
  }
  if (failure_) return std::unexpected(*failure_);
  synced_offset_ = std::max(synced_offset_, task.end_offset);
  names_synced_ = std::max(names_synced_, task.names_version);
  return {};
}

Expected<void> PartitionLog::close() {
  if (failure_) return std::unexpected(*failure_);
  active().seal();
  const SyncTask task = begin_sync();
  const auto done = finish_sync(task, run_sync(task));
  take_offline({StorageFault::offline, fmt::format("{} was closed", directory_.string())});
  return done;
}

}  // namespace iolab::storage
