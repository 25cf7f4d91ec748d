#include "broker/core/partition.h"

#include <algorithm>

#include "broker/base/log.h"
#include "broker/core/producer_snapshot.h"

namespace iolab::core {

using protocol::ErrorCode;

namespace {

ProducerBatch producer_batch(const protocol::BatchView& batch) {
  return {batch.producer_id(), batch.producer_epoch(), batch.base_sequence(), batch.records_count()};
}

}  // namespace

ErrorCode error_code_of(storage::StorageFault fault) {
  switch (fault) {
    case storage::StorageFault::out_of_range: return ErrorCode::offset_out_of_range;
    case storage::StorageFault::invalid_name: return ErrorCode::invalid_topic_exception;
    case storage::StorageFault::exists: return ErrorCode::topic_already_exists;
    case storage::StorageFault::not_found: return ErrorCode::unknown_topic_or_partition;
    case storage::StorageFault::io:
    case storage::StorageFault::no_space:
    case storage::StorageFault::corrupt:
    case storage::StorageFault::offline:
    case storage::StorageFault::refused: return ErrorCode::kafka_storage_error;
  }
  return ErrorCode::unknown_server_error;
}

Partition::Partition(std::string topic, std::int32_t index, std::unique_ptr<storage::PartitionLog> log,
                     const TopicSettings& settings, FlushPolicy policy, FlushQueue& flushes)
    : topic_(std::move(topic)),
      index_(index),
      policy_(policy),
      flushes_(flushes),
      log_(std::move(log)),
      settings_(settings),
      flush_interval_ms_(settings.flush_interval_ms) {}

void Partition::recover(Moment now) {
  bool queue = false;
  {
    const std::scoped_lock lock(mutex_);
    if (!log_) return;
    std::int64_t from = log_->start_offset();
    if (const auto text = storage::read_file(producers_path(), {})) {
      if (auto snapshot = read_producer_snapshot(*text); snapshot && snapshot->offset <= log_->end_offset()) {
        from = std::max(from, snapshot->offset);
        saved_offset_ = snapshot->offset;
        producers_ = std::move(snapshot->states);
      } else {
        // Of a log that has lost its tail since: when it has grown again, the snapshot must not be taken for its own.
        if (auto done = storage::remove_file(producers_path(), {}); !done) (void)storage_failed(done.error());
        if (auto done = storage::sync_directory(log_->directory(), {}); !done) (void)storage_failed(done.error());
      }
    }
    if (from < log_->end_offset()) {
      const auto visited = log_->for_each_batch(from, [&](const storage::BatchHeader& header) {
        // Not the number of records: compaction may have left some out.
        producers_.apply(
            {header.producer_id, header.producer_epoch, header.base_sequence, header.last_offset_delta + 1},
            header.base_offset, now.wall_ms);
        return true;
      });
      if (!visited) (void)storage_failed(visited.error());
    }
    // What was acknowledged before a crash is readable from the first request on: it is synced here and not later.
    if (policy_ == FlushPolicy::commit && log_->needs_sync()) {
      const auto task = log_->begin_sync();
      if (auto done = log_->finish_sync(task, storage::PartitionLog::run_sync(task)); !done) {
        (void)storage_failed(done.error());
        flushes_.fail();
      }
    }
    high_watermark_ = policy_ == FlushPolicy::commit ? log_->synced_offset() : log_->end_offset();
    queue = needs_flush() && !std::exchange(flush_queued_, true);
  }
  if (queue) flushes_.add(flush_due(now), shared_from_this());
}

std::expected<void, ErrorCode> Partition::usable() const {
  if (retired_) return std::unexpected(ErrorCode::unknown_topic_or_partition);
  if (!log_ || log_->failure()) return std::unexpected(ErrorCode::kafka_storage_error);
  return {};
}

ErrorCode Partition::storage_failed(const storage::StorageError& error) {
  if (error.fault != storage::StorageFault::out_of_range && error.fault != storage::StorageFault::offline) {
    base::log::error(error.message, {{"topic", topic_}, {"partition", index_}});
  }
  return error_code_of(error.fault);
}

std::expected<Partition::Appended, ErrorCode> Partition::append(base::MutableBytes bytes,
                                                                const protocol::BatchView& batch, Moment now,
                                                                const std::shared_ptr<CommitWait>& wait,
                                                                Wakeups& wakeups, Origin origin) {
  Appended appended;
  bool queue = false;
  {
    const std::scoped_lock lock(mutex_);
    if (auto fine = usable(); !fine) return std::unexpected(fine.error());
    if (flushes_.failed()) return std::unexpected(ErrorCode::kafka_storage_error);
    const ProducerBatch producer = producer_batch(batch);
    const auto stored = origin == Origin::client ? producers_.check(producer) : std::nullopt;
    if (!stored) return std::unexpected(stored.error());
    if (*stored) {
      appended.base_offset = **stored;
    } else {
      appended.base_offset = log_->end_offset();
      if (settings_.timestamp_type == "LogAppendTime") protocol::set_log_append_time(bytes, now.wall_ms);
      protocol::set_base_offset(bytes, appended.base_offset);
      protocol::set_leader_epoch(bytes, kLeaderEpoch);
      if (auto done = log_->append(bytes, now.wall_ms); !done) return std::unexpected(storage_failed(done.error()));
      if (origin == Origin::client) producers_.apply(producer, appended.base_offset, now.wall_ms);
      unannounced_bytes_ += static_cast<std::int64_t>(bytes.size());
      if (policy_ != FlushPolicy::commit) advance_high_watermark(std::exchange(unannounced_bytes_, 0), wakeups);
    }
    if (settings_.timestamp_type == "LogAppendTime") appended.append_time_ms = now.wall_ms;
    appended.log_start_offset = log_->start_offset();
    if (wait && log_->synced_offset() < log_->end_offset()) {
      wait->expect_one_more();
      commit_waits_.emplace_back(log_->end_offset(), wait);
    }
    queue = !flush_queued_ && needs_flush();
    if (queue) flush_queued_ = true;
  }
  if (!queue) return appended;
  if (origin == Origin::coordinator) {
    flushes_.add(flush_due(now), shared_from_this(), wakeups);
  } else {
    flushes_.add(flush_due(now), shared_from_this());
  }
  return appended;
}

std::expected<void, ErrorCode> Partition::await_sync(const std::shared_ptr<CommitWait>& wait) {
  const std::scoped_lock lock(mutex_);
  if (auto fine = usable(); !fine) return std::unexpected(fine.error());
  if (flushes_.failed()) return std::unexpected(ErrorCode::kafka_storage_error);
  if (log_->synced_offset() == log_->end_offset()) return {};
  wait->expect_one_more();
  commit_waits_.emplace_back(log_->end_offset(), wait);
  return {};
}

// What has become readable is counted for every long poll here.
void Partition::advance_high_watermark(std::int64_t arrived_bytes, Wakeups& wakeups) {
  const std::int64_t readable = policy_ == FlushPolicy::commit ? log_->synced_offset() : log_->end_offset();
  if (readable <= high_watermark_) return;
  high_watermark_ = readable;
  for (const auto& wait : data_waits_) wait->arrived(arrived_bytes, wakeups);
}

bool Partition::needs_flush() const {
  return policy_ == FlushPolicy::os ? log_->rolled_needs_sync() : log_->needs_sync();
}

std::int64_t Partition::flush_due(Moment now) const {
  return policy_ == FlushPolicy::interval ? Deadlines::after(now.steady_ms, flush_interval_ms_.load()) : now.steady_ms;
}

void Partition::flush(Wakeups& wakeups) {
  storage::SyncTask task;
  std::int64_t covered_bytes = 0;  // what is appended during the sync is announced by the next one
  {
    const std::scoped_lock lock(mutex_);
    flush_queued_ = false;  // what is appended from here on needs a sync of its own
    if (!usable()) {        // it went offline after they were told to wait: nobody else will tell them
      for (const auto& [offset, wait] : std::exchange(commit_waits_, {})) wait->one_done(false, wakeups);
      return;
    }
    task = log_->begin_sync(policy_ == FlushPolicy::os);
    if (policy_ == FlushPolicy::commit) covered_bytes = std::exchange(unannounced_bytes_, 0);
  }
  const auto result =
      flushes_.failed()
          ? std::unexpected(storage::StorageError{storage::StorageFault::offline,
                                                  "an earlier fsync failed; nothing is acknowledged any more"})
          : storage::PartitionLog::run_sync(task);
  const std::scoped_lock lock(mutex_);
  if (retired_) return;  // its files are being removed: whatever the sync said, nobody is told
  const auto finished = log_->finish_sync(task, result);
  if (!finished) {
    (void)storage_failed(finished.error());
    flushes_.fail();
    for (const auto& [offset, wait] : std::exchange(commit_waits_, {})) wait->one_done(false, wakeups);
    for (const auto& wait : data_waits_) wait->give_up(wakeups);
    return;
  }
  if (policy_ == FlushPolicy::commit) advance_high_watermark(covered_bytes, wakeups);
  const auto covered =
      std::ranges::find_if(commit_waits_, [&](const auto& entry) { return entry.first > log_->synced_offset(); });
  for (auto done = commit_waits_.begin(); done != covered; ++done) done->second->one_done(true, wakeups);
  commit_waits_.erase(commit_waits_.begin(), covered);
}

std::expected<Partition::Offsets, ErrorCode> Partition::offsets() const {
  const std::scoped_lock lock(mutex_);
  if (auto fine = usable(); !fine) return std::unexpected(fine.error());
  return Offsets{log_->start_offset(), high_watermark_};
}

std::expected<Partition::Readable, ErrorCode> Partition::locate(std::int64_t offset, storage::ReadLimits limits) {
  const std::scoped_lock lock(mutex_);
  if (auto fine = usable(); !fine) return std::unexpected(fine.error());
  Readable readable;
  readable.offsets = {log_->start_offset(), high_watermark_};
  if (offset < log_->start_offset() || offset > high_watermark_) return std::unexpected(ErrorCode::offset_out_of_range);
  if (offset == high_watermark_) return readable;
  limits.end_offset = high_watermark_;
  auto location = log_->locate(offset, limits);
  if (!location) return std::unexpected(storage_failed(location.error()));
  readable.location = std::move(*location);
  if (readable.location.bytes > 0 && readable.location.bytes < limits.max_bytes && log_->segment_count() > 1) {
    const auto last = log_->locate(high_watermark_ - 1, {.max_bytes = 1, .end_offset = high_watermark_});
    readable.ends_inside = last && last->bytes > 0 && last->segment != readable.location.segment;
  }
  return readable;
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

Partition::Found Partition::find_timestamp(std::int64_t timestamp_ms) {
  if (auto fine = offsets(); !fine) return std::unexpected(fine.error());
  auto found = storage::first_offset_at_or_after(*log_, mutex_, timestamp_ms);
  const std::scoped_lock lock(mutex_);
  if (!found) return std::unexpected(damaged(found.error()));
  if (*found && (*found)->offset >= high_watermark_) return std::nullopt;
  return *found;
}

Partition::Found Partition::find_max_timestamp() {
  storage::TimestampLocation location;
  {
    const std::scoped_lock lock(mutex_);
    if (auto fine = usable(); !fine) return std::unexpected(fine.error());
    auto candidate = log_->locate_max_timestamp(high_watermark_);
    if (!candidate) return std::unexpected(storage_failed(candidate.error()));
    if (!*candidate) return std::nullopt;
    location = std::move(**candidate);
  }
  const auto found = storage::PartitionLog::find_in_batch(location);
  if (found) return *found;
  const std::scoped_lock lock(mutex_);
  return std::unexpected(damaged(found.error()));
}

void Partition::add_wait(const std::shared_ptr<DataWait>& wait) {
  const std::scoped_lock lock(mutex_);
  data_waits_.push_back(wait);
}

void Partition::remove_wait(const std::shared_ptr<DataWait>& wait) {
  const std::scoped_lock lock(mutex_);
  std::erase(data_waits_, wait);
}

bool Partition::apply_retention(Moment now, std::int64_t producer_expiration_ms) {
  bool queue = false;
  storage::Expected<std::vector<std::shared_ptr<const storage::Segment>>> deleted;  // let go of without the lock
  {
    const std::scoped_lock lock(mutex_);
    producers_.expire(now.wall_ms - producer_expiration_ms);
    if (!usable()) return false;
    if (auto done = log_->roll_if_due(now.wall_ms); !done) (void)storage_failed(done.error());
    deleted = log_->delete_expired(now.wall_ms);
    if (!deleted) (void)storage_failed(deleted.error());
    queue = !flush_queued_ && needs_flush();
    if (queue) flush_queued_ = true;
  }
  if (queue) flushes_.add(flush_due(now), shared_from_this());
  return deleted && !deleted->empty();
}

void Partition::retire(Wakeups& wakeups) {
  const std::scoped_lock lock(mutex_);
  retired_ = true;
  for (const auto& wait : data_waits_) wait->give_up(wakeups);
  for (const auto& [offset, wait] : std::exchange(commit_waits_, {})) wait->one_done(false, wakeups);
}

std::optional<Partition::Checkpoint> Partition::checkpoint() const {
  const std::scoped_lock lock(mutex_);
  if (!log_ || retired_) return std::nullopt;
  return Checkpoint{log_->synced_offset(), log_->start_offset()};
}

std::filesystem::path Partition::producers_path() const {
  return log_->directory() / "producers.snapshot";
}

void Partition::save_producers() {
  std::string text;
  std::filesystem::path path;
  {
    const std::scoped_lock lock(mutex_);
    if (!usable() || saved_offset_ == log_->end_offset()) return;
    if (saved_offset_ < 0 && log_->end_offset() == log_->start_offset()) return;  // nothing to be read again either
    saved_offset_ = log_->end_offset();
    text = write_producer_snapshot(producers_, saved_offset_);
    path = producers_path();
  }
  if (auto done = storage::replace_file(path, text, {}); !done) {
    base::log::warning(done.error().message, {{"topic", topic_}, {"partition", index_}});
  }
}

bool Partition::close() {
  save_producers();
  const std::scoped_lock lock(mutex_);
  if (!log_ || retired_) return true;
  if (auto done = log_->close(); !done) {
    (void)storage_failed(done.error());
    return false;
  }
  return true;
}

}  // namespace iolab::core
