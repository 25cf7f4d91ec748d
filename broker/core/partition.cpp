#include "broker/core/partition.h"

#include <algorithm>

#include "broker/base/log.h"
#include "broker/core/producer_snapshot.h"

namespace iolab::core {

using protocol::ErrorCode;

namespace {

// A control batch has no records of its producer's.
ProducerBatch producer_batch(const protocol::BatchView& batch) {
  if (batch.is_control()) return {};
  return {batch.producer_id(), batch.producer_epoch(), batch.base_sequence(), batch.records_count(),
          batch.is_transactional()};
}
ProducerBatch producer_batch(const storage::BatchHeader& header) {
  return {header.producer_id, header.producer_epoch, header.base_sequence, header.last_offset_delta + 1,
          header.is_transactional()};
}

}  // namespace

ErrorCode check_leader_epoch(std::int32_t current_leader_epoch) {
  if (current_leader_epoch == -1 || current_leader_epoch == kLeaderEpoch) return ErrorCode::none;
  return current_leader_epoch > kLeaderEpoch ? ErrorCode::unknown_leader_epoch : ErrorCode::fenced_leader_epoch;
}

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
    recover_producers(now);
    // What was acknowledged before a crash is readable from the first request on: it is synced here and not later.
    if (policy_ == FlushPolicy::commit && log_->needs_sync()) {
      const auto task = log_->begin_sync();
      if (auto done = log_->finish_sync(task, storage::PartitionLog::run_sync(task)); !done) {
        (void)storage_failed(done.error());
        flushes_.fail();
      }
    }
    high_watermark_ = policy_ == FlushPolicy::commit ? log_->synced_offset() : log_->end_offset();
    producers_.transactions().settle(high_watermark_);
    last_stable_offset_ = stable_now();
    queue = needs_flush() && !std::exchange(flush_queued_, true);
  }
  if (queue) flushes_.add(flush_due(now), shared_from_this());
}

// From the snapshot, and from what the log holds behind it.
void Partition::recover_producers(Moment now) {
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
  producers_.transactions().forget_before(log_->start_offset());
  if (from >= log_->end_offset()) return;
  storage::Expected<void> read_marker;
  const auto visited = log_->for_each_batch(from, [&](const storage::BatchHeader& header) {
    if (!header.is_control()) {
      producers_.apply(producer_batch(header), header.base_offset, now.wall_ms);
      return true;
    }
    read_marker = recover_marker(header, now);
    return read_marker.has_value();
  });
  if (!visited) (void)storage_failed(visited.error());
  // Who does not know what was decided must not tell readers that it was.
  if (!read_marker) (void)damaged(read_marker.error());
}

storage::Expected<void> Partition::recover_marker(const storage::BatchHeader& header, Moment now) {
  const auto location = log_->locate(header.base_offset, {.max_bytes = 1});
  if (!location) return std::unexpected(location.error());
  std::vector<std::byte> bytes(location->bytes);
  if (const auto read = storage::PartitionLog::read_into(*location, bytes); !read) return std::unexpected(read.error());
  const auto batch = protocol::first_batch(bytes);
  const auto marker = batch ? protocol::marker_of(*batch) : std::nullopt;
  if (marker) producers_.apply(*marker, header.base_offset, now.wall_ms);
  return {};
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
                                                                Wakeups& wakeups, Origin origin, Verified verified) {
  Appended appended;
  const auto marker = protocol::marker_of(batch);
  bool queue = false;
  {
    const std::scoped_lock lock(mutex_);
    if (auto fine = usable(); !fine) return std::unexpected(fine.error());
    if (flushes_.failed()) return std::unexpected(ErrorCode::kafka_storage_error);
    const auto stored = check_producer(batch, marker, verified);
    if (!stored) return std::unexpected(stored.error());
    if (*stored) {
      appended.base_offset = **stored;
    } else {
      appended.base_offset = log_->end_offset();
      if (settings_.timestamp_type == "LogAppendTime") protocol::set_log_append_time(bytes, now.wall_ms);
      protocol::set_base_offset(bytes, appended.base_offset);
      protocol::set_leader_epoch(bytes, kLeaderEpoch);
      if (auto done = log_->append(bytes, now.wall_ms); !done) return std::unexpected(storage_failed(done.error()));
      if (marker) {
        producers_.apply(*marker, appended.base_offset, now.wall_ms);
      } else {
        producers_.apply(producer_batch(batch), appended.base_offset, now.wall_ms);
      }
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

std::expected<Partition::Appended, ErrorCode> Partition::end_transaction(const protocol::TransactionMarker& marker,
                                                                         Moment now,
                                                                         const std::shared_ptr<CommitWait>& wait,
                                                                         Wakeups& wakeups) {
  std::vector<std::byte> bytes = protocol::control_batch(marker, now.wall_ms);
  return append(bytes, *protocol::first_batch(bytes), now, wait, wakeups, Origin::coordinator);
}

// The offset at which it already is; nothing if it is to be appended; or why not.
std::expected<std::optional<std::int64_t>, ErrorCode> Partition::check_producer(
    const protocol::BatchView& batch, const std::optional<protocol::TransactionMarker>& marker,
    Verified verified) const {
  if (marker) {
    if (auto fine = producers_.check(*marker); !fine) return std::unexpected(fine.error());
    return std::nullopt;
  }
  auto stored = producers_.check(producer_batch(batch));
  if (!stored || *stored || !verified) return stored;
  const ProducerState* producer = producers_.find(batch.producer_id());
  const std::int64_t marker_offset = producer == nullptr ? -1 : producer->marker_offset;
  if (marker_offset != *verified) return std::unexpected(ErrorCode::invalid_txn_state);
  return std::nullopt;
}

std::int64_t Partition::marker_offset(std::int64_t producer_id) const {
  const std::scoped_lock lock(mutex_);
  const ProducerState* producer = producers_.find(producer_id);
  return producer == nullptr ? -1 : producer->marker_offset;
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

std::int64_t Partition::stable_now() const {
  return std::max(log_->start_offset(), producers_.transactions().last_stable_offset(high_watermark_));
}

// What has become readable is counted for every long poll here.
void Partition::advance_high_watermark(std::int64_t arrived_bytes, Wakeups& wakeups) {
  const std::int64_t readable = policy_ == FlushPolicy::commit ? log_->synced_offset() : log_->end_offset();
  if (readable <= high_watermark_) return;
  const bool was_stable = last_stable_offset_ == high_watermark_;
  high_watermark_ = readable;
  for (const auto& wait : data_waits_) wait->arrived(arrived_bytes, wakeups);

  producers_.transactions().settle(high_watermark_);
  const std::int64_t stable = stable_now();
  if (stable <= last_stable_offset_) return;
  last_stable_offset_ = stable;
  // How much a decided transaction lets through is not known here: whoever is woken looks.
  const bool is_stable = was_stable && stable == high_watermark_;
  for (const auto& wait : stable_waits_) {
    if (is_stable) {
      wait->arrived(arrived_bytes, wakeups);
    } else {
      wait->ring(wakeups);
    }
  }
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
    ring_data_waits(wakeups);
    return;
  }
  if (policy_ == FlushPolicy::commit) advance_high_watermark(covered_bytes, wakeups);
  const auto covered =
      std::ranges::find_if(commit_waits_, [&](const auto& entry) { return entry.first > log_->synced_offset(); });
  for (auto done = commit_waits_.begin(); done != covered; ++done) done->second->one_done(true, wakeups);
  commit_waits_.erase(commit_waits_.begin(), covered);
}

void Partition::add_wait(const std::shared_ptr<DataWait>& wait, Isolation isolation) {
  const std::scoped_lock lock(mutex_);
  (isolation == Isolation::read_committed ? stable_waits_ : data_waits_).push_back(wait);
}

void Partition::remove_wait(const std::shared_ptr<DataWait>& wait) {
  const std::scoped_lock lock(mutex_);
  std::erase(data_waits_, wait);
  std::erase(stable_waits_, wait);
}

void Partition::ring_data_waits(Wakeups& wakeups) {
  for (const auto& wait : data_waits_) wait->ring(wakeups);
  for (const auto& wait : stable_waits_) wait->ring(wakeups);
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
    producers_.transactions().forget_before(log_->start_offset());
    last_stable_offset_ = std::max(last_stable_offset_, log_->start_offset());
    queue = !flush_queued_ && needs_flush();
    if (queue) flush_queued_ = true;
  }
  if (queue) flushes_.add(flush_due(now), shared_from_this());
  return deleted && !deleted->empty();
}

void Partition::retire(Wakeups& wakeups) {
  const std::scoped_lock lock(mutex_);
  retired_ = true;
  ring_data_waits(wakeups);
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
