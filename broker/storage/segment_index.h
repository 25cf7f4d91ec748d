// The two sparse indexes of one segment, `.index` (offset to position) and `.timeindex` (time to offset).
//
// Entry i of both belongs to one batch: where it begins, and the largest timestamp of the segment up to and including
// it. A segment that gets no more batches gets a last entry for its end and a footer with a checksum in both files; an
// index without a right footer, or with an end that is not the log's end, counts as missing and is made again from the
// log. So an index needs no fsync, and nothing in it is believed after a crash. Failing to write one costs speed, never
// an answer: no error leaves this class but those of reading.
//
// Thread rules: those of the log it belongs to. Entries are collected in memory and written 128 at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "broker/storage/file.h"

namespace iolab::storage {

// Where a batch begins; in an end entry: the offset after the last batch, and the size of the log.
struct IndexPlace {
  std::int64_t offset = 0;
  std::int64_t position = 0;
};

struct IndexEntry {
  IndexPlace place;
  std::int64_t max_timestamp_ms = -1;      // largest of the segment, up to and including this batch
  std::int64_t max_timestamp_offset = -1;  // base offset of the first batch that reaches it; -1: no batch yet
};

class SegmentIndex {
 public:
  // Touches no file.
  SegmentIndex(const std::filesystem::path& directory, std::int64_t base_offset, FileHooks hooks);

  // Starts anew; what the files hold is forgotten when they are next written.
  void reset();
  // Offsets and positions ascend from call to call.
  void add(const IndexEntry& entry);
  // Writes what is pending, the end entry and the footers, and closes the files.
  void seal(const IndexEntry& end);

  // The place of the end, if both files have the shape of a sealed index. Costs one small read, and proves no more.
  std::optional<IndexPlace> peek_end();
  // Reads both files whole. The end entry if every byte is as it was written, else nothing. After a right check the
  // index can be searched, and continued with add().
  std::optional<IndexEntry> check();

  // The last entry with an offset <= `offset`; nothing: start at the segment's beginning.
  std::optional<IndexPlace> find_offset(std::int64_t offset);
  // The last whole entry whose batch lies before `end_offset`; nothing: start at the segment's beginning.
  std::optional<IndexEntry> last_entry_before(std::int64_t end_offset);
  // The last entry up to which all timestamps are < `timestamp_ms`; nothing: start at the segment's beginning.
  std::optional<IndexPlace> find_timestamp(std::int64_t timestamp_ms);
  // The first entry with a position >= `position`; nothing: there is none.
  std::optional<IndexPlace> find_position(std::int64_t position);
  std::optional<IndexPlace> last_place();

  // Counted as Kafka counts segment.index.bytes: by the offset index.
  std::int64_t size_bytes() const;

  // Removes the files.
  Expected<void> remove();

 private:
  bool open_files();
  bool flush();
  std::optional<IndexPlace> read_place(std::int64_t i);

  std::filesystem::path offsets_path_;
  std::filesystem::path times_path_;
  std::int64_t base_offset_;
  FileHooks hooks_;
  File offsets_;
  File times_;
  std::vector<IndexEntry> pending_;  // follow the written ones
  std::int64_t written_ = 0;
  bool forget_files_ = false;
  std::int64_t offset_hint_ = 0;        // the entry that was found last
  std::uint32_t offsets_checksum_ = 0;  // of what is written
  std::uint32_t times_checksum_ = 0;
};

}  // namespace iolab::storage
