// What the tests of compaction share: batches with keys, a log with random ones, and a reader that holds what it gets
// against a model.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <set>

#include "broker/base/crc32c.h"
#include "broker/storage/log_cleaner.h"
#include "broker/storage/segment.h"
#include "tests/broker/storage/log_fixture.h"

namespace iolab::storage {

using protocol::Compression;

struct Entry {
  std::string key;
  std::optional<std::string> value;

  bool operator==(const Entry&) const = default;
};
using Entries = std::map<std::int64_t, Entry>;  // by offset

inline Batch keyed_batch(std::int64_t base_offset, const std::vector<Entry>& entries,
                         const protocol::BatchBuilder::Settings& settings = {}, std::int64_t timestamp_ms = kNow) {
  protocol::BatchBuilder builder(settings);
  for (const Entry& entry : entries) {
    protocol::BatchBuilder::Entry record{
        .timestamp_ms = timestamp_ms++, .key = base::as_bytes(entry.key), .value = {}, .headers = {}};
    if (entry.value) record.value = base::as_bytes(*entry.value);
    builder.add(record);
  }
  Batch batch = builder.finish();
  protocol::set_base_offset(batch, base_offset);
  protocol::set_leader_epoch(batch, 0);
  return batch;
}

// The batch that ends a transaction.
inline Batch marker(std::int64_t base_offset, std::int64_t producer_id, bool commit) {
  protocol::BatchBuilder builder({.producer_id = producer_id, .producer_epoch = 0, .transactional = true});
  const std::array<std::byte, 4> key{std::byte{0}, std::byte{0}, std::byte{0}, commit ? std::byte{1} : std::byte{0}};
  const std::array<std::byte, 6> value{};
  builder.add({.timestamp_ms = kNow, .key = base::Bytes(key), .value = base::Bytes(value), .headers = {}});
  Batch batch = builder.finish();
  protocol::set_base_offset(batch, base_offset);
  protocol::set_leader_epoch(batch, 0);
  base::store_big_endian(batch.data() + 21, std::int16_t{0x30});
  base::store_big_endian(batch.data() + 17, base::crc32c(base::Bytes(batch).subspan(protocol::kBatchCrcStart)));
  return batch;
}

inline LogCleaner::Rules rules_at(std::int64_t now_ms = kNow) {
  return {.now_ms = now_ms, .delete_retention_ms = 1000, .segment_bytes = 20'000, .key_bytes = 1 << 20};
}

// Cleans as far as it goes; the error, if it did not come to its end.
inline std::optional<StorageError> clean(PartitionLog& log, const LogCleaner::Rules& rules = rules_at(),
                                         std::int64_t end_offset = std::numeric_limits<std::int64_t>::max()) {
  std::mutex mutex;
  auto work = log.cleanable(end_offset, std::numeric_limits<std::int64_t>::max());
  if (!work) return work.error();
  LogCleaner cleaner(log, mutex, std::move(*work), rules);
  for (;;) {
    const auto more = cleaner.step(1000);
    if (!more) return more.error();
    if (!*more) return std::nullopt;
  }
}

inline void sync(PartitionLog& log) {
  const SyncTask task = log.begin_sync();
  ASSERT_TRUE(log.finish_sync(task, PartitionLog::run_sync(task)));
}

// Reads from every offset on, and holds what comes against what a reader without the log's knowledge may expect.
inline Entries read_entries(PartitionLog& log) {
  Entries found;
  std::int64_t next = log.start_offset();
  while (next < log.end_offset()) {
    const auto location = log.locate(next, {.max_bytes = 3000});
    if (!location || location->bytes == 0) {
      ADD_FAILURE() << "nothing at offset " << next << (location ? "" : ": " + location.error().message);
      return found;
    }
    Batch bytes(location->bytes);
    const auto got = PartitionLog::read_into(*location, bytes);
    EXPECT_TRUE(got) << got.error().message;
    base::Bytes rest = std::span(bytes).first(got.value_or(0));
    const std::int64_t asked = next;
    while (const auto batch = protocol::first_batch(rest)) {
      EXPECT_EQ(batch->computed_crc(), batch->crc());
      EXPECT_GT(batch->records_count(), 0) << "some consumers fail on a batch without records";
      protocol::RecordReader reader(*batch);
      while (const protocol::Record* record = reader.next()) {
        Entry entry{record->key ? std::string(base::as_text(*record->key)) : "(none)", std::nullopt};
        if (record->value) entry.value = base::as_text(*record->value);
        if (!batch->is_control()) found[record->offset] = entry;
        EXPECT_LE(record->offset, batch->last_offset());
      }
      EXPECT_FALSE(reader.fault());
      next = batch->next_offset();
      rest = rest.subspan(batch->size());
    }
    if (next == asked) {
      ADD_FAILURE() << "no whole batch at offset " << asked;
      return found;
    }
  }
  return found;
}

inline std::map<std::string, std::string> latest(const Entries& entries) {
  std::map<std::string, std::string> state;
  for (const auto& [offset, entry] : entries) {
    if (entry.value)
      state[entry.key] = *entry.value;
    else
      state.erase(entry.key);
  }
  return state;
}

// A log with random batches, and what was put into it.
struct RandomLog {
  std::unique_ptr<PartitionLog> log;
  Entries appended;

  void append_some(std::mt19937_64& random, int batches, int keys) {
    for (int i = 0; i < batches; ++i) {
      std::vector<Entry> entries;
      for (auto records = 1 + random() % 6; records > 0; --records) {
        Entry entry{"key-" + std::to_string(random() % static_cast<std::uint64_t>(keys)), std::nullopt};
        if (random() % 8 != 0) entry.value = std::string(random() % 200, 'v') + std::to_string(random());
        appended[log->end_offset() + std::ssize(entries)] = entry;
        entries.push_back(std::move(entry));
      }
      const auto codec = static_cast<Compression>(random() % protocol::kCompressionCount);
      append(*log, keyed_batch(log->end_offset(), entries, {.compression = codec}));
    }
  }
};

inline void expect_cleaned(PartitionLog& log, const Entries& appended, const std::string& what) {
  const Entries found = read_entries(log);
  EXPECT_EQ(latest(found), latest(appended)) << what;
  const std::int64_t cleaned_below = log.cleaner_offsets().cleaned_below;
  std::set<std::string> keys;
  for (const auto& [offset, entry] : found) {
    EXPECT_TRUE(appended.contains(offset) && appended.at(offset) == entry) << what << ": offset " << offset;
    if (offset < cleaned_below) {
      EXPECT_TRUE(keys.insert(entry.key).second) << what << ": " << entry.key << " is there twice";
    }
  }
}

}  // namespace iolab::storage
