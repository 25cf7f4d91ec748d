// One partition: its log, how far readers may read, its producers, and who waits for it. One mutex guards all of that
// and is never held over fsync, a wake-up or a read of records.
//
// The high watermark is where readers end. With iolab.flush=commit it is what fsync has covered, so that nobody reads
// what a power cut could take back; else it is the end of the log. Readers of committed records end at the last stable
// offset, below which every transaction has been decided.
//
// Left out: replication. Threads: any.
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/base/buffer_pool.h"
#include "broker/base/bytes.h"
#include "broker/core/flush_queue.h"
#include "broker/core/moment.h"
#include "broker/core/producer_states.h"
#include "broker/core/settings.h"
#include "broker/core/waits.h"
#include "broker/core/wakeup.h"
#include "broker/protocol/error_code.h"
#include "broker/protocol/record_batch.h"
#include "broker/protocol/transaction_marker.h"
#include "broker/storage/log_cleaner.h"
#include "broker/storage/partition_log.h"

namespace iolab::core {

inline constexpr std::int32_t kLeaderEpoch = 0;  // there is one broker, so leadership never changes

// Of the leader epoch that a client believes in; -1: it does not say.
protocol::ErrorCode check_leader_epoch(std::int32_t current_leader_epoch);

protocol::ErrorCode error_code_of(storage::StorageFault fault);

// Who appends: a client, or a coordinator of the broker's own, which may hold a lock.
enum class Origin : std::uint8_t { client, coordinator };

// How far a reader reads: to the high watermark, or to the last stable offset.
enum class Isolation : std::uint8_t { read_uncommitted, read_committed };
inline Isolation isolation_of(std::int8_t level) {  // as requests number them
  return level == 1 ? Isolation::read_committed : Isolation::read_uncommitted;
}

class Partition : public std::enable_shared_from_this<Partition> {
 public:
  // `log` is null if it could not be opened: the partition exists, and every use of it is a storage error.
  Partition(std::string topic, std::int32_t index, std::unique_ptr<storage::PartitionLog> log,
            const TopicSettings& settings, FlushPolicy policy, FlushQueue& flushes);

  // Reads back what the log knows of producers, and sees to the sync that a crash may have left undone: with
  // iolab.flush=commit at once, else by the flusher. Once.
  void recover(Moment now);

  const std::string& topic() const { return topic_; }
  std::int32_t index() const { return index_; }

  struct Appended {
    std::int64_t base_offset = -1;
    std::int64_t append_time_ms = -1;  // -1: the producer's clock dates the records
    std::int64_t log_start_offset = -1;
  };
  // Appends a checked batch, or finds that it is already there. `bytes` is the batch in memory that may be changed:
  // base offset and leader epoch are stamped in place. With a `wait`, the answer must wait for the disk as the wait
  // says. A coordinator may hold its lock: the flusher is then rung through `wakeups`. `verified`: see marker_offset().
  using Verified = std::optional<std::int64_t>;
  std::expected<Appended, protocol::ErrorCode> append(base::MutableBytes bytes, const protocol::BatchView& batch,
                                                      Moment now, const std::shared_ptr<CommitWait>& wait,
                                                      Wakeups& wakeups, Origin origin = Origin::client,
                                                      Verified verified = std::nullopt);
  // Of the producer's last marker here; -1: none is known. Whoever appends to a transaction takes it, then asks the
  // coordinator whether the transaction goes on, and gives it to append(): that says INVALID_TXN_STATE if a marker came
  // in between, because nobody would ever end what the batch would begin.
  std::int64_t marker_offset(std::int64_t producer_id) const;
  // Appends the control batch that ends the producer's transaction here, whether or not the producer has written here.
  // `wait` as append(). Rings through `wakeups`; a coordinator may hold its lock.
  // invalid_producer_epoch: the producer has been here with a higher epoch; transaction_coordinator_fenced: so has a
  // coordinator.
  std::expected<Appended, protocol::ErrorCode> end_transaction(const protocol::TransactionMarker& marker, Moment now,
                                                               const std::shared_ptr<CommitWait>& wait,
                                                               Wakeups& wakeups);
  // The same wait without an append: until everything that has been appended so far is on the disk.
  std::expected<void, protocol::ErrorCode> await_sync(const std::shared_ptr<CommitWait>& wait);

  struct Offsets {
    std::int64_t start = 0;
    std::int64_t high_watermark = 0;
    std::int64_t last_stable_offset = 0;  // == high_watermark while no transaction is open

    std::int64_t end(Isolation isolation) const {
      return isolation == Isolation::read_committed ? last_stable_offset : high_watermark;
    }
  };
  std::expected<Offsets, protocol::ErrorCode> offsets() const;

  struct Readable {
    Offsets offsets;
    storage::ReadLocation location;
    bool ends_inside = false;  // more is readable behind it, in the next segment: a long poll need not wait
    std::vector<AbortedTransaction> aborted;  // that a reader of committed records passes over; perhaps some more
  };
  std::expected<Readable, protocol::ErrorCode> locate(std::int64_t offset, storage::ReadLimits limits,
                                                      Isolation isolation = Isolation::read_uncommitted);
  // No lock while reading. Damage found here takes the partition offline. What is large is not copied: its bytes are
  // for sending, not for looking at (storage::FileMapping says why).
  struct Records {
    base::Bytes bytes;
    std::shared_ptr<const void> owner;  // keeps them
  };
  std::expected<Records, protocol::ErrorCode> read(const storage::ReadLocation& location, base::BufferPool& buffers);

  // The same, always copied: for looking at.
  std::expected<Records, protocol::ErrorCode> read_copied(const storage::ReadLocation& location,
                                                          base::BufferPool& buffers);
  // The same of what is in memory, always copied; nothing: something of it would have to come from the disk.
  std::expected<std::optional<Records>, protocol::ErrorCode> read_now(const storage::ReadLocation& location,
                                                                      base::BufferPool& buffers);
  // The same of bytes that were read by other means.
  std::expected<Records, protocol::ErrorCode> accept(const storage::ReadLocation& location,
                                                     std::shared_ptr<base::PooledBuffer> buffer);

  using Found = std::expected<std::optional<storage::TimestampAndOffset>, protocol::ErrorCode>;
  Found find_timestamp(std::int64_t timestamp_ms, Isolation isolation = Isolation::read_uncommitted);
  Found find_max_timestamp(Isolation isolation = Isolation::read_uncommitted);

  // What is remembered of those who write here, by producer id.
  std::expected<std::map<std::int64_t, ProducerState>, protocol::ErrorCode> producers() const;

  void add_wait(const std::shared_ptr<DataWait>& wait, Isolation isolation);
  void remove_wait(const std::shared_ptr<DataWait>& wait);

  // Syncs what has been appended so far. Blocks on the disk. For the flusher, which took it out of the queue.
  void flush(Wakeups& wakeups);

  // Rolls by age, deletes by retention, forgets silent producers. Returns whether the log's start has moved.
  bool apply_retention(Moment now, std::int64_t producer_expiration_ms);
  // New settings of the topic hold from the next append on.
  void set_settings(const TopicSettings& settings, const storage::LogConfig& config);

  // --- compaction (partition_cleaning.cpp); for the flusher's thread alone ---

  // How much of the log, from 0 to 1, was not compacted yet, if it is to be compacted now.
  std::optional<double> dirt(Moment now);
  // Null: there is nothing to compact. The cleaner lives no longer than the partition.
  std::unique_ptr<storage::LogCleaner> begin_cleaning(Moment now, std::int64_t key_bytes);
  // Reads about so many bytes on. False: it is done, or was given up.
  bool clean_on(storage::LogCleaner& cleaner, std::int64_t bytes);

  // Deletes what is below `offset` (-1: all that is readable), and returns where the log starts now: to be written into
  // a checkpoint before anybody is told. Whole segments lose their files, parts of one are just not readable any more.
  std::expected<std::int64_t, protocol::ErrorCode> delete_before(std::int64_t offset, Moment now);
  std::expected<std::int64_t, protocol::ErrorCode> size_bytes() const;  // of its segments

  // The topic is gone: all waits end, all later calls say so.
  void retire(Wakeups& wakeups);

  struct Checkpoint {
    std::int64_t recovery_point = 0;
    std::int64_t log_start_offset = 0;
  };
  std::optional<Checkpoint> checkpoint() const;  // nothing: the log could not be opened, or its topic is gone
  // Writes down what is known of producers, if anything was appended since the last time, so that the next start need
  // not read the whole log. Blocks on the disk.
  void save_producers();
  // Syncs and closes the log, if it was ever open. False: it failed, and the next start must recover.
  bool close();

 private:
  std::expected<void, protocol::ErrorCode> usable() const;
  protocol::ErrorCode storage_failed(const storage::StorageError& error);
  protocol::ErrorCode damaged(const storage::StorageError& error);
  void recover_producers(Moment now);
  storage::Expected<void> recover_marker(const storage::BatchHeader& header, Moment now);
  std::expected<std::optional<std::int64_t>, protocol::ErrorCode> check_producer(
      const protocol::BatchView& batch, const std::optional<protocol::TransactionMarker>& marker,
      Verified verified) const;
  std::int64_t stable_now() const;
  std::vector<AbortedTransaction> aborted_in(std::int64_t from, std::int64_t to, const storage::ReadLocation& location);
  void advance_high_watermark(std::int64_t arrived_bytes, Wakeups& wakeups);
  storage::Expected<storage::PartitionLog::Cleanable> cleanable(Moment now);
  void ring_data_waits(Wakeups& wakeups);
  bool needs_flush() const;
  std::int64_t flush_due(Moment now) const;
  std::filesystem::path producers_path() const;

  const std::string topic_;
  const std::int32_t index_;
  const FlushPolicy policy_;
  FlushQueue& flushes_;

  mutable std::mutex mutex_;
  std::unique_ptr<storage::PartitionLog> log_;
  TopicSettings settings_;
  std::atomic<std::int64_t> flush_interval_ms_;  // of the settings; is read without the lock
  ProducerStates producers_;
  std::int64_t saved_offset_ = -1;  // up to which the producers' snapshot tells
  std::int64_t high_watermark_ = 0;
  std::int64_t last_stable_offset_ = 0;
  std::int64_t unannounced_bytes_ = 0;  // appended above the high watermark
  bool flush_queued_ = false;
  bool retired_ = false;
  std::vector<std::shared_ptr<DataWait>> data_waits_;
  std::vector<std::shared_ptr<DataWait>> stable_waits_;  // the same, of readers of committed records
  std::vector<std::pair<std::int64_t, std::shared_ptr<CommitWait>>> commit_waits_;  // by end offset, ascending
};

}  // namespace iolab::core
