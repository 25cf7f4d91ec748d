// What changes a log afterwards: compaction, deleting from its start, and new settings of its topic.
#include <algorithm>
#include <limits>

#include "broker/core/partition.h"

namespace iolab::core {

using protocol::ErrorCode;

void Partition::set_settings(const TopicSettings& settings, const storage::LogConfig& config) {
  const std::scoped_lock lock(mutex_);
  settings_ = settings;
  flush_interval_ms_.store(settings.flush_interval_ms);
  if (log_) log_->set_config(config);
}

std::optional<double> Partition::dirt(Moment now) {
  const std::scoped_lock lock(mutex_);
  if (!usable() || !settings_.compacts()) return std::nullopt;
  const auto work = cleanable(now);
  if (!work || work->dirty_bytes == 0) return std::nullopt;
  const double ratio =
      static_cast<double>(work->dirty_bytes) / static_cast<double>(work->clean_bytes + work->dirty_bytes);
  if (ratio > settings_.min_cleanable_ratio) return ratio;
  if (settings_.max_compaction_lag_ms == std::numeric_limits<std::int64_t>::max()) return std::nullopt;
  std::int64_t oldest_ms = now.wall_ms;
  const auto looked = log_->for_each_batch(work->first_dirty_offset, [&](const storage::BatchHeader& header) {
    oldest_ms = header.max_timestamp_ms;
    return false;
  });
  if (!looked) (void)storage_failed(looked.error());
  return now.wall_ms - oldest_ms > settings_.max_compaction_lag_ms ? std::optional(ratio) : std::nullopt;
}

// Under the lock. What nobody may read yet is not compacted: it might still be taken back.
storage::Expected<storage::PartitionLog::Cleanable> Partition::cleanable(Moment now) {
  const std::int64_t youngest_ms = settings_.min_compaction_lag_ms > 0 ? now.wall_ms - settings_.min_compaction_lag_ms
                                                                       : std::numeric_limits<std::int64_t>::max();
  auto work = log_->cleanable(high_watermark_, youngest_ms);
  if (!work) (void)storage_failed(work.error());
  return work;
}

std::unique_ptr<storage::LogCleaner> Partition::begin_cleaning(Moment now, std::int64_t key_bytes) {
  save_producers();  // their sequence numbers may be compacted away
  const std::scoped_lock lock(mutex_);
  if (!usable() || !settings_.compacts()) return nullptr;
  auto work = cleanable(now);
  if (!work || work->dirty_bytes == 0) return nullptr;
  const storage::LogCleaner::Rules rules{.now_ms = now.wall_ms,
                                         .delete_retention_ms = settings_.delete_retention_ms,
                                         .segment_bytes = settings_.segment_bytes,
                                         .key_bytes = key_bytes};
  return std::make_unique<storage::LogCleaner>(*log_, mutex_, std::move(*work), rules);
}

bool Partition::clean_on(storage::LogCleaner& cleaner, std::int64_t bytes) {
  {
    const std::scoped_lock lock(mutex_);
    if (!usable()) return false;
  }
  const auto more = cleaner.step(bytes);
  if (more) return *more;
  const std::scoped_lock lock(mutex_);
  (void)storage_failed(more.error());
  return false;
}

std::expected<std::int64_t, ErrorCode> Partition::delete_before(std::int64_t offset, Moment now) {
  storage::Expected<std::vector<std::shared_ptr<const storage::Segment>>> deleted;  // let go of without the lock
  const std::scoped_lock lock(mutex_);
  if (auto fine = usable(); !fine) return std::unexpected(fine.error());
  if (offset == -1) offset = high_watermark_;
  if (offset < 0 || offset > high_watermark_) return std::unexpected(ErrorCode::offset_out_of_range);
  log_->advance_start(offset);
  deleted = log_->delete_expired(now.wall_ms);
  if (!deleted) return std::unexpected(storage_failed(deleted.error()));
  return log_->start_offset();
}

std::expected<std::int64_t, ErrorCode> Partition::size_bytes() const {
  const std::scoped_lock lock(mutex_);
  if (auto fine = usable(); !fine) return std::unexpected(fine.error());
  return log_->size_bytes();
}

}  // namespace iolab::core
