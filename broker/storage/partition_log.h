// One partition's log: whole record batches at consecutive offsets, in segment files, served back byte for byte.
//
// Invariants. Offsets are contiguous: a batch starts at the offset after the last one. Everything in
// [start_offset, end_offset) can be read; everything below synced_offset() is on the disk; what lies above may be lost
// with the machine, but not with the process. Bytes that fail their checksum are never handed out. Indexes only make
// things faster: whatever stands in them, the answers are the same.
//
// Threads. The log has no lock. The owner of the partition has one, and holds it for every method that is not marked
// "no lock". What is marked "no lock" works on pinned files and may run in any thread at any time: reading a located
// range, and syncing. Nothing here may fsync under the lock except close().
//
// Left out: what the records mean, producers' sequences, transactions, high watermarks (all broker/core's), and
// compaction.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "broker/storage/batch_header.h"
#include "broker/storage/file.h"
#include "broker/storage/storage_error.h"

namespace iolab::storage {

class Segment;

// Kafka's topic properties, with Kafka's defaults. -1 for retention: without end.
struct LogConfig {
  std::int64_t segment_bytes = 1'073'741'824;     // segment.bytes, at most 2^31-1
  std::int64_t segment_ms = 604'800'000;          // segment.ms
  std::int64_t segment_index_bytes = 10'485'760;  // segment.index.bytes
  std::int32_t index_interval_bytes = 4096;       // index.interval.bytes
  std::int64_t retention_ms = 604'800'000;        // retention.ms, by the largest timestamp of a segment
  std::int64_t retention_bytes = -1;              // retention.bytes
  std::int32_t leader_epoch = 0;                  // of this broker; a stored batch with a higher one is damage
  bool read_ahead = true;                         // by the kernel, behind what was asked for
  FileHooks hooks = {};
};

// What is known about a log before it is opened; LogDirectory::open_mode() tells.
struct OpenMode {
  bool after_clean_stop = false;      // the log ended exactly at recovery_point, and nothing has to be scanned
  std::int64_t recovery_point = 0;    // everything below was on the disk: damage there is never cut away
  std::int64_t log_start_offset = 0;  // everything below was deleted on purpose
};

// What opening a log had to do. `notes` are sentences for the log of the broker.
struct RecoveryReport {
  std::int64_t checked_batches = 0;  // with their checksums, because they lay above the recovery point
  std::int64_t checked_bytes = 0;
  std::int32_t rebuilt_indexes = 0;
  std::int64_t cut_bytes = 0;                   // removed from the tail; 0: nothing was
  std::int64_t cut_from_offset = -1;            // first offset that was removed
  std::optional<std::int64_t> cut_last_offset;  // last offset of a whole batch that was removed, where one was found
  std::vector<std::string> notes;
};

// A range of one segment file, pinned: it stays readable, unchanged, even when the segment is deleted meanwhile.
struct ReadLocation {
  std::shared_ptr<const Segment> segment = nullptr;
  std::int64_t position = 0;
  std::size_t bytes = 0;         // 0: nothing to read (the offset is the end of the log)
  std::int64_t base_offset = 0;  // of the first batch in the range; may be below the offset asked for
  // Bytes that this process neither wrote nor checked when it opened the log: read_into() checks them.
  bool unchecked = false;

  int segment_descriptor() const;  // of the file; readable as long as the segment is pinned
};

struct ReadLimits {
  std::size_t max_bytes = 1'048'576;
  bool at_least_one_batch = true;  // the first batch is returned whole, however large
  // Only batches that begin below it (high watermark, last stable offset).
  std::int64_t end_offset = std::numeric_limits<std::int64_t>::max();
};

// One batch that may hold the record a time look-up wants; see first_offset_at_or_after().
struct TimestampLocation {
  ReadLocation batch = {};
  std::int64_t timestamp_ms = 0;  // the first record of the batch at or after this is the answer
  std::int64_t next_offset = 0;   // where to go on if it holds no such record
};

struct TimestampAndOffset {
  std::int64_t timestamp_ms = -1;
  std::int64_t offset = -1;
};

// What has to reach the disk so that everything below `end_offset` is durable. Taken under the lock, run without it.
struct SyncTask {
  std::vector<std::shared_ptr<const Segment>> segments = {};
  std::filesystem::path directory = {};
  bool sync_names = false;  // the directory too: a segment was created
  std::int64_t end_offset = 0;
  std::int64_t names_version = 0;
  FileHooks hooks = {};
};

class PartitionLog {
 public:
  // Opens the log in an existing directory and recovers it. Above the recovery point a torn or damaged tail is cut off
  // (see recovery()); damage below it, or after a clean stop, is StorageFault::corrupt and changes no file.
  static Expected<std::unique_ptr<PartitionLog>> open(const std::filesystem::path& directory, const LogConfig& config,
                                                      const OpenMode& mode, std::int64_t now_ms);
  ~PartitionLog();
  PartitionLog(const PartitionLog&) = delete;
  PartitionLog& operator=(const PartitionLog&) = delete;

  const RecoveryReport& recovery() const { return recovery_; }
  const std::filesystem::path& directory() const { return directory_; }
  // New values hold from the next append on.
  void set_config(const LogConfig& config) { config_ = config; }

  // --- writing ---

  // Appends one whole batch, already validated, stamped with base offset == end_offset() and with its leader epoch.
  // One pwrite from the caller's memory. no_space: nothing was appended and the log stays usable; io: it goes offline.
  Expected<void> append(std::span<const std::byte> batch, std::int64_t now_ms);
  // The same for a batch that is not stamped in place: `start` (protocol::changed_start()) is written for its
  // beginning.
  Expected<void> append(std::span<const std::byte, protocol::kBatchChangeableBytes> start,
                        std::span<const std::byte> batch, std::int64_t now_ms);

  // Starts a new segment if the active one is older than segment.ms or all of it has passed retention.ms.
  Expected<void> roll_if_due(std::int64_t now_ms);
  // Removes the names of the oldest segments that have passed retention.ms or exceed retention.bytes; never the active
  // one. Returns them: let go of them without the lock, because closing the last descriptor frees the blocks, which
  // takes its time. If there are any, start_offset() has moved and belongs into the next checkpoint.
  Expected<std::vector<std::shared_ptr<const Segment>>> delete_expired(std::int64_t now_ms);

  // --- reading ---

  std::int64_t start_offset() const { return start_offset_; }
  std::int64_t end_offset() const { return end_offset_; }  // the offset that the next record gets
  std::int64_t size_bytes() const { return size_bytes_; }
  std::int64_t segment_count() const { return static_cast<std::int64_t>(segments_.size()); }

  // Where the batch with `offset` begins, and how many bytes from there lie within the limits and within one segment.
  // The last batch of the range may be cut short, as Kafka's Fetch allows.
  Expected<ReadLocation> locate(std::int64_t offset, const ReadLimits& limits);

  // An offset at or behind the end of a located range, and not far behind it: index.interval.bytes or one batch.
  Expected<std::int64_t> offset_behind(const ReadLocation& location);

  // No lock. Fills the start of `into` (at least location.bytes) and returns how many bytes it filled: location.bytes,
  // or fewer where unchecked bytes are handed out as whole batches only. corrupt: hand the error to take_offline().
  static Expected<std::size_t> read_into(const ReadLocation& location, std::span<std::byte> into);

  // No lock. The same without waiting for the disk; nothing: not all of it is in memory.
  static Expected<std::optional<std::size_t>> read_now(const ReadLocation& location, std::span<std::byte> into);

  // No lock. The same for bytes of the range that somebody else has read, all of it.
  static Expected<std::size_t> check(const ReadLocation& location, std::span<const std::byte> bytes);

  // No lock. The same range where it lies in the page cache, for the kernel to send and for nobody else to look at; it
  // holds as long as the location's segment is pinned. Empty: use read_into(), because the range is small, or
  // unchecked, or cannot be mapped.
  static std::span<const std::byte> map(const ReadLocation& location);

  // The first batch at or after `from_offset` whose header claims a timestamp >= `timestamp_ms`. Nothing: no such
  // batch.
  Expected<std::optional<TimestampLocation>> locate_timestamp(std::int64_t timestamp_ms, std::int64_t from_offset = 0);
  // The batch before `before_offset` whose header claims the largest timestamp there. Nothing: no batch has one.
  Expected<std::optional<TimestampLocation>> locate_max_timestamp(
      std::int64_t before_offset = std::numeric_limits<std::int64_t>::max());
  // No lock. Decodes the one batch, streaming, as far as needed. Nothing: its header claimed too much, or its producer
  // sent records that cannot be decoded.
  static Expected<std::optional<TimestampAndOffset>> find_in_batch(const TimestampLocation& location);

  // Calls `visit` with the header of every batch from the one that holds `from_offset` on, in order; false ends it.
  // For rebuilding producers' state when a log is opened. Headers that recovery did not verify are as the file has
  // them.
  Expected<void> for_each_batch(std::int64_t from_offset, const std::function<bool(const BatchHeader&)>& visit);

  // --- durability ---

  // Everything below is on the disk, as far as this log knows. The recovery point of the next checkpoint.
  std::int64_t synced_offset() const { return synced_offset_; }
  bool needs_sync() const { return synced_offset_ < end_offset_ || names_synced_ < names_version_; }
  // A rolled segment, or its name, is not on the disk yet. With iolab.flush=os only this asks for a sync, as in Kafka.
  bool rolled_needs_sync() const;
  // What to sync now. With rolled_only, the active segment is left alone.
  SyncTask begin_sync(bool rolled_only = false) const;
  // No lock; blocks on the disk.
  static Expected<void> run_sync(const SyncTask& task);
  // Under the lock again. After an error the log is offline for good: no more acknowledgements, never a retry.
  Expected<void> finish_sync(const SyncTask& task, const Expected<void>& result);

  // Why the log accepts nothing any more; nothing while it is well.
  const std::optional<StorageError>& failure() const { return failure_; }
  void take_offline(const StorageError& reason);

  // Completes the indexes, syncs everything, closes. After success synced_offset() == end_offset(). Without close() the
  // destructor just lets go, as a crash would.
  Expected<void> close();

 private:
  struct RecentBatch {
    std::int64_t base_offset = 0;
    std::int64_t next_offset = 0;
    std::int64_t position = 0;
    std::int64_t bytes = 0;
  };
  static constexpr std::size_t kRecentBatches = 64;

  PartitionLog(std::filesystem::path directory, const LogConfig& config);

  Segment& active() { return *segments_.back(); }
  const Segment& active() const { return *segments_.back(); }
  Expected<void> append_stamped(const BatchHeader& header, std::span<const std::byte> start,
                                std::span<const std::byte> rest, std::int64_t now_ms);
  bool must_roll_before(const BatchHeader& header, std::int64_t now_ms) const;
  Expected<void> roll(std::int64_t now_ms);
  Expected<bool> has_expired(Segment& segment, std::int64_t now_ms);
  std::size_t segment_index_of(std::int64_t offset) const;
  Expected<RecentBatch> find_batch(Segment& segment, std::int64_t offset);
  Expected<TimestampLocation> batch_at(const std::shared_ptr<Segment>& segment, std::int64_t base_offset,
                                       std::int64_t timestamp_ms);
  std::unexpected<StorageError> fail(const StorageError& error);

  std::filesystem::path directory_;
  LogConfig config_;
  RecoveryReport recovery_;
  std::vector<std::shared_ptr<Segment>> segments_;  // by base offset, never empty; the last is the active one
  // The newest batches of the active segment: consumers that keep up are served without a look at an index.
  std::array<RecentBatch, kRecentBatches> recent_;
  std::uint64_t recent_count_ = 0;  // appended since the segment became active; the newest is at (count - 1) % size
  std::int64_t start_offset_ = 0;
  std::int64_t end_offset_ = 0;
  std::int64_t size_bytes_ = 0;
  std::int64_t synced_offset_ = 0;
  std::int64_t names_version_ = 0;  // grows when a segment is created
  std::int64_t names_synced_ = 0;
  std::optional<StorageError> failure_;
};

// ListOffsets by time: the first record with a timestamp >= `timestamp_ms`. Takes the lock only to find the next
// candidate; decoding (of perhaps compressed records) happens outside of it.
template <class Mutex>
Expected<std::optional<TimestampAndOffset>> first_offset_at_or_after(PartitionLog& log, Mutex& mutex,
                                                                     std::int64_t timestamp_ms) {
  std::int64_t from_offset = 0;
  for (;;) {
    Expected<std::optional<TimestampLocation>> candidate;
    {
      const std::lock_guard lock(mutex);
      candidate = log.locate_timestamp(timestamp_ms, from_offset);
    }
    if (!candidate) return std::unexpected(candidate.error());
    if (!*candidate) return std::nullopt;
    const auto found = PartitionLog::find_in_batch(**candidate);
    if (!found || *found) return found;
    from_offset = (*candidate)->next_offset;
  }
}

}  // namespace iolab::storage
