// Compaction against a model, in all the ways in which a log can be looked at.
#include <algorithm>

#include "tests/broker/storage/cleaner_fixture.h"

namespace iolab::storage {
namespace {

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
      if (cleanly) {
        ASSERT_TRUE(subject.log->close());
      }
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
  SCOPED_TRACE(
      "a reader along never learns that a key is gone, or tombstones stay for ever, or go before their values");
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
  const protocol::BatchBuilder::Settings first{
      .producer_id = 1, .producer_epoch = 0, .base_sequence = 0, .transactional = true};
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

TEST(LogCleaner, RetentionMayBeQuicker) {
  SCOPED_TRACE("what was deleted while it was being cleaned comes back, or the log fails over it");
  const TemporaryDirectory directory;
  const auto log = open_log(directory.path(), {.segment_bytes = 1000});
  for (int i = 0; i < 60; ++i) append(*log, keyed_batch(i, {{std::to_string(i % 50), std::string(100, 'x')}}));
  sync(*log);
  std::mutex mutex;
  {
    auto work = log->cleanable(60, std::numeric_limits<std::int64_t>::max()).value();
    LogCleaner cleaner(*log, mutex, std::move(work), rules_at());
    log->advance_start(13);
    ASSERT_TRUE(log->delete_expired(kNow));
    while (cleaner.step(500).value()) {
    }
  }
  EXPECT_FALSE(log->failure());
  EXPECT_TRUE(files_ending_in(directory.path(), ".cleaned").empty());
  EXPECT_TRUE(files_ending_in(directory.path(), ".swap").empty());
  ASSERT_FALSE(clean(*log));
  const Entries found = read_entries(*log);
  EXPECT_EQ(found.begin()->first, 13);
  EXPECT_EQ(found.size(), 47U) << "the keys 13 to 49 once, and 0 to 9 again";
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

}  // namespace
}  // namespace iolab::storage
