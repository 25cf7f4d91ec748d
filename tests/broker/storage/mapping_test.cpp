// Which ranges of a log are sent from where they lie in memory, and which are read: what is not there, above all.
#include <cerrno>

#include "broker/storage/partition_log.h"
#include "broker/storage/segment.h"
#include "tests/broker/storage/log_fixture.h"

namespace iolab::storage {
namespace {

// Fails if a large range is copied on its way to a socket, is not what was appended, or ends where its segment ended
// when it was first mapped.
TEST(PartitionLog, LargeRangesAreMappedAndNotCopied) {
  const TemporaryDirectory directory;
  const auto log = open_log(directory.path(), {.segment_bytes = 1'000'000, .hooks = {.count = CallCounts::count}});
  Batch all;
  ReadLocation pinned;
  for (int i = 0; i < 12; ++i) {
    const Batch batch = make_batch(i, 1, 50'000);
    append(*log, batch);
    all.insert(all.end(), batch.begin(), batch.end());
    CallCounts::reset();
    pinned = log->locate(0, {.max_bytes = all.size()}).value();
    const auto mapped = PartitionLog::map(pinned);
    ASSERT_TRUE(std::ranges::equal(mapped, all)) << "after " << i + 1 << " batches";
    EXPECT_EQ(CallCounts::of(FileCall::pread), 0);
    EXPECT_EQ(CallCounts::of(FileCall::mmap), i == 0 ? 1 : 0) << "a segment is mapped once";
  }
  const auto inside = log->locate(7, {.max_bytes = 100'000}).value();
  EXPECT_EQ(base::as_text(PartitionLog::map(inside)), base::as_text(all).substr(inside.position, inside.bytes));
  const auto mapped = PartitionLog::map(pinned);
  ASSERT_TRUE(log->close());
  EXPECT_TRUE(std::ranges::equal(mapped, all)) << "a pinned segment stays readable";
}

// Fails if bytes are sent that nobody has checked, or zeros in place of what someone else has cut off.
TEST(PartitionLog, WhatCannotBeMappedIsRead) {
  const TemporaryDirectory directory;
  {
    const auto log = open_log(directory.path());
    append(*log, make_batch(0, 1, 50'000));
    append(*log, make_batch(1, 1, 100));
    EXPECT_FALSE(PartitionLog::map(log->locate(0, {}).value()).empty());
    EXPECT_TRUE(PartitionLog::map(log->locate(1, {}).value()).empty()) << "small: a copy costs less";
    fs::resize_file(directory.path() / Segment::file_name(0), 40'000);
    const auto cut = log->locate(0, {}).value();
    EXPECT_TRUE(PartitionLog::map(cut).empty());
    Batch bytes(cut.bytes);
    EXPECT_EQ(PartitionLog::read_into(cut, bytes).error().fault, StorageFault::corrupt);
  }
  const TemporaryDirectory other;
  std::int64_t end = 0;
  {
    const auto log = open_log(other.path());
    append(*log, make_batch(0, 1, 50'000));
    ASSERT_TRUE(log->close());
    end = log->end_offset();
  }
  const auto log =
      PartitionLog::open(other.path(), {}, {.after_clean_stop = true, .recovery_point = end}, kNow).value();
  EXPECT_TRUE(PartitionLog::map(log->locate(0, {}).value()).empty()) << "unchecked";
}

// Fails if a large range that is not in memory is sent from a mapping: whoever sends it would wait for the disk.
TEST(PartitionLog, WhatIsNotInMemoryIsNotMapped) {
  const TemporaryDirectory directory;
  const auto nothing_there = [](FileCall call) { return call == FileCall::mincore ? ENOMEM : 0; };
  const auto log = open_log(directory.path(), {.hooks = {.fail = nothing_there}});
  append(*log, make_batch(0, 1, 50'000));
  const auto location = log->locate(0, {}).value();
  EXPECT_TRUE(PartitionLog::map(location).empty());
  Batch bytes(location.bytes);
  EXPECT_EQ(PartitionLog::read_into(location, bytes).value(), bytes.size());
}

// Fails if a log reads ahead that must not, or the other way round.
TEST(PartitionLog, ReadsAheadUnlessItIsToldNotTo) {
  for (const bool read_ahead : {true, false}) {
    const TemporaryDirectory directory;
    for (const std::string when : {"created", "opened"}) {
      CallCounts::reset();
      const auto log = open_log(directory.path(), {.read_ahead = read_ahead, .hooks = {.count = CallCounts::count}});
      EXPECT_EQ(CallCounts::of(FileCall::fadvise64), read_ahead ? 0 : 1) << when;
      append(*log, make_batch(log->end_offset(), 1, 100));
      ASSERT_TRUE(log->close());
    }
  }
}

}  // namespace
}  // namespace iolab::storage
