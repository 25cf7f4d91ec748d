// Compaction against a model, and against everything that may go wrong while it is done.
#include "broker/storage/log_cleaner.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <set>

#include "broker/base/crc32c.h"
#include "broker/storage/segment.h"
#include "tests/broker/storage/log_fixture.h"

namespace iolab::storage {
namespace {

using protocol::Compression;

struct Entry {
  std::string key;
  std::optional<std::string> value;

  bool operator==(const Entry&) const = default;
};
using Entries = std::map<std::int64_t, Entry>;  // by offset

Batch keyed_batch(std::int64_t base_offset, const std::vector<Entry>& entries,
                  const protocol::BatchBuilder::Settings& settings = {}, std::int64_t timestamp_ms = kNow) {
  protocol::BatchBuilder builder(settings);
  for (const Entry& entry : entries) {
    protocol::BatchBuilder::Entry record{.timestamp_ms = timestamp_ms++, .key = base::as_bytes(entry.key), .value = {},
                                         .headers = {}};
    if (entry.value) record.value = base::as_bytes(*entry.value);
    builder.add(record);
  }
  Batch batch = builder.finish();
  protocol::set_base_offset(batch, base_offset);
  protocol::set_leader_epoch(batch, 0);
  return batch;
}

// The batch that ends a transaction.
Batch marker(std::int64_t base_offset, std::int64_t producer_id, bool commit) {
  protocol::BatchBuilder builder({.producer_id = producer_id, .producer_epoch = 0, .transactional = true});
  const std::array<std::byte, 4> key{std::byte{0}, std::byte{0}, std::byte{0}, std::byte{commit ? 1U : 0U}};
  const std::array<std::byte, 6> value{};
  builder.add({.timestamp_ms = kNow, .key = base::Bytes(key), .value = base::Bytes(value), .headers = {}});
  Batch batch = builder.finish();
  protocol::set_base_offset(batch, base_offset);
  protocol::set_leader_epoch(batch, 0);
  base::store_big_endian(batch.data() + 21, std::int16_t{0x30});
  base::store_big_endian(batch.data() + 17, base::crc32c(base::Bytes(batch).subspan(protocol::kBatchCrcStart)));
  return batch;
}

LogCleaner::Rules rules_at(std::int64_t now_ms = kNow) {
  return {.now_ms = now_ms, .delete_retention_ms = 1000, .segment_bytes = 20'000, .key_bytes = 1 << 20};
}

// Cleans as far as it goes; the error, if it did not come to its end.
std::optional<StorageError> clean(PartitionLog& log, const LogCleaner::Rules& rules = rules_at(),
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

void sync(PartitionLog& log) {
  const SyncTask task = log.begin_sync();
  ASSERT_TRUE(log.finish_sync(task, PartitionLog::run_sync(task)));
}

// Reads from every offset on, and holds what comes against what a reader without the log's knowledge may expect.
Entries read_entries(PartitionLog& log) {
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

std::map<std::string, std::string> latest(const Entries& entries) {
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

void expect_cleaned(PartitionLog& log, const Entries& appended, const std::string& what) {
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

TEST(LogCleaner, KeepsTheLastValueOfEachKey) {
  SCOPED_TRACE("a cleaned log tells another state than before, moved a record, or left an old one in the cleaned part");
  for (std::uint64_t seed = 1; seed <= 24; ++seed) {
    const TemporaryDirectory directory;
    std::mt19937_64 random(seed);
    const LogConfig config{.segment_bytes = static_cast<std::int64_t>(2000 + random() % 8000),
                           .index_interval_bytes = static_cast<std::int32_t>(random() % 1000)};
    RandomLog subject{open_log(directory.path(), config), {}};
    auto rules = rules_at();
    rules.key_bytes = seed % 3 == 0 ? 2000 : 1 << 20;  // not all keys find room
    for (int round = 0; round < 4; ++round) {
      subject.append_some(random, 60, 1 + static_cast<int>(random() % 40));
      sync(*subject.log);
      const auto error = clean(*subject.log, rules);
      ASSERT_FALSE(error) << error->message;
      rules.now_ms += 600;
      const std::string what = "seed " + std::to_string(seed) + ", round " + std::to_string(round);
      expect_cleaned(*subject.log, subject.appended, what);
      // By the same files in another life: after a clean stop, and after a crash.
      const bool cleanly = random() % 2 == 0;
      const OpenMode mode{.after_clean_stop = cleanly, .recovery_point = subject.log->end_offset()};
      if (cleanly) ASSERT_TRUE(subject.log->close());
      subject.log.reset();
      subject.log = open_log(directory.path(), config, mode);
      ASSERT_TRUE(subject.log);
      expect_cleaned(*subject.log, subject.appended, what + ", opened again");
    }
    EXPECT_GT(subject.log->cleaner_offsets().cleaned_below, 0);
  }
}

TEST(LogCleaner, AnOffsetInAGapIsAnsweredWithWhatFollows) {
  SCOPED_TRACE("a consumer that stands in a gap gets nothing, an older batch, or skips one");
  const TemporaryDirectory directory;
  const auto log = open_log(directory.path(), {.segment_bytes = 1000, .index_interval_bytes = 100});
  for (int i = 0; i < 300; ++i) {
    append(*log, keyed_batch(i, {{i % 100 == 0 ? "rare-" + std::to_string(i) : "often", std::string(50, 'x')}}, {},
                             kNow + i));
  }
  sync(*log);
  ASSERT_FALSE(clean(*log, {.now_ms = kNow, .segment_bytes = 1000}));
  std::vector<std::int64_t> left;
  for (const auto& [offset, entry] : read_entries(*log)) left.push_back(offset);
  EXPECT_LT(left.size(), 60U);
  EXPECT_EQ(left[0], 0);
  EXPECT_EQ(left[1], 100);
  for (std::int64_t offset = 0; offset < 300; ++offset) {
    const auto location = log->locate(offset, {.max_bytes = 1});
    ASSERT_TRUE(location) << location.error().message;
    EXPECT_EQ(location->base_offset, *std::ranges::lower_bound(left, offset)) << "asked for " << offset;
  }
  EXPECT_EQ(log->locate(50, {.end_offset = 100})->bytes, 0U) << "what lies behind the limit is nobody's to read";
  EXPECT_GT(log->locate(50, {.end_offset = 101})->bytes, 0U);
  std::mutex mutex;
  EXPECT_EQ(first_offset_at_or_after(*log, mutex, kNow + 150).value()->offset, 200);
  EXPECT_EQ(log->locate_max_timestamp(150).value()->batch.base_offset, 100);
  std::vector<std::int64_t> visited;
  ASSERT_TRUE(log->for_each_batch(150, [&](const BatchHeader& header) {
    visited.push_back(header.base_offset);
    return visited.size() < 2;
  }));
  EXPECT_EQ(visited[0], 200);
}

TEST(LogCleaner, ATombstoneStaysForAWhile) {
  SCOPED_TRACE("a reader along never learns that a key is gone, or tombstones stay for ever, or go before their values");
  const TemporaryDirectory directory;
  const auto log = open_log(directory.path(), {.segment_bytes = 300});
  append(*log, keyed_batch(0, {{"a", "1"}, {"b", "1"}}));
  append(*log, keyed_batch(2, {{"a", std::nullopt}}, {.compression = Compression::gzip}));
  for (int i = 3; i < 20; ++i) append(*log, keyed_batch(i, {{"filler", std::string(100, 'x')}}));
  sync(*log);
  ASSERT_FALSE(clean(*log, rules_at(kNow)));
  Entries found = read_entries(*log);
  EXPECT_FALSE(found.contains(0));
  EXPECT_TRUE(found.contains(1));
  ASSERT_TRUE(found.contains(2));
  EXPECT_FALSE(found[2].value);
  const auto location = log->locate(2, {});
  Batch bytes(location->bytes);
  ASSERT_TRUE(PartitionLog::read_into(*location, bytes));
  const auto batch = protocol::first_batch(bytes).value();
  EXPECT_TRUE(batch.has_delete_horizon());
  EXPECT_EQ(batch.base_timestamp(), kNow + 1000);
  EXPECT_EQ(batch.compression(), Compression::gzip);
  protocol::RecordReader reader(batch);
  EXPECT_EQ(reader.next()->timestamp_ms, kNow) << "the time of a record changed";

  ASSERT_FALSE(clean(*log, rules_at(kNow + 999)));
  EXPECT_TRUE(read_entries(*log).contains(2));
  for (int i = 20; i < 25; ++i) append(*log, keyed_batch(i, {{"filler", std::string(100, 'x')}}));
  sync(*log);
  ASSERT_FALSE(clean(*log, rules_at(kNow + 1000)));
  found = read_entries(*log);
  EXPECT_FALSE(found.contains(2));
  EXPECT_TRUE(found.contains(1));
}

TEST(LogCleaner, OfTransactionsOnlyWhatWasCommittedCounts) {
  SCOPED_TRACE("an aborted value stays or replaces one that counts, or what is still open is cleaned");
  const TemporaryDirectory directory;
  const auto log = open_log(directory.path(), {.segment_bytes = 400});
  const protocol::BatchBuilder::Settings first{.producer_id = 1, .producer_epoch = 0, .base_sequence = 0,
                                               .transactional = true};
  auto second = first;
  second.producer_id = 2;
  auto third = first;
  third.producer_id = 3;
  const std::string filling(100, 'x');
  append(*log, keyed_batch(0, {{"a", "old"}, {"b", "old"}, {"c", "old"}}));
  append(*log, keyed_batch(3, {{"a", "committed"}}, first));
  append(*log, keyed_batch(4, {{"b", "aborted"}}, second));
  append(*log, marker(5, 2, false));
  append(*log, marker(6, 1, true));
  append(*log, keyed_batch(7, {{"filler", filling}}));
  append(*log, keyed_batch(8, {{"c", "open"}}, third));
  append(*log, keyed_batch(9, {{"filler", filling}}));
  for (int i = 10; i < 20; ++i) append(*log, keyed_batch(i, {{"other", filling}}));
  sync(*log);
  ASSERT_FALSE(clean(*log));
  Entries found = read_entries(*log);
  EXPECT_EQ(log->cleaner_offsets().cleaned_below, 8);
  EXPECT_FALSE(found.contains(0)) << "a was written again, and that was committed";
  EXPECT_EQ(found[1].value, "old") << "b was written again, and that was aborted";
  EXPECT_EQ(found[2].value, "old") << "nobody knows yet how that ends";
  EXPECT_EQ(found[3].value, "committed");
  EXPECT_FALSE(found.contains(4));
  EXPECT_TRUE(found.contains(8));
  append(*log, marker(20, 3, true));
  for (int i = 21; i < 26; ++i) append(*log, keyed_batch(i, {{"other", filling}}));
  sync(*log);
  ASSERT_FALSE(clean(*log));
  found = read_entries(*log);
  EXPECT_FALSE(found.contains(2));
  EXPECT_EQ(found[8].value, "open");
  EXPECT_EQ(found[3].value, "committed") << "cleaned once, it is as any other record";
}

TEST(LogCleaner, TheLastSegmentThatHoldsAnythingStaysAsItIs) {
  SCOPED_TRACE("the last offsets of a log are gone, and whoever reads to its end waits for ever");
  const TemporaryDirectory directory;
  const auto log = open_log(directory.path(), {.segment_bytes = 300, .segment_ms = 1000});
  for (int i = 0; i < 10; ++i) append(*log, keyed_batch(i, {{"a", std::string(100, 'x')}}));
  ASSERT_TRUE(log->roll_if_due(kNow + 5000));
  sync(*log);
  ASSERT_FALSE(clean(*log));
  EXPECT_EQ(read_entries(*log).rbegin()->first, 9);
  EXPECT_LT(read_entries(*log).size(), 4U);
}

TEST(LogCleaner, OnlyWhatIsSyncedOldAndBelowTheLimitIsCleaned) {
  SCOPED_TRACE("records are compacted that might still be taken back, or that are younger than they may be");
  const TemporaryDirectory directory;
  const auto log = open_log(directory.path(), {.segment_bytes = 300});
  for (int i = 0; i < 20; ++i) append(*log, keyed_batch(i, {{"a", std::string(100, 'x')}}, {}, kNow + i));
  constexpr auto kAny = std::numeric_limits<std::int64_t>::max();
  EXPECT_TRUE(log->cleanable(kAny, kAny)->segments.empty()) << "nothing is synced";
  sync(*log);
  const auto all = log->cleanable(kAny, kAny).value();
  EXPECT_GT(all.segments.size(), 5U);
  EXPECT_GT(all.dirty_bytes, 0);
  EXPECT_EQ(all.clean_bytes, 0);
  EXPECT_LE(log->cleanable(9, kAny)->segments.back()->end_offset(), 9);
  EXPECT_LE(log->cleanable(kAny, kNow + 9)->segments.back()->end_offset(), 10);
  ASSERT_FALSE(clean(*log));
  EXPECT_EQ(log->cleanable(kAny, kAny)->dirty_bytes, 0);
}

TEST(LogCleaner, WhoReadsAnOldFileKeepsIt) {
  SCOPED_TRACE("a fetch that was found before the swap reads other bytes after it");
  const TemporaryDirectory directory;
  const auto log = open_log(directory.path(), {.segment_bytes = 1000});
  std::vector<Batch> batches;
  for (int i = 0; i < 20; ++i) {
    batches.push_back(keyed_batch(i, {{"a", std::to_string(i) + std::string(100, 'x')}}));
    append(*log, batches.back());
  }
  sync(*log);
  const auto location = log->locate(0, {.max_bytes = 1});
  ASSERT_FALSE(clean(*log));
  Batch bytes(location->bytes);
  ASSERT_EQ(PartitionLog::read_into(*location, bytes).value(), batches[0].size());
  EXPECT_EQ(bytes, batches[0]);
  EXPECT_TRUE(files_ending_in(directory.path(), ".cleaned").empty());
  EXPECT_TRUE(files_ending_in(directory.path(), ".swap").empty());
}

TEST(LogCleaner, DamageGetsNoRightChecksum) {
  SCOPED_TRACE("a batch that the disk has changed is compacted, and looks right from then on");
  const TemporaryDirectory directory;
  const auto log = open_log(directory.path(), {.segment_bytes = 1000});
  for (int i = 0; i < 30; ++i) append(*log, keyed_batch(i, {{std::to_string(i % 20), std::string(100, 'x')}}));
  sync(*log);
  const fs::path file = files_ending_in(directory.path(), ".log").front();
  std::string content = read_text(file);
  content[content.size() - 5] ^= 1;
  write_text(file, content);
  const auto error = clean(*log);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->fault, StorageFault::corrupt);
  EXPECT_TRUE(log->failure());
  EXPECT_EQ(read_text(file), content);
}

TEST(LogCleaner, AGapThatNobodyMadeIsDamage) {
  SCOPED_TRACE("a log that lost a batch in its middle is taken for a cleaned one");
  const TemporaryDirectory directory;
  const LogConfig config{.segment_bytes = 1000};
  auto log = open_log(directory.path(), config);
  for (int i = 0; i < 30; ++i) append(*log, keyed_batch(i, {{i % 7 == 0 ? "a" : "b", std::string(100, 'x')}}));
  sync(*log);
  ASSERT_FALSE(clean(*log, rules_at(), 20));
  EXPECT_LT(read_entries(*log).size(), 20U);
  log.reset();
  fs::remove(directory.path() / "cleaner-offset-checkpoint");
  for (const fs::path& index : files_ending_in(directory.path(), "index")) fs::remove(index);
  const auto opened = PartitionLog::open(directory.path(), config, {.recovery_point = 30}, kNow);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().fault, StorageFault::corrupt);
}

// Fails every file call that changes something from the `allowed`-th on, as if the process had died there.
struct Death {
  static inline int allowed = 0;
  static inline int calls = 0;
  static int fail(FileCall call) {
    switch (call) {
      case FileCall::pwrite:
      case FileCall::rename:
      case FileCall::unlink:
      case FileCall::ftruncate:
      case FileCall::fdatasync:
      case FileCall::fsync: return calls++ >= allowed ? EIO : 0;
      default: return 0;
    }
  }
};

TEST(LogCleaner, ACrashAtAnyStepLeavesTheOldOrTheNew) {
  SCOPED_TRACE("a process that died while it cleaned has left a log that cannot be opened, or tells another state");
  int deaths = 0;
  bool survived = false;
  for (int allowed = 0; !survived; ++allowed) {
    const TemporaryDirectory directory;
    std::mt19937_64 random(7);
    Death::allowed = std::numeric_limits<int>::max();
    Death::calls = 0;
    const LogConfig config{.segment_bytes = 1500, .hooks = {.fail = Death::fail}};
    RandomLog subject{open_log(directory.path(), config), {}};
    subject.append_some(random, 40, 10);
    sync(*subject.log);
    const std::int64_t end = subject.log->end_offset();
    Death::calls = 0;
    Death::allowed = allowed;
    auto rules = rules_at();
    rules.segment_bytes = 4000;
    survived = !clean(*subject.log, rules);
    deaths += survived ? 0 : 1;
    subject.log.reset();
    for (int life = 0; life < 2; ++life) {
      subject.log = open_log(directory.path(), {.segment_bytes = 1500}, {.recovery_point = end});
      ASSERT_TRUE(subject.log) << "died at call " << allowed;
      EXPECT_EQ(subject.log->end_offset(), end);
      expect_cleaned(*subject.log, subject.appended, "died at call " + std::to_string(allowed));
      ASSERT_FALSE(clean(*subject.log, rules));
      expect_cleaned(*subject.log, subject.appended, "cleaned after a death at call " + std::to_string(allowed));
      EXPECT_TRUE(files_ending_in(directory.path(), ".cleaned").empty());
      EXPECT_TRUE(files_ending_in(directory.path(), ".swap").empty());
      subject.log.reset();
    }
  }
  EXPECT_GT(deaths, 20);
}

}  // namespace
}  // namespace iolab::storage
