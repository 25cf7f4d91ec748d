// Record batches: what is built is read back, whatever the codec; what is damaged, counted wrongly or of an old format
// is refused; what unfolds to too much is stopped in time.
#include "broker/protocol/record_batch.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <string>

#include "broker/base/crc32c.h"
#include "broker/protocol/batch_builder.h"
#include "broker/protocol/varint.h"

namespace iolab::protocol {
namespace {

using base::as_bytes;
using base::Bytes;
using Batch = std::vector<std::byte>;

constexpr Compression kCodecs[] = {Compression::none, Compression::gzip, Compression::snappy, Compression::lz4,
                                   Compression::zstd};

// What a record was, in memory of its own.
struct Wanted {
  std::int64_t timestamp_ms = 0;
  std::optional<std::string> key, value;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;
  bool operator==(const Wanted&) const = default;
};

std::optional<Bytes> view(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  return as_bytes(*text);
}
std::optional<std::string> text(const std::optional<Bytes>& bytes) {
  if (!bytes) return std::nullopt;
  return std::string(base::as_text(*bytes));
}

Batch build(const std::vector<Wanted>& records, const BatchBuilder::Settings& settings) {
  BatchBuilder builder(settings);
  for (const Wanted& record : records) {
    std::vector<RecordHeader> headers;
    for (const auto& [key, value] : record.headers) headers.push_back({as_bytes(key), view(value)});
    const BatchBuilder::Entry entry{record.timestamp_ms, view(record.key), view(record.value), headers};
    const std::size_t before = builder.size_bytes();
    builder.add(entry);
    EXPECT_LE(builder.size_bytes() - before, BatchBuilder::most_bytes_of(entry));
  }
  return builder.finish();
}

std::vector<Wanted> read(const BatchView& batch, const DecompressionLimits& limits = {}) {
  std::vector<Wanted> records;
  RecordReader reader(batch, limits);
  while (const Record* record = reader.next()) {
    Wanted& kept = records.emplace_back();
    kept = {record->timestamp_ms, text(record->key), text(record->value), {}};
    for (const RecordHeader& header : record->headers) {
      kept.headers.emplace_back(std::string(base::as_text(header.key)), text(header.value));
    }
    EXPECT_EQ(record->offset, batch.base_offset() + static_cast<std::int64_t>(records.size()) - 1);
  }
  EXPECT_FALSE(reader.fault()) << reader.fault()->reason;
  return records;
}

std::vector<Wanted> invent(std::uint64_t seed, std::size_t count, std::size_t most_value_bytes) {
  std::mt19937_64 random(seed);
  const auto word = [&](std::size_t most) {
    std::string made(random() % (most + 1), '\0');
    for (char& c : made) c = static_cast<char>('a' + random() % 7);
    return made;
  };
  std::vector<Wanted> records(count);
  for (Wanted& record : records) {
    record.timestamp_ms = static_cast<std::int64_t>(1'700'000'000'000 + random() % 100'000);
    if (random() % 3 != 0) record.key = word(12);
    if (random() % 5 != 0) record.value = word(most_value_bytes);
    for (std::size_t i = random() % 3; i > 0; --i) {
      record.headers.emplace_back(word(5), random() % 2 ? std::optional(word(9)) : std::nullopt);
    }
  }
  return records;
}

void seal(Batch& batch) {
  base::store_big_endian(batch.data() + 17, base::crc32c(Bytes(batch).subspan(21)));
}

template <class T>
Batch changed(Batch batch, std::size_t offset, T value) {
  base::store_big_endian(batch.data() + offset, value);
  seal(batch);
  return batch;
}

ErrorCode refusal(Bytes records) {
  const auto batch = check_produced(records);
  return batch ? ErrorCode::none : batch.error().code;
}

TEST(RecordBatch, ReadsBackWhatItBuilds) {
  // A failure here shows a codec, or a kind of key, value or header, that comes back different.
  for (const Compression codec : kCodecs) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      SCOPED_TRACE(std::string(name(codec)) + " seed " + std::to_string(seed));
      const auto wanted = invent(seed, 1 + seed * seed, seed % 4 == 0 ? 200'000 / seed : 60);
      const Batch batch = build(wanted, {.compression = codec});
      const auto checked = check_produced(batch);
      ASSERT_TRUE(checked.has_value()) << checked.error().reason;
      EXPECT_EQ(checked->compression(), codec);
      EXPECT_EQ(checked->records_count(), static_cast<std::int32_t>(wanted.size()));
      EXPECT_TRUE(check_records(*checked).has_value()) << check_records(*checked).error().reason;
      EXPECT_EQ(read(*checked), wanted);
    }
  }
}

TEST(RecordBatch, KeepsItsFields) {
  // A failure here names the field whose place in the header is wrong.
  Batch batch = build({{.timestamp_ms = 1000, .value = "a"}, {.timestamp_ms = 900, .value = "b"}},
                      {.producer_id = 77, .producer_epoch = 3, .base_sequence = 2147483647, .transactional = true});
  set_base_offset(batch, 123'456'789'012);
  set_leader_epoch(batch, 9);
  const auto view = check_produced(batch);
  ASSERT_TRUE(view.has_value()) << view.error().reason;  // neither change needed a new checksum
  EXPECT_EQ(view->base_offset(), 123'456'789'012);
  EXPECT_EQ(view->last_offset(), 123'456'789'013);
  EXPECT_EQ(view->leader_epoch(), 9);
  EXPECT_EQ(view->base_timestamp(), 1000);
  EXPECT_EQ(view->max_timestamp(), 1000);
  EXPECT_EQ(view->producer_id(), 77);
  EXPECT_EQ(view->producer_epoch(), 3);
  EXPECT_EQ(view->base_sequence(), 2147483647);
  EXPECT_EQ(view->last_sequence(), 0);  // after the largest comes 0
  EXPECT_TRUE(view->is_transactional());
  EXPECT_FALSE(view->is_control());
  EXPECT_EQ(read(*view)[1].timestamp_ms, 900);

  const auto start = changed_start(*view, 5, 6);
  EXPECT_EQ(base::load_big_endian<std::int64_t>(start.data()), 5);
  EXPECT_EQ(base::load_big_endian<std::int32_t>(start.data() + 12), 6);
  EXPECT_TRUE(std::equal(start.begin() + 8, start.begin() + 12, batch.begin() + 8));
}

TEST(RecordBatch, LogAppendTimeIsEveryRecordsTime) {
  // A failure here means that a broker's stamp breaks the checksum or is not what consumers see.
  Batch batch = build(invent(3, 4, 30), {});
  set_log_append_time(batch, 4242);
  const auto view = first_batch(batch);
  ASSERT_TRUE(view.has_value());
  EXPECT_TRUE(check_stored(*view).has_value());
  for (const Wanted& record : read(*view)) EXPECT_EQ(record.timestamp_ms, 4242);
  EXPECT_EQ(refusal(batch), ErrorCode::invalid_timestamp);  // but no producer may set it
}

TEST(RecordBatch, RefusesEveryFlippedBit) {
  // A failure here names a bit whose change nothing notices. Base offset and leader epoch are the broker's to set.
  const Batch sound = build(invent(1, 5, 20), {.compression = Compression::lz4});
  ASSERT_EQ(refusal(sound), ErrorCode::none);
  for (std::size_t byte = 8; byte < sound.size(); ++byte) {
    if (byte >= 12 && byte < 16) continue;
    for (int bit = 0; bit < 8; ++bit) {
      Batch damaged = sound;
      damaged[byte] ^= static_cast<std::byte>(1 << bit);
      EXPECT_NE(refusal(damaged), ErrorCode::none) << "byte " << byte << " bit " << bit;
    }
  }
}

TEST(RecordBatch, RefusesWhatAClientMayNotSend) {
  // A failure here names a batch that Kafka refuses and we take, or one with another code than Kafka's.
  const Batch sound = build(invent(2, 3, 20), {});
  Batch two = sound;
  two.insert(two.end(), sound.begin(), sound.end());
  EXPECT_EQ(refusal(two), ErrorCode::invalid_record);
  EXPECT_EQ(refusal({}), ErrorCode::invalid_record);
  EXPECT_EQ(refusal(Bytes(sound).first(sound.size() - 1)), ErrorCode::corrupt_message);
  EXPECT_EQ(refusal(Bytes(sound).first(16)), ErrorCode::corrupt_message);
  EXPECT_EQ(refusal(changed<std::int8_t>(sound, 16, 1)), ErrorCode::invalid_record);  // old format
  EXPECT_EQ(refusal(changed<std::int8_t>(sound, 16, 0)), ErrorCode::invalid_record);
  EXPECT_EQ(refusal(changed<std::int8_t>(sound, 16, 3)), ErrorCode::corrupt_message);
  EXPECT_EQ(refusal(changed<std::int32_t>(sound, 8, 48)), ErrorCode::corrupt_message);  // length under header
  EXPECT_EQ(refusal(changed<std::int32_t>(sound, 8, -1)), ErrorCode::corrupt_message);
  EXPECT_EQ(refusal(changed<std::int32_t>(sound, 8, 0x7fffffff)), ErrorCode::corrupt_message);
  EXPECT_EQ(refusal(changed<std::int16_t>(sound, 21, 0x20)), ErrorCode::invalid_record);  // control batch
  EXPECT_EQ(refusal(changed<std::int16_t>(sound, 21, 5)), ErrorCode::unsupported_compression_type);
  EXPECT_EQ(refusal(changed<std::int16_t>(sound, 21, 0x10)), ErrorCode::invalid_record);  // no producer
  for (const std::int32_t count : {0, -1, 2, 4, 0x7fffffff}) {
    EXPECT_EQ(refusal(changed<std::int32_t>(sound, 57, count)), ErrorCode::invalid_record) << count;
    EXPECT_EQ(refusal(changed<std::int32_t>(sound, 23, count)),
              count == 2 ? ErrorCode::none : ErrorCode::invalid_record);
  }
  EXPECT_EQ(refusal(changed<std::int64_t>(sound, 35, 5)), ErrorCode::invalid_timestamp);  // largest below the first
  EXPECT_EQ(refusal(changed<std::int64_t>(sound, 43, 7)), ErrorCode::invalid_record);     // producer without sequence
}

// A batch around record bytes of our own making.
Batch around(Bytes records, std::int32_t count, Compression codec = Compression::none) {
  Batch batch = build({{.timestamp_ms = 0, .value = ""}}, {.compression = codec});
  batch.resize(kBatchHeaderBytes);
  batch.insert(batch.end(), records.begin(), records.end());
  base::store_big_endian(batch.data() + 8, static_cast<std::int32_t>(batch.size() - kBatchPrefixBytes));
  base::store_big_endian(batch.data() + 23, count - 1);
  base::store_big_endian(batch.data() + 57, count);
  seal(batch);
  return batch;
}

bool records_pass(const Batch& batch, const DecompressionLimits& limits = {}) {
  const auto view = check_produced(batch);
  EXPECT_TRUE(view.has_value()) << "meant to fail only inside its records: " << view.error().reason;
  return view && check_records(*view, limits).has_value();
}

Batch record_of(std::initializer_list<int> body) {
  Batch record;
  append_varlong(record, static_cast<std::int64_t>(body.size()));
  for (const int byte : body) record.push_back(static_cast<std::byte>(byte));
  return record;
}

TEST(RecordBatch, RefusesRecordsThatDoNotFitTheirFields) {
  // A failure here names a malformed record that is taken for a sound one. 01 is -1, 02 is 1, and so on (zig-zag).
  EXPECT_TRUE(records_pass(around(record_of({0, 0, 0, 1, 1, 0}), 1)));
  EXPECT_FALSE(records_pass(around(record_of({0, 0, 2, 1, 1, 0}), 1)));  // offset delta 1 comes first
  // Later than the largest timestamp that the batch declares: not refused, but said, and set right by who appends it.
  const Batch late = around(record_of({0, 2, 0, 1, 1, 0}), 1);
  const auto late_view = check_produced(late);
  ASSERT_TRUE(late_view.has_value());
  EXPECT_EQ(check_records(*late_view), late_view->base_timestamp() + 1);
  Batch right = late;
  set_max_timestamp(right, late_view->base_timestamp() + 1);
  EXPECT_TRUE(check_produced(right).has_value());
  EXPECT_FALSE(records_pass(around(record_of({0, 0, 0, 1, 1, 0, 0}), 1)));     // a byte left over in the record
  EXPECT_FALSE(records_pass(around(record_of({0, 0, 0, 1, 1}), 1)));           // no count of headers
  EXPECT_FALSE(records_pass(around(record_of({0, 0, 0, 3, 1, 0}), 1)));        // a key of length -2
  EXPECT_FALSE(records_pass(around(record_of({0, 0, 0, 20, 1, 0}), 1)));       // a key longer than the record
  EXPECT_FALSE(records_pass(around(record_of({0, 0, 0, 1, 1, 1}), 1)));        // -1 headers
  EXPECT_FALSE(records_pass(around(record_of({0, 0, 0, 1, 1, 2, 1, 1}), 1)));  // a header whose key is null
  EXPECT_TRUE(records_pass(around(record_of({0, 0, 0, 1, 1, 2, 0, 1}), 1)));   // an empty key, a null value
  EXPECT_FALSE(records_pass(around(record_of({0, 0, 0, 1, 1, 0x80, 0x80, 0x80, 0x80, 0x10}), 1)));     // 33 bits
  EXPECT_FALSE(records_pass(around(record_of({0, 0, 0, 1, 1, 0x80, 0x80, 0x80, 0x80, 0x80, 0}), 1)));  // six bytes
  EXPECT_FALSE(records_pass(around(record_of({0, 0, 0, 1, 1, 0xfe, 0xff, 0xff, 0xff, 0x0f}), 1)));     // 2^31-1 headers
  EXPECT_FALSE(records_pass(around(as_bytes("\xfe\xff\xff\xff\x0f"), 1)));  // a record of 2^31-1 bytes
  EXPECT_FALSE(records_pass(around({}, 1)));                                // fewer records than declared
  Batch two = record_of({0, 0, 0, 1, 1, 0});
  EXPECT_FALSE(records_pass(around(two, 0x7fffffff)));
  two.insert(two.end(), two.begin(), two.end());
  EXPECT_FALSE(records_pass(around(two, 1)));  // more than declared
  EXPECT_FALSE(records_pass(around(two, 2)));  // both with offset 0
}

TEST(RecordBatch, StopsUnfoldingAtTheLimit) {
  // A failure here is a decompression bomb: a small batch that costs more memory or time than was allowed.
  const std::string zeros(30u << 20, '\0');
  for (const Compression codec : {Compression::gzip, Compression::snappy, Compression::lz4, Compression::zstd}) {
    SCOPED_TRACE(std::string(name(codec)));
    const Batch bomb = build({{.timestamp_ms = 1, .value = zeros}}, {.compression = codec});
    EXPECT_LT(bomb.size(), 3u << 20);
    EXPECT_FALSE(records_pass(bomb, {.plain_bytes = 16u << 20}));
    EXPECT_TRUE(records_pass(bomb, {.plain_bytes = 40u << 20, .ratio = 100'000}));
    if (codec == Compression::zstd) {
      EXPECT_FALSE(records_pass(bomb, {.ratio = 256, .floor_bytes = 1u << 20}));
    }
  }
}

TEST(RecordBatch, RefusesDamagedCompressedBytes) {
  // A failure here is a codec that hands out bytes which were never put in, or a crash in its library.
  for (const Compression codec : {Compression::gzip, Compression::snappy, Compression::lz4, Compression::zstd}) {
    SCOPED_TRACE(std::string(name(codec)));
    const auto wanted = invent(5, 40, 50);
    const Batch sound = build(wanted, {.compression = codec});
    for (std::size_t cut = kBatchHeaderBytes; cut < sound.size(); ++cut) {
      Batch damaged(sound.begin(), sound.begin() + static_cast<std::ptrdiff_t>(cut));
      base::store_big_endian(damaged.data() + 8, static_cast<std::int32_t>(cut - kBatchPrefixBytes));
      seal(damaged);
      ASSERT_FALSE(records_pass(damaged)) << "cut at " << cut << " of " << sound.size();
    }
    for (std::size_t byte = kBatchHeaderBytes; byte < sound.size(); ++byte) {
      Batch damaged = sound;
      damaged[byte] ^= std::byte{0x55};
      seal(damaged);
      RecordReader reader(*first_batch(damaged));
      std::size_t count = 0;
      while (reader.next() != nullptr) ++count;
      ASSERT_LE(count, wanted.size());
    }
  }
}

TEST(RecordBatch, ReadsPlainSnappyToo) {
  // A failure here means that clients which do not write Java's framing (librdkafka, Go) cannot be read. The bytes are
  // a plain snappy block by hand: length 7, then one literal of 7 bytes.
  const Batch record = record_of({0, 0, 0, 1, 1, 0});
  Batch block = {std::byte{7}, std::byte{6 << 2}};
  block.insert(block.end(), record.begin(), record.end());
  EXPECT_TRUE(records_pass(around(block, 1, Compression::snappy)));
  block[0] = std::byte{0xff};  // declares far more than its bytes can hold
  block.insert(block.begin() + 1, {std::byte{0xff}, std::byte{0xff}, std::byte{0x07}});
  EXPECT_FALSE(records_pass(around(block, 1, Compression::snappy)));
}

TEST(RecordBatch, TimestampsMayWrapAround) {
  // A failure here is undefined behaviour that a stranger's timestamps can cause (UBSan shows it).
  constexpr std::int64_t kFirst = std::numeric_limits<std::int64_t>::min() + 1;
  const std::vector<Wanted> wanted = {{.timestamp_ms = kFirst, .value = "a"},
                                      {.timestamp_ms = std::numeric_limits<std::int64_t>::max(), .value = "b"}};
  const Batch batch = build(wanted, {});
  const auto checked = check_produced(batch);
  ASSERT_TRUE(checked.has_value()) << checked.error().reason;
  EXPECT_EQ(read(*checked), wanted);
}

TEST(RecordBatch, CompressionHasKafkasNames) {
  // A failure here would make `compression.type` read differently from Kafka's.
  for (const Compression codec : kCodecs) EXPECT_EQ(compression_named(name(codec)), codec);
  EXPECT_EQ(compression_named("brotli"), std::nullopt);
}

}  // namespace
}  // namespace iolab::protocol
