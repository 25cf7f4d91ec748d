// The base: bytes, checksum, and the buffer that is sent without being copied together.
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "broker/base/crc32c.h"
#include "broker/base/gather_buffer.h"
#include "broker/base/log.h"

namespace iolab::base {
namespace {

TEST(Crc32c, GivesThePublishedValues) {
  // A failure here means that no Kafka client would believe our checksums. Values: RFC 3720 appendix B.4.
  const std::vector<std::byte> zeros(32), ones(32, std::byte{0xff});
  EXPECT_EQ(crc32c(zeros), 0x8a9136aau);
  EXPECT_EQ(crc32c(ones), 0x62a8ab43u);
  EXPECT_EQ(crc32c(as_bytes("123456789")), 0xe3069283u);
  EXPECT_EQ(crc32c({}), 0u);
  EXPECT_EQ(crc32c(as_bytes("6789"), crc32c(as_bytes("12345"))), 0xe3069283u);
}

TEST(Bytes, IntegersAreBigEndian) {
  // A failure here would garble every integer on the wire.
  std::byte raw[8];
  store_big_endian(raw, std::int32_t{0x01020304});
  EXPECT_EQ(raw[0], std::byte{1});
  EXPECT_EQ(raw[3], std::byte{4});
  EXPECT_EQ(load_big_endian<std::int16_t>(raw + 2), 0x0304);
  store_big_endian(raw, std::int64_t{-2});
  EXPECT_EQ(load_big_endian<std::int64_t>(raw), -2);
}

TEST(GatherBuffer, HandsOutWhatWasPutInFromAnyPlaceOn) {
  // A failure here sends bytes twice, loses some or changes their order after a partial write.
  std::mt19937_64 random(1);
  for (int round = 0; round < 30; ++round) {
    GatherBuffer buffer;
    std::string expected;
    for (int i = 0; i < 12; ++i) {
      const std::size_t size = random() % (random() % 2 ? 10 : 3 * GatherBuffer::kAttachFromBytes);
      const auto owned = std::make_shared<std::string>(size, static_cast<char>('a' + i));
      expected += *owned;
      if (random() % 2) {
        buffer.append(as_bytes(*owned));
      } else {
        buffer.attach(as_bytes(*owned), owned);
      }
    }
    ASSERT_EQ(buffer.size(), expected.size());
    ASSERT_EQ(as_text(buffer.flat()), expected);
    for (std::size_t skip = 0; skip <= expected.size(); skip += 1 + random() % 900) {
      std::string seen;
      buffer.for_each_piece(skip, [&](Bytes piece) {
        EXPECT_FALSE(piece.empty());
        seen += as_text(piece);
      });
      ASSERT_EQ(seen, expected.substr(skip)) << "skipped " << skip;
    }
  }
}

TEST(GatherBuffer, AttachesLargePiecesAndKeepsThemAlive) {
  // A failure here is a copy of every fetched record, or a use of memory that is gone.
  GatherBuffer buffer;
  auto records = std::make_shared<std::vector<std::byte>>(5000, std::byte{7});
  const std::byte* const where = records->data();
  buffer.append(as_bytes("head"));
  buffer.attach(*records, records);
  buffer.append(as_bytes("tail"));
  std::weak_ptr<std::vector<std::byte>> watched = records;
  records.reset();
  std::vector<const std::byte*> starts;
  buffer.for_each_piece(0, [&](Bytes piece) { starts.push_back(piece.data()); });
  ASSERT_EQ(starts.size(), 3u);
  EXPECT_EQ(starts[1], where);
  EXPECT_FALSE(watched.expired());
  buffer.clear();
  EXPECT_TRUE(watched.expired());
}

TEST(GatherBuffer, ForgetsWhatFollowsAMark) {
  // A failure here leaves half of a frame that could not be expressed in front of the next one.
  GatherBuffer buffer;
  const std::vector<std::byte> large(3000, std::byte{1});
  buffer.append(as_bytes("keep"));
  buffer.attach(large, {});
  const auto mark = buffer.mark();
  const auto before = buffer.flat();
  buffer.append_big_endian(std::int32_t{0});
  buffer.attach(large, {});
  buffer.append(as_bytes("xy"));
  EXPECT_EQ(buffer.size_since(mark), 4u + 3000 + 2);
  buffer.rewind(mark);
  EXPECT_EQ(buffer.flat(), before);
  EXPECT_EQ(buffer.size(), before.size());
  buffer.append_big_endian(std::int32_t{0});
  buffer.patch_big_endian(mark, std::int32_t{0x41424344});
  EXPECT_TRUE(as_text(buffer.flat()).ends_with("ABCD"));
}

TEST(Log, PairsFitOneLine) {
  // A failure here lets a name that a peer chose forge a second line of the diary.
  EXPECT_EQ(log::Pair("topic", "orders").value, "orders");
  EXPECT_EQ(log::Pair("topic", "a b").value, "\"a b\"");
  EXPECT_EQ(log::Pair("topic", "").value, "\"\"");
  EXPECT_EQ(log::Pair("topic", "a\nb\"c").value, "\"a?b\\\"c\"");
  EXPECT_EQ(log::Pair("offset", 12).value, "12");
  EXPECT_EQ(log::Pair("clean", true).value, "true");
}

TEST(Log, WritesToStderr) {
  // A failure here hides the diary, or mixes it into stdout, whose first line others read.
  testing::internal::CaptureStderr();
  testing::internal::CaptureStdout();
  log::info("partition recovered", {{"partition", "orders-3"}, {"from_offset", 120}});
  log::set_level(log::Level::error);
  log::warning("not shown");
  log::set_level(log::Level::info);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  const std::string line = testing::internal::GetCapturedStderr();
  EXPECT_NE(line.find("info partition recovered partition=orders-3 from_offset=120"), std::string::npos) << line;
  EXPECT_EQ(line.find("not shown"), std::string::npos);
}

}  // namespace
}  // namespace iolab::base
