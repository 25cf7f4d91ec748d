// A run of consecutive batches in one file, with its indexes: what a log is made of.
//
// The last segment of a log is active and grows; the others are sealed and never change. A sealed segment's index is
// looked at when it is first needed. Invariants: the file holds whole batches in [0, size_bytes) at contiguous offsets
// [base_offset, end_offset); what lies in the file behind size_bytes is nothing. Readers pin a segment and read its
// file; everything else follows the lock of its log.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "broker/storage/batch_scanner.h"
#include "broker/storage/file.h"
#include "broker/storage/segment_index.h"

namespace iolab::storage {

struct FoundBatch {
  std::int64_t position = 0;
  BatchHeader header;
};

// What a walk over a segment's headers found.
struct SegmentScan {
  std::int64_t size_bytes = 0;    // of the whole batches before the damage, or before the end
  std::int64_t end_offset = 0;    // the offset after them
  std::string damage = {};        // empty: the file ends where its last batch ends
  std::int64_t checked_from = 0;  // position of the first batch whose checksum was verified
  std::int64_t checked_batches = 0;
  std::int64_t checked_bytes = 0;
};

class Segment {
 public:
  struct Options {
    std::int64_t segment_bytes = 0;  // as far as it is expected to grow
    std::int32_t index_interval_bytes = 4096;
    std::int32_t leader_epoch = 0;
    bool read_ahead = true;
    FileHooks hooks;
  };

  // A new, empty segment.
  static Expected<std::shared_ptr<Segment>> create(const std::filesystem::path& directory, std::int64_t base_offset,
                                                   const Options& options, std::int64_t now_ms);
  // An existing file. Nothing is known of it but its size until expect_end() or scan() was called.
  static Expected<std::shared_ptr<Segment>> open(const std::filesystem::path& directory, std::int64_t base_offset,
                                                 const Options& options);

  // 00000000000000000042.log
  static std::string file_name(std::int64_t base_offset);
  // The base offset in such a name; nothing: it is the name of something else.
  static std::optional<std::int64_t> base_offset_of(std::string_view file_name);

  std::int64_t base_offset() const { return base_offset_; }
  std::int64_t end_offset() const { return end_offset_; }
  std::int64_t size_bytes() const { return size_bytes_; }
  std::int64_t index_bytes() const { return index_.size_bytes(); }
  std::int64_t created_ms() const { return created_ms_; }
  std::int32_t leader_epoch() const { return options_.leader_epoch; }
  const File& file() const { return file_; }
  // Positions below it were neither written by this process nor verified.
  std::int64_t checked_from() const { return checked_from_; }

  // --- opening ---

  // Walks all headers and makes the indexes anew; verifies the checksums of batches from `check_from_offset` on, where
  // one batch ends and another begins.
  // Without damage the segment then holds what the walk found; with damage nothing is changed but the indexes.
  Expected<SegmentScan> scan(std::int64_t check_from_offset);
  // The last offset of any batch with a right checksum behind `position`, where damage began; for reports only.
  std::optional<std::int64_t> last_whole_offset(std::int64_t position);
  // Where the segment has to end, known from elsewhere: the next segment begins there, or a clean stop wrote it down.
  void expect_end(std::int64_t end_offset) { end_offset_ = end_offset; }
  // Whether the sealed index agrees with the file's size and the expected end. A cheap look; use_index() is thorough.
  bool index_fits();
  // Reads the whole index; makes it anew if it is not right. Corrupt: the log itself does not end as expected.
  Expected<void> use_index();
  // Cuts the file back to what scan() found whole.
  Expected<void> cut_to(const SegmentScan& scan);
  // After opening: the age of a segment that is not empty counts from its first batch.
  Expected<void> guess_creation(std::int64_t now_ms);

  // --- active ---

  // One pwrite. After an error the file was cut back; if even that failed the fault is `io`.
  Expected<void> append(const BatchHeader& header, std::span<const std::byte> start, std::span<const std::byte> rest);
  // No batch will follow: completes the indexes.
  void seal();

  // --- looking up ---

  // The batch that holds `offset`, which lies in [base_offset, end_offset).
  Expected<FoundBatch> find_offset(std::int64_t offset);
  // An offset at or behind all that begins before `position`: of the first batch there that the index knows, or the
  // end.
  Expected<std::int64_t> offset_behind(std::int64_t position);
  // The first batch from `from_offset` on that claims a timestamp >= `timestamp_ms`.
  Expected<std::optional<FoundBatch>> find_timestamp(std::int64_t timestamp_ms, std::int64_t from_offset);
  // Largest timestamp claimed by a batch before `before_offset` (-1: none) and that batch's base offset.
  struct MaxTimestamp {
    std::int64_t timestamp_ms = -1;
    std::int64_t base_offset = -1;
  };
  Expected<MaxTimestamp> max_timestamp(std::int64_t before_offset = std::numeric_limits<std::int64_t>::max());
  Expected<void> for_each_batch(std::int64_t from_offset, const std::function<bool(const BatchHeader&)>& visit);

  // A range of the file without a copy, for the kernel to send and for nobody else to look at (see FileMapping). Empty:
  // it has to be read. No lock.
  std::span<const std::byte> mapped(std::int64_t position, std::size_t bytes) const;

  // The sentence for damage that was found in this file. No lock.
  StorageError damaged(std::int64_t position, std::string_view what) const;

  // Takes the names away; pinned readers keep the bytes.
  Expected<void> remove();

 private:
  Segment(const std::filesystem::path& directory, std::int64_t base_offset, const Options& options);

  void take(File file);
  void note_batch(const BatchHeader& header, std::int64_t position);
  Expected<FoundBatch> search(IndexPlace from, std::int64_t offset);

  Options options_;
  File file_;
  mutable std::once_flag map_once_;  // when it is first asked for: most segments are never sent in large ranges
  mutable FileMapping mapping_;
  SegmentIndex index_;
  bool index_usable_ = false;
  std::int64_t base_offset_;
  std::int64_t end_offset_;
  std::int64_t size_bytes_ = 0;
  std::int64_t checked_from_ = 0;
  std::int64_t created_ms_ = 0;
  std::int64_t next_index_position_ = 0;  // the first batch at or after it gets an entry
  MaxTimestamp max_timestamp_;
};

}  // namespace iolab::storage
