// The log as its owner sees it: what was appended is read back, rolled, found by time, and in the end deleted.
#include "broker/storage/partition_log.h"

#include <atomic>
#include <mutex>
#include <thread>

#include "broker/storage/segment.h"
#include "tests/broker/storage/log_fixture.h"

namespace iolab::storage {
namespace {

// Fails if any offset, asked for alone, is answered with other bytes than the batch that was appended there.
TEST(PartitionLog, EveryOffsetOfRandomBatchesIsFoundAgain) {
  const TemporaryDirectory directory;
  std::mt19937_64 random(1);
  for (const std::int64_t segment_bytes : {std::int64_t{20'000}, std::int64_t{300'000}, std::int64_t{1} << 30}) {
    const fs::path path = directory.path() / std::to_string(segment_bytes);
    fs::create_directory(path);
    const auto log = open_log(path, {.segment_bytes = segment_bytes});
    const auto batches = append_random(*log, 400, random);
    EXPECT_EQ(read_all(*log, 0).value(), batches);
    EXPECT_EQ(read_all(*log, 0, 1).value(), batches);
    for (const Batch& batch : batches) {
      const auto view = protocol::first_batch(batch).value();
      for (std::int64_t offset = view.base_offset(); offset <= view.last_offset(); ++offset) {
        const auto location = log->locate(offset, {.max_bytes = 1});
        ASSERT_TRUE(location.has_value());
        Batch got(location->bytes);
        ASSERT_EQ(PartitionLog::read_into(*location, got).value(), batch.size());
        ASSERT_EQ(got, batch) << "offset " << offset;
      }
    }
  }
}

// Fails if a limit is passed by more than the one batch that is always whole, or if bytes beyond the end are served.
TEST(PartitionLog, ReadsKeepToTheirLimits) {
  const TemporaryDirectory directory;
  const auto log = open_log(directory.path());
  std::vector<Batch> batches;
  for (int i = 0; i < 100; ++i) {
    batches.push_back(make_batch(log->end_offset(), 3, 100));
    append(*log, batches.back());
  }
  const std::size_t batch_bytes = batches[0].size();
  EXPECT_EQ(log->locate(0, {.max_bytes = 10})->bytes, batch_bytes);
  EXPECT_EQ(log->locate(0, {.max_bytes = 10, .at_least_one_batch = false})->bytes, 0U);
  EXPECT_EQ(log->locate(4, {.max_bytes = batch_bytes + 7})->bytes, batch_bytes + 7);
  EXPECT_EQ(log->locate(4, {.max_bytes = batch_bytes + 7})->base_offset, 3);
  EXPECT_EQ(log->locate(0, {.max_bytes = 1 << 20, .end_offset = 9})->bytes,
            batches[0].size() + batches[1].size() + batches[2].size());
  EXPECT_EQ(log->locate(9, {.max_bytes = 1 << 20, .end_offset = 9})->bytes, 0U);
  EXPECT_EQ(log->locate(300, {})->bytes, 0U);
  EXPECT_EQ(log->locate(301, {}).error().fault, StorageFault::out_of_range);
  EXPECT_EQ(log->locate(-1, {}).error().fault, StorageFault::out_of_range);
}

TEST(PartitionLog, NothingOfARangeLiesBehindTheOffsetBehindIt) {
  SCOPED_TRACE("fails if a reader is told too little about what it gets, or about far more");
  const TemporaryDirectory directory;
  const auto log = open_log(directory.path(), {.segment_bytes = 40'000, .index_interval_bytes = 1000});
  std::mt19937_64 random(1);
  for (int i = 0; i < 2000; ++i) append(*log, make_batch(log->end_offset(), 1, random() % 100));
  ASSERT_GT(log->segment_count(), 3);
  for (int i = 0; i < 500; ++i) {
    const auto from = static_cast<std::int64_t>(random() % 2000);
    const auto location = log->locate(from, {.max_bytes = random() % 10'000});
    ASSERT_TRUE(location);
    const auto behind = log->offset_behind(*location);
    ASSERT_TRUE(behind);
    Batch bytes(location->bytes);
    ASSERT_TRUE(PartitionLog::read_into(*location, bytes));
    std::int64_t next = location->base_offset;  // of the first batch that does not begin in the range
    for (base::Bytes rest = bytes; !rest.empty(); ++next) {
      const bool is_cut = rest.size() < kBatchPrefixBytes;
      const auto size = is_cut ? rest.size() : static_cast<std::size_t>(protocol::declared_batch_size(rest));
      rest = rest.subspan(std::min(size, rest.size()));
    }
    ASSERT_GE(*behind, next) << "from offset " << from;
    ASSERT_LE(*behind, next + 25) << "from offset " << from;
  }
}

// Fails if a batch with another offset, a cut batch or two batches at once get into the log: all three would break it.
TEST(PartitionLog, RefusesWhatIsNotTheNextBatch) {
  const TemporaryDirectory directory;
  const auto log = open_log(directory.path());
  append(*log, make_batch(0, 2));
  EXPECT_FALSE(log->append(make_batch(3), kNow));
  EXPECT_FALSE(log->append(make_batch(1), kNow));
  Batch batch = make_batch(2);
  EXPECT_FALSE(log->append(std::span(batch).first(batch.size() - 1), kNow));
  const Batch second = make_batch(3);
  Batch both = batch;
  both.insert(both.end(), second.begin(), second.end());
  EXPECT_FALSE(log->append(both, kNow));
  append(*log, batch);
  EXPECT_EQ(log->end_offset(), 3);
  EXPECT_EQ(read_all(*log, 0)->size(), 2U);
}

// Fails if a batch that is stamped on the way to the disk differs from one that was stamped in memory.
TEST(PartitionLog, StampsTheStartWithoutTouchingTheCallersBytes) {
  const TemporaryDirectory directory;
  const auto log = open_log(directory.path());
  append(*log, make_batch(0, 7));
  const Batch as_produced = make_batch(0, 4, 5000);
  const auto start = protocol::changed_start(protocol::first_batch(as_produced).value(), 7, 0);
  ASSERT_TRUE(log->append(start, as_produced, kNow));
  const auto read = read_all(*log, 7).value();
  ASSERT_EQ(read.size(), 1U);
  Batch stamped = as_produced;
  protocol::set_base_offset(stamped, 7);
  EXPECT_EQ(read[0], stamped);
}

// Fails if an append costs more than its one write, or a look-up among the newest batches reads anything.
TEST(PartitionLog, AnAppendIsOneWrite) {
  const TemporaryDirectory directory;
  const auto log = open_log(directory.path(), {.hooks = {.count = CallCounts::count}});
  append(*log, make_batch(0));
  CallCounts::reset();
  for (int i = 1; i <= 100; ++i) append(*log, make_batch(i, 1, 16'000));
  EXPECT_EQ(CallCounts::of(FileCall::pwrite), 100);
  EXPECT_EQ(CallCounts::of(FileCall::pread), 0);
  EXPECT_EQ(CallCounts::of(FileCall::fdatasync) + CallCounts::of(FileCall::fsync), 0);
  const auto location = log->locate(60, {});
  EXPECT_EQ(CallCounts::of(FileCall::pread), 0);
  Batch bytes(location->bytes);
  ASSERT_TRUE(PartitionLog::read_into(*location, bytes));
  EXPECT_EQ(CallCounts::of(FileCall::pread), 1);
}

// Fails if segments do not roll by size, by age, or before an offset would no longer fit an index of 32 bits.
TEST(PartitionLog, RollsBySizeAgeAndOffset) {
  const TemporaryDirectory directory;
  const auto log = open_log(directory.path(), {.segment_bytes = 10'000, .segment_ms = 1000});
  for (int i = 0; i < 12; ++i) append(*log, make_batch(i, 1, 2000));
  EXPECT_EQ(log->segment_count(), 3);
  ASSERT_TRUE(log->roll_if_due(kNow + 1000));
  EXPECT_EQ(log->segment_count(), 3);
  ASSERT_TRUE(log->roll_if_due(kNow + 1001));
  EXPECT_EQ(log->segment_count(), 4);
  ASSERT_TRUE(log->roll_if_due(kNow + 5000));
  EXPECT_EQ(log->segment_count(), 4) << "an empty segment does not roll";
  append(*log, make_batch(12), kNow + 6000);
  EXPECT_EQ(log->segment_count(), 4);
  append(*log, make_batch(13), kNow + 9000);
  EXPECT_EQ(log->segment_count(), 5);
  EXPECT_EQ(read_all(*log, 0)->size(), 14U);

  const TemporaryDirectory other;
  const auto wide = open_log(other.path());
  Batch batch = make_batch(0);
  base::store_big_endian<std::int32_t>(batch.data() + 23, 2'147'483'646);
  append(*wide, batch);
  append(*wide, make_batch(2'147'483'647));
  append(*wide, make_batch(2'147'483'648));
  EXPECT_EQ(wide->segment_count(), 2);
  EXPECT_EQ(wide->locate(2'147'483'648, {})->base_offset, 2'147'483'648);
}

// Fails if retention deletes too much, too little, the active segment, or forgets where the log now begins.
TEST(PartitionLog, RetentionBySize) {
  const TemporaryDirectory directory;
  LogConfig config{.segment_bytes = 10'000, .retention_bytes = 25'000};
  const auto log = open_log(directory.path(), config);
  for (int i = 0; i < 40; ++i) append(*log, make_batch(i, 1, 2000));
  const auto pinned = log->locate(0, {}).value();
  const std::int64_t before = log->size_bytes();
  const std::size_t removed = log->delete_expired(kNow)->size();
  EXPECT_GT(removed, 0U);
  EXPECT_GE(log->size_bytes(), 25'000);
  EXPECT_LT(log->size_bytes(), 25'000 + 10'000);
  EXPECT_LT(log->size_bytes(), before);
  EXPECT_EQ(log->locate(0, {}).error().fault, StorageFault::out_of_range);
  EXPECT_EQ(read_all(*log, log->start_offset())->front().size(), make_batch(39, 1, 2000).size());
  Batch bytes(pinned.bytes);
  EXPECT_EQ(PartitionLog::read_into(pinned, bytes).value(), pinned.bytes) << "a pinned segment stays readable";
  config.retention_bytes = 0;
  log->set_config(config);
  ASSERT_TRUE(log->delete_expired(kNow));
  EXPECT_EQ(log->segment_count(), 1);
  EXPECT_EQ(log->end_offset(), 40);
  EXPECT_TRUE(files_ending_in(directory.path(), "index").empty()) << "indexes go with their segment";
}

// Fails if age is not counted from the newest record of a segment, or if the active segment outlives all its records.
TEST(PartitionLog, RetentionByAge) {
  const TemporaryDirectory directory;
  const auto log = open_log(directory.path(), {.segment_bytes = 1000, .retention_ms = 5000});
  append(*log, make_batch(0, 1, 900, kNow));
  append(*log, make_batch(1, 1, 900, kNow + 10'000));  // the first segment is over
  append(*log, make_batch(2, 1, 900, kNow + 2000));
  EXPECT_EQ(log->delete_expired(kNow + 5000)->size(), 0U);
  EXPECT_EQ(log->delete_expired(kNow + 5001)->size(), 1U);
  EXPECT_EQ(log->start_offset(), 1);
  EXPECT_EQ(log->delete_expired(kNow + 15'000)->size(), 0U) << "the oldest segment that stays keeps the later ones";
  ASSERT_TRUE(log->roll_if_due(kNow + 15'001));
  EXPECT_EQ(log->delete_expired(kNow + 15'001)->size(), 2U);
  EXPECT_EQ(log->start_offset(), 3);
  EXPECT_EQ(log->end_offset(), 3);
  append(*log, make_batch(3));
  EXPECT_EQ(read_all(*log, 3)->size(), 1U);
}

std::int64_t offset_at(PartitionLog& log, std::int64_t timestamp_ms) {
  std::mutex mutex;
  const auto found = first_offset_at_or_after(log, mutex, timestamp_ms);
  EXPECT_TRUE(found.has_value());
  return found && *found ? (*found)->offset : -1;
}

// Fails if a time look-up skips a record that is late enough, whatever the codec and however times jump about.
TEST(PartitionLog, FindsOffsetsByTimeInEveryCodec) {
  using protocol::Compression;
  const TemporaryDirectory directory;
  const auto log = open_log(directory.path(), {.segment_bytes = 40'000});
  std::mt19937_64 random(3);
  std::vector<std::int64_t> times;  // by offset
  for (int i = 0; i < 300; ++i) {
    const auto codec = static_cast<Compression>(i % 5);
    const int records = 1 + static_cast<int>(random() % 20);
    const std::int64_t time = kNow + i * 100 + static_cast<std::int64_t>(random() % 5000);
    append(*log, make_batch(log->end_offset(), records, 50, time, codec));
    for (int r = 0; r < records; ++r) times.push_back(time + r);
  }
  ASSERT_GT(log->segment_count(), 2);
  std::vector<std::int64_t> questions = times;
  for (int i = 0; i < 300; ++i) questions.push_back(kNow - 10 + static_cast<std::int64_t>(random() % 36'000));
  for (const std::int64_t wanted : questions) {
    const auto first = std::ranges::find_if(times, [&](std::int64_t t) { return t >= wanted; });
    const std::int64_t expected = first == times.end() ? -1 : first - times.begin();
    ASSERT_EQ(offset_at(*log, wanted), expected) << "for time " << wanted - kNow;
  }
  const auto largest = std::ranges::max_element(times);
  const auto location = log->locate_max_timestamp().value().value();
  const auto found = PartitionLog::find_in_batch(location).value().value();
  EXPECT_EQ(found.timestamp_ms, *largest);
  EXPECT_EQ(found.offset, largest - times.begin());
}

// Fails if the largest timestamp before an offset is that of a batch behind it, or is not found where an index entry, a
// segment's border or the end of what is indexed lies between.
TEST(PartitionLog, LargestTimestampBeforeAnyBatch) {
  const TemporaryDirectory directory;
  const auto log = open_log(directory.path(), {.segment_bytes = 20'000, .index_interval_bytes = 300});
  std::mt19937_64 random(7);
  std::int64_t largest = -1, holder = -1;
  std::vector<std::pair<std::int64_t, std::int64_t>> expected;  // before which offset: the batch that holds the largest
  for (int i = 0; i < 400; ++i) {
    const std::int64_t base = log->end_offset();
    const std::int64_t time = kNow + static_cast<std::int64_t>(random() % 100'000) + i * 100;
    append(*log, make_batch(base, 1, 60, time));
    if (time > largest) std::tie(largest, holder) = std::pair(time, base);
    expected.emplace_back(log->end_offset(), holder);
  }
  ASSERT_GT(log->segment_count(), 2);
  EXPECT_FALSE(log->locate_max_timestamp(0).value().has_value());
  for (const auto& [before, batch] : expected) {
    const auto location = log->locate_max_timestamp(before).value();
    ASSERT_TRUE(location.has_value());
    ASSERT_EQ(location->batch.base_offset, batch) << "before offset " << before;
  }
}

// Fails if a batch whose header claims a later time than its records have ends the search too early.
TEST(PartitionLog, TimeLookUpsSurviveHeadersThatClaimTooMuch) {
  const TemporaryDirectory directory;
  const auto log = open_log(directory.path());
  Batch liar = make_batch(0, 1, 16, kNow);
  base::store_big_endian<std::int64_t>(liar.data() + 35, kNow + 1'000'000);
  append(*log, liar);
  append(*log, make_batch(1, 1, 16, kNow + 500));
  EXPECT_EQ(offset_at(*log, kNow + 100), 1);
  EXPECT_EQ(offset_at(*log, kNow + 600), -1);
}

// Fails if a log without records, or with records without a time, answers a time look-up with an offset.
TEST(PartitionLog, NoTimeNoOffset) {
  const TemporaryDirectory directory;
  const auto log = open_log(directory.path());
  EXPECT_EQ(offset_at(*log, 0), -1);
  EXPECT_FALSE(log->locate_max_timestamp().value().has_value());
  append(*log, make_batch(0, 1, 16, -1));
  EXPECT_EQ(offset_at(*log, 0), -1);
  EXPECT_FALSE(log->locate_max_timestamp().value().has_value());
}

// Fails if a walk over the headers misses a batch, repeats one at a segment's border, or does not stop when told.
TEST(PartitionLog, WalksTheHeadersOfAllBatches) {
  const TemporaryDirectory directory;
  const auto log = open_log(directory.path(), {.segment_bytes = 5000});
  std::mt19937_64 random(4);
  const auto batches = append_random(*log, 50, random, 300);
  std::vector<std::int64_t> seen;
  ASSERT_TRUE(log->for_each_batch(0, [&](const BatchHeader& header) {
    seen.push_back(header.base_offset);
    return true;
  }));
  ASSERT_EQ(seen.size(), batches.size());
  const std::int64_t middle = seen[20] + 0;
  std::size_t later = 0;
  ASSERT_TRUE(log->for_each_batch(middle, [&](const BatchHeader& header) {
    EXPECT_EQ(header.base_offset, seen[20 + later]);
    return ++later < 10;
  }));
  EXPECT_EQ(later, 10U);
}

// Fails if a reader without the lock sees wrong bytes, or a thread checker a race, while another thread appends, rolls
// and deletes what is being read, and a third one syncs.
TEST(PartitionLog, ReadersAndTheFlusherNeedNoLock) {
  const TemporaryDirectory directory;
  const auto log = open_log(directory.path(), {.segment_bytes = 30'000, .retention_bytes = 100'000});
  append(*log, make_batch(0));
  std::mutex mutex;
  std::atomic<bool> done = false;
  std::vector<std::thread> others;
  for (int reader = 0; reader < 2; ++reader)
    others.emplace_back([&, reader] {
      std::mt19937_64 random(static_cast<std::uint64_t>(reader));
      Batch bytes(64 * 1024);
      do {
        ReadLocation location;
        {
          const std::lock_guard lock(mutex);
          const std::int64_t range = log->end_offset() - log->start_offset();
          const std::int64_t offset =
              log->start_offset() + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(range));
          location = log->locate(offset, {.max_bytes = 20'000}).value();
        }
        const auto got = PartitionLog::read_into(location, bytes);
        ASSERT_TRUE(got.has_value());
        const auto batch = protocol::first_batch(std::span(bytes).first(*got));
        ASSERT_TRUE(batch.has_value());
        ASSERT_EQ(batch->base_offset(), location.base_offset);
        ASSERT_EQ(batch->computed_crc(), batch->crc());
      } while (!done);
    });
  others.emplace_back([&] {
    do {
      SyncTask task;
      {
        const std::lock_guard lock(mutex);
        task = log->begin_sync();
      }
      const auto result = PartitionLog::run_sync(task);
      const std::lock_guard lock(mutex);
      ASSERT_TRUE(log->finish_sync(task, result));
    } while (!done);
  });
  for (int i = 0; i < 1000; ++i) {
    const std::lock_guard lock(mutex);
    append(*log, make_batch(log->end_offset(), 1, 2000));
    ASSERT_TRUE(log->delete_expired(kNow));
  }
  done = true;
  for (std::thread& other : others) other.join();
  EXPECT_GT(log->start_offset(), 0);
}

}  // namespace
}  // namespace iolab::storage
