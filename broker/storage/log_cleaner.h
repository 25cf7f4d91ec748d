// Compaction of one log: of the records with one key only the last one stays.
//
// What was sealed is written anew without the records whose key comes again later; offsets never change, so gaps arise.
// A batch of which nothing is left is left out, too. Once the values before it are gone, a record without a value (a
// tombstone: the key is gone) stays for delete_retention_ms more, so that whoever reads along learns of it. Records
// without a key can mean nothing here and go. Of transactions: what was aborted goes, what is open ends the stretch
// that is cleaned, and markers stay (may_drop() is the rule).
//
// The work is done in steps, by one thread that does nothing else with the log meanwhile but append, read and sync; the
// log's mutex is held only to put a finished segment in its place. Nothing is changed until then, and what a crash
// leaves behind is one or the other (segment_swap.h). Batches without records are never written, although Apache Kafka
// keeps one for the sequence numbers of each producer: here they are in a snapshot of their own, which the caller has
// written before, and some consumers fail on such batches.
//
// Source: the log cleaner of Apache Kafka (KIP-58, KIP-534), whose rules these are.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker/protocol/record_reader.h"
#include "broker/storage/partition_log.h"
#include "broker/storage/transaction_outcomes.h"

namespace iolab::storage {

// Whole batches of pinned, sealed segments, one after the other. Each is verified: what is damaged must not get a new,
// right checksum.
class BatchWalk {
 public:
  BatchWalk() = default;
  BatchWalk(BatchWalk&&) = default;
  BatchWalk& operator=(BatchWalk&&) = default;
  BatchWalk(std::vector<std::shared_ptr<const Segment>> segments, std::int64_t from_offset);

  // Nothing: the end. The view holds until the next call.
  Expected<std::optional<protocol::BatchView>> next();

 private:
  Expected<protocol::BatchView> read();

  std::vector<std::shared_ptr<const Segment>> segments_;
  std::int64_t from_offset_ = 0;
  std::size_t segment_ = 0;
  std::int64_t position_ = 0;
  std::vector<std::byte> buffer_;
  std::int64_t buffer_position_ = 0;
  base::Bytes buffered_;  // of the buffer: what was read from there on
};

// The last offset of each key, as far as there is room for keys.
class KeyOffsets {
 public:
  void note(std::string_view key, std::int64_t offset);
  // Whether the key comes again behind `offset`.
  bool comes_after(std::string_view key, std::int64_t offset) const;
  std::int64_t bytes() const { return bytes_; }  // about

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view key) const { return std::hash<std::string_view>{}(key); }
  };
  std::unordered_map<std::string, std::int64_t, Hash, std::equal_to<>> offsets_;
  std::int64_t bytes_ = 0;
};

class LogCleaner {
 public:
  struct Rules {
    std::int64_t now_ms = 0;
    std::int64_t delete_retention_ms = 86'400'000;
    std::int64_t segment_bytes = 1'073'741'824;  // of the segments that are made of several
    std::int64_t key_bytes = 134'217'728;        // memory for keys; what finds no room is cleaned the next time
  };
  struct Report {
    std::int64_t bytes_before = 0;
    std::int64_t bytes_after = 0;
    std::int64_t records_dropped = 0;
  };

  // `mutex` is that of the log's owner. Both must outlive the cleaner; one that is destroyed before its end has changed
  // nothing but what it has finished.
  LogCleaner(PartitionLog& log, std::mutex& mutex, PartitionLog::Cleanable work, const Rules& rules);
  ~LogCleaner();
  LogCleaner(const LogCleaner&) = delete;
  LogCleaner& operator=(const LogCleaner&) = delete;

  // Reads about so many bytes on. False: it is done. An error ends it; damage that it found took the log offline.
  Expected<bool> step(std::int64_t bytes);
  const Report& report() const { return report_; }

 private:
  enum class Phase : std::uint8_t { survey, keys, rewrite, done };
  enum class Fate : std::uint8_t { stays, goes, by_key };
  struct Group {
    std::vector<std::shared_ptr<const Segment>> segments;
    std::int64_t bytes = 0;
  };

  Expected<void> survey();
  Expected<void> collect_keys();
  Expected<void> plan_groups();
  Expected<void> rewrite();
  Expected<void> begin_group();
  Expected<void> end_group();
  Expected<void> finish();
  Expected<std::optional<protocol::BatchView>> next_batch();
  Fate may_drop(const protocol::BatchView& batch) const;
  Expected<void> rewrite_batch(const protocol::BatchView& batch);
  Expected<void> put(base::Bytes batch);
  bool stays(const protocol::Record& record, bool tombstones_go) const;

  PartitionLog& log_;
  std::mutex& mutex_;
  PartitionLog::Cleanable work_;
  Rules rules_;
  Report report_;
  Phase phase_ = Phase::survey;
  BatchWalk walk_;
  TransactionOutcomes transactions_;
  KeyOffsets keys_;
  std::int64_t end_offset_ = 0;  // records from here on are not looked at
  std::int64_t left_bytes_ = 0;  // of this step
  std::vector<Group> groups_;
  std::size_t group_ = 0;
  std::shared_ptr<Segment> cleaned_;  // of the group at work
  std::int64_t synced_bytes_ = 0;
  bool changed_ = false;  // against the segments of the group
};

}  // namespace iolab::storage
