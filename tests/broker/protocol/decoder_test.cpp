// What a stranger may send: sizes that lie, numbers that do not end, nulls where none may be, tags by the million. The
// decoder says no, cheaply: what it allocates follows from the bytes that exist.
#include "broker/protocol/decoder.h"

#include <gtest/gtest.h>

#include "broker/protocol/frame.h"
#include "tests/broker/base/allocations.h"
#include "tests/broker/protocol/every_message.h"

namespace iolab::protocol {
namespace {

std::vector<std::byte> bytes_of(std::initializer_list<int> values) {
  std::vector<std::byte> bytes;
  for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

template <Struct M>
std::string fault_of(base::Bytes body, std::int16_t version, DecodeLimits limits = {}) {
  const auto message = read_request_body<M>(body, version, limits);
  return message ? "none" : message.error().sentence();
}

TEST(Decoder, CountsThatLieAllocateNothing) {
  // A failure here is a way to make the broker allocate gigabytes with ten bytes.
  const auto metadata = bytes_of({0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0});
  const auto compact = bytes_of({0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0, 0, 0});
  const auto text = bytes_of({0x7f, 0xff, 'a', 'b', 'c', 0, 0, 0, 0, 0});
  const auto records = bytes_of({0xff, 0xff, 0, 1, 0,    0,    0,    0,    0, 0, 0, 1, 0, 1, 't', 0, 0, 0, 1,  //
                                 0,    0,    0, 0, 0x7f, 0xff, 0xff, 0xff, 1, 2, 3});
  test::largest_allocation() = 0;
  EXPECT_FALSE(read_request_body<MetadataRequest>(metadata, 1));
  EXPECT_FALSE(read_request_body<MetadataRequest>(compact, 12));
  EXPECT_FALSE(read_request_body<InitProducerIdRequest>(text, 0));
  EXPECT_FALSE(read_request_body<ProduceRequest>(records, 3));
  EXPECT_LT(test::largest_allocation(), 512u);
  EXPECT_EQ(fault_of<MetadataRequest>(metadata, 1), "topics: more elements than the message has bytes for (at byte 4)");
}

TEST(Decoder, ManySmallElementsAreBounded) {
  // A failure here turns a frame of honest but tiny elements into twenty times its size in memory.
  std::vector<std::byte> many(2u << 20);
  base::store_big_endian(many.data(), static_cast<std::int32_t>(1u << 19));  // half a million topics of empty name
  test::largest_allocation() = 0;
  EXPECT_NE(fault_of<MetadataRequest>(many, 4, {.element_bytes = 1u << 20}).find("more elements than a message may"),
            std::string::npos);
  EXPECT_LT(test::largest_allocation(), 1u << 20);
}

TEST(Decoder, AnyNumberOfTagsIsCheap) {
  // A failure here hangs (the test runs into its time limit): a frame's tags must never cost more than a walk over
  // them.
  std::vector<std::byte> body(40u << 20);
  const auto start = bytes_of({1, 1, 0x80, 0xda, 0xc4, 0x09});  // two empty strings, then 20,000,000 tags
  std::copy(start.begin(), start.end(), body.begin());
  EXPECT_NE(fault_of<ApiVersionsRequest>(body, 3).find("more tagged fields than are believed"), std::string::npos);
  const auto header = bytes_of({0, 18, 0, 3, 0, 0, 0, 1, 0xff, 0xff, 0x80, 0xda, 0xc4, 0x09});  // 20,000,000 tags again
  std::copy(header.begin(), header.end(), body.begin());
  EXPECT_FALSE(read_request_header(body, true).has_value());
}

TEST(Decoder, SkipsUnknownTagsAndReadsKnownOnes) {
  // A failure here breaks clients that are newer than this broker.
  base::GatherBuffer out;
  Encoder encoder(out, 12, true);
  FetchRequest request{.cluster_id = "here", .max_wait_ms = 5};
  encoder.message(request);
  auto body = out.flat();
  ASSERT_EQ(std::to_integer<int>(body[body.size() - 8]), 1);  // one tag: number 0, 5 bytes, "here" with its length
  body[body.size() - 8] = std::byte{3};
  const auto unknown = bytes_of({5, 3, 9, 9, 9, 0x80, 0x01, 0});  // tag 5 with three bytes, tag 128 with none
  body.insert(body.end(), unknown.begin(), unknown.end());
  const auto read = read_request_body<FetchRequest>(body, 12);
  ASSERT_TRUE(read.has_value()) << read.error().sentence();
  EXPECT_EQ(*read, request);
}

TEST(Decoder, RefusesTagsThatLie) {
  // A failure here lets a tag read past its own bytes, or set a field twice.
  const auto with_tags = [](std::initializer_list<int> tags) {
    auto body = bytes_of({1, 1});
    const auto more = bytes_of(tags);
    body.insert(body.end(), more.begin(), more.end());
    return body;
  };
  const auto response = [](std::initializer_list<int> tags) {
    auto body = bytes_of({0, 0, 1, 0, 0, 0, 0});  // ApiVersions response: no error, no keys, no throttling
    const auto more = bytes_of(tags);
    body.insert(body.end(), more.begin(), more.end());
    return decode<ApiVersionsResponse>(body, 3, true);
  };
  EXPECT_EQ(fault_of<ApiVersionsRequest>(with_tags({1, 7, 0}), 3), "none");
  EXPECT_EQ(fault_of<ApiVersionsRequest>(with_tags({2, 7, 0, 9, 1, 42}), 3), "none");
  EXPECT_NE(fault_of<ApiVersionsRequest>(with_tags({2, 7, 0, 7, 0}), 3).find("ascend"), std::string::npos);
  EXPECT_NE(fault_of<ApiVersionsRequest>(with_tags({2, 7, 0, 3, 0}), 3).find("ascend"), std::string::npos);
  EXPECT_NE(fault_of<ApiVersionsRequest>(with_tags({1, 7, 2, 0}), 3).find("longer than"), std::string::npos);
  EXPECT_FALSE(decode<ApiVersionsRequest>(with_tags({1, 7, 0, 0}), 3, true));  // a byte is left over
  ASSERT_TRUE(response({1, 3, 1, 1}));
  EXPECT_TRUE(response({1, 3, 1, 1})->zk_migration_ready);
  EXPECT_FALSE(response({1, 3, 2, 1, 1}));                    // a bool of two bytes
  EXPECT_FALSE(response({1, 1, 4, 0, 0, 0, 0}));              // a 64-bit number in four bytes
  EXPECT_FALSE(response({1, 1, 4, 0, 0, 0, 0, 0, 0, 0, 0}));  // which may not borrow from what follows
}

TEST(Decoder, RefusesNumbersThatDoNotEnd) {
  // A failure here reads a length that no client can have meant.
  const auto number = [](std::initializer_list<int> raw) {
    const auto bytes = bytes_of(raw);
    Decoder decoder(bytes, 0, true);
    const std::uint32_t value = decoder.varint();
    return decoder.ok() ? std::int64_t{value} : -1;
  };
  EXPECT_EQ(number({0}), 0);
  EXPECT_EQ(number({0xff, 0x01}), 255);
  EXPECT_EQ(number({0xff, 0xff, 0xff, 0xff, 0x0f}), 0xffffffff);
  EXPECT_EQ(number({0xff, 0xff, 0xff, 0xff, 0x10}), -1);        // 33 bits
  EXPECT_EQ(number({0x80, 0x80, 0x80, 0x80, 0x80, 0x00}), -1);  // six bytes
  EXPECT_EQ(number({0x80, 0x80}), -1);                          // cut
  EXPECT_EQ(number({}), -1);
}

TEST(Decoder, KnowsWhereNullIsAllowed) {
  // A failure here either refuses what a client may send or hands a handler a null that its version cannot have.
  const auto null_array = bytes_of({0xff, 0xff, 0xff, 0xff});
  const auto null_array_v4 = bytes_of({0xff, 0xff, 0xff, 0xff, 1});
  EXPECT_NE(fault_of<MetadataRequest>(null_array, 0).find("null is not allowed"), std::string::npos);
  EXPECT_EQ(fault_of<MetadataRequest>(null_array, 1), "none");
  EXPECT_FALSE(read_request_body<MetadataRequest>(null_array_v4, 4)->topics.has_value());
  const auto minus_two = bytes_of({0xff, 0xff, 0xff, 0xfe});
  EXPECT_NE(fault_of<MetadataRequest>(minus_two, 1).find("negative length"), std::string::npos);
  // Topics of version 4: one, with a null name.
  EXPECT_FALSE(read_request_body<MetadataRequest>(bytes_of({0, 0, 0, 1, 0xff, 0xff, 1}), 4));
}

TEST(Decoder, BytesBehindARequestAreNotLookedAt) {
  // A failure here closes the connection of every librdkafka since 2.12 that asks for all topics: behind the null array
  // of its Metadata request stand three bytes too many. Kafka does not look at them.
  const auto all_topics = bytes_of({0, 0, 0, 0, 0, 0, 0});
  const auto read = read_request_body<MetadataRequest>(all_topics, 12);
  ASSERT_TRUE(read.has_value());
  EXPECT_FALSE(read->topics.has_value());
}

TEST(Decoder, TheFirstFaultStays) {
  // A failure here would report a consequence instead of a cause, or go on reading after one.
  const auto body = bytes_of({0x00, 0x05, 'a'});
  Decoder decoder(body, 0, false);
  std::string text;
  std::int32_t number = 77;
  decoder.value(text);
  decoder.value(number);
  decoder.value(number);
  EXPECT_FALSE(decoder.ok());
  EXPECT_EQ(decoder.left(), 0u);
  EXPECT_EQ(number, 77);
  EXPECT_STREQ(decoder.fault().reason, "the message ends too early");
  EXPECT_EQ(decoder.fault().at_byte, 2u);
}

TEST(Decoder, RecordsAreViewsIntoTheRequest) {
  // A failure here is a copy of every produced byte.
  ProduceRequest request{.acks = 1, .topic_data = {{.name = "t", .partition_data = {{.index = 3}}}}};
  const std::vector<std::byte> records(5000, std::byte{42});
  request.topic_data[0].partition_data[0].records = Records(base::Bytes(records));
  base::GatherBuffer out;
  ASSERT_TRUE(write_request(out, 1, 7, "x", request));
  const auto frame = out.flat();
  const auto header = read_request_header(base::Bytes(frame).subspan(4), false);
  test::largest_allocation() = 0;
  const auto read = read_request_body<ProduceRequest>(header->body, 7);
  ASSERT_TRUE(read.has_value());
  EXPECT_LT(test::largest_allocation(), 1000u);
  const base::Bytes view = read->topic_data[0].partition_data[0].records->bytes;
  EXPECT_EQ(view.data(), frame.data() + frame.size() - view.size());
  EXPECT_EQ(*read, request);
}

TEST(Encoder, RefusesWhatTheWireCannotSay) {
  // A failure here sends a length that wrapped around, and with it garbage.
  base::GatherBuffer out;
  out.append(base::as_bytes("before"));
  const InitProducerIdRequest request{.transactional_id = std::string(32'768, 'x')};
  EXPECT_FALSE(write_request(out, 1, 0, "x", request));
  EXPECT_EQ(base::as_text(out.flat()), "before");
  EXPECT_TRUE(write_request(out, 1, 2, "x", request));  // flexible: lengths have room
}

TEST(Encoder, WritesNullAsEmptyWhereTheVersionHasNoNull) {
  // A failure here sends -1 where a client expects a length.
  base::GatherBuffer out;
  ASSERT_TRUE(write_request(out, 1, 0, std::nullopt, MetadataRequest{.topics = std::nullopt}));
  const auto frame = out.flat();
  EXPECT_EQ(base::load_big_endian<std::int32_t>(frame.data() + frame.size() - 4), 0);
}

TEST(Frame, ApiVersionsIsAnsweredWithTheOldHeader) {
  // A failure here shifts the first answer of every connection by one byte, and clients read lengths of gigabytes.
  base::GatherBuffer out;
  ASSERT_TRUE(write_response(out, 5, 3, ApiVersionsResponse{}));
  const auto frame = out.flat();
  EXPECT_EQ(frame.size(), 4u + 4 + 2 + 1 + 4 + 1);  // size, correlation id, error, no keys, throttle, no tags
  out.clear();
  ASSERT_TRUE(write_response(out, 5, 0, DescribeClusterResponse{}));
  EXPECT_EQ(std::to_integer<int>(out.flat()[8]), 0);  // the tag section of the new header
}

TEST(Frame, HeadersTooShortAreRefused) {
  // A failure here reads past the end of a frame of three bytes.
  const auto header = bytes_of({0, 3, 0, 1, 0, 0, 0, 9, 0xff, 0xff});
  for (std::size_t size = 0; size < header.size(); ++size) {
    const auto cut = base::Bytes(header).first(size);
    EXPECT_EQ(peek_request_header(cut).has_value(), size >= 8) << size;
    EXPECT_FALSE(read_request_header(cut, false).has_value()) << size;
  }
  ASSERT_TRUE(read_request_header(header, false).has_value());
  EXPECT_EQ(read_request_header(header, false)->header.client_id, std::nullopt);
  EXPECT_FALSE(read_request_header(header, true).has_value());  // its tag section is missing
}

}  // namespace
}  // namespace iolab::protocol
