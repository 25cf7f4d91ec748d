// Batches written anew: a failure here means that compaction or a change of codec changes more than it should.
#include "broker/protocol/batch_rewriter.h"

#include <gtest/gtest.h>

#include <string>

#include "broker/protocol/batch_builder.h"

namespace iolab::protocol {
namespace {

std::vector<std::byte> batch_of(int records, Compression codec) {
  BatchBuilder builder(
      {.compression = codec, .producer_id = 7, .producer_epoch = 3, .base_sequence = 40, .transactional = true});
  const std::array<RecordHeader, 2> headers{RecordHeader{base::as_bytes("a"), base::as_bytes("b")},
                                            RecordHeader{base::as_bytes("none"), std::nullopt}};
  for (int i = 0; i < records; ++i) {
    const std::string key = "key-" + std::to_string(i);
    const std::string value(static_cast<std::size_t>(50 * i), 'x');
    BatchBuilder::Entry entry{.timestamp_ms = 1000 - i, .key = base::as_bytes(key), .value = {}, .headers = headers};
    if (i % 3 != 0) entry.value = base::as_bytes(value);
    builder.add(entry);
  }
  std::vector<std::byte> batch = builder.finish();
  set_base_offset(batch, 500);
  set_leader_epoch(batch, 2);
  return batch;
}

struct Copy {
  std::int64_t offset, timestamp_ms;
  std::string key, value;
  std::size_t headers;

  bool operator==(const Copy&) const = default;
};

std::vector<Copy> records_of(const BatchView& batch) {
  std::vector<Copy> copies;
  RecordReader reader(batch);
  while (const Record* record = reader.next()) {
    copies.push_back({record->offset, record->timestamp_ms, std::string(base::as_text(*record->key)),
                      record->value ? std::string(base::as_text(*record->value)) : "(null)", record->headers.size()});
  }
  EXPECT_FALSE(reader.fault());
  return copies;
}

TEST(BatchRewriter, KeepsWhatIsKeptAsItWas) {
  SCOPED_TRACE("a record that stays, or what says whose the batch is and where, comes out changed");
  for (int codec = 0; codec < kCompressionCount; ++codec) {
    for (const bool horizon : {false, true}) {
      const auto bytes = batch_of(10, static_cast<Compression>(codec));
      const BatchView before = first_batch(bytes).value();
      BatchRewriter rewriter(before, horizon ? std::optional<std::int64_t>(1'700'000'000'000) : std::nullopt);
      EXPECT_TRUE(rewriter.empty());
      RecordReader reader(before);
      std::vector<Copy> expected;
      while (const Record* record = reader.next()) {
        if (record->offset % 2 == 0 || record->offset < 503) continue;
        rewriter.keep(*record);
        expected.push_back(records_of(before)[static_cast<std::size_t>(record->offset - 500)]);
      }
      const auto written = rewriter.finish();
      const BatchView after = first_batch(written).value();
      EXPECT_TRUE(check_stored(after));
      EXPECT_EQ(after.size(), written.size());
      EXPECT_EQ(records_of(after), expected);
      EXPECT_EQ(after.records_count(), std::ssize(expected));
      EXPECT_EQ(after.base_offset(), 500);
      EXPECT_EQ(after.last_offset(), 509);
      EXPECT_EQ(after.last_sequence(), 49);
      EXPECT_EQ(after.leader_epoch(), 2);
      EXPECT_EQ(after.producer_id(), 7);
      EXPECT_EQ(after.producer_epoch(), 3);
      EXPECT_TRUE(after.is_transactional());
      EXPECT_EQ(after.compression(), before.compression());
      EXPECT_EQ(after.max_timestamp(), 997);
      EXPECT_EQ(after.has_delete_horizon(), horizon);
      EXPECT_EQ(after.base_timestamp(), horizon ? 1'700'000'000'000 : 1000);
    }
  }
}

TEST(BatchRewriter, AnotherCodecChangesNothingElse) {
  SCOPED_TRACE("compressing a batch anew changes its records or its header");
  for (int from = 0; from < kCompressionCount; ++from) {
    for (int to = 0; to < kCompressionCount; ++to) {
      const auto bytes = batch_of(30, static_cast<Compression>(from));
      const BatchView before = first_batch(bytes).value();
      const auto written = recompress(before, static_cast<Compression>(to));
      ASSERT_TRUE(written);
      const BatchView after = first_batch(*written).value();
      EXPECT_TRUE(check_stored(after));
      EXPECT_EQ(after.compression(), static_cast<Compression>(to));
      EXPECT_EQ(records_of(after), records_of(before));
      EXPECT_EQ(after.base_sequence(), 40);
      EXPECT_TRUE(after.is_transactional());
      EXPECT_EQ(after.max_timestamp(), before.max_timestamp());
    }
  }
}

TEST(BatchRewriter, WhatUnfoldsTooFarIsRefused) {
  SCOPED_TRACE("a small batch may unfold to any size, because the broker compresses it anew");
  BatchBuilder builder({.compression = Compression::zstd});
  const std::string value(1 << 20, 'x');
  builder.add({.timestamp_ms = 0, .key = {}, .value = base::as_bytes(value), .headers = {}});
  const auto bytes = builder.finish();
  const auto refused = recompress(first_batch(bytes).value(), Compression::none,
                                  {.plain_bytes = 1 << 18, .ratio = 10, .floor_bytes = 1000});
  EXPECT_FALSE(refused);
}

}  // namespace
}  // namespace iolab::protocol
