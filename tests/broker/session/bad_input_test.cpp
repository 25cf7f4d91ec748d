// What strangers send, through a real socket and every model: a failure here means that one bad client can take memory
// on its word, lose or spoil what was stored, or disturb others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <list>

#include "broker/protocol/messages/03_metadata.h"
#include "broker/protocol/messages/18_api_versions.h"
#include "tests/broker/session/served_broker.h"

namespace iolab::test {
namespace {

using protocol::ApiVersionsRequest;
using protocol::ApiVersionsResponse;
using protocol::CreateTopicsRequest;
using protocol::ErrorCode;
using protocol::FetchResponse;
using protocol::ProduceResponse;

Frame bytes(std::initializer_list<int> values) {
  Frame frame;
  for (int value : values) frame.push_back(static_cast<std::byte>(value));
  return frame;
}

// A frame of which only header and claims are written.
Frame frame_of(std::int16_t key, std::int16_t version, const std::function<void(base::GatherBuffer&)>& body) {
  base::GatherBuffer out;
  const auto start = protocol::start_frame(out);
  out.append_big_endian(key);
  out.append_big_endian(version);
  out.append_big_endian(std::int32_t{7});
  out.append_big_endian(std::int16_t{-1});
  body(out);
  EXPECT_TRUE(protocol::finish_frame(out, start, true));
  return out.flat();
}

std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

class BadInput : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (const std::string reason = reason_to_skip(GetParam()); !reason.empty()) GTEST_SKIP() << reason;
    served_ = std::make_unique<ServedBroker>(GetParam(), core::Overrides{});
    good_ = std::make_unique<Client>(served_->address());
    const Frame batch = make_batch({.records = 3});
    const auto metadata =
        good_->ask<protocol::MetadataResponse>(protocol::MetadataRequest{.topics = {{{.name = "t"}}}}, 4);
    ASSERT_EQ(metadata.topics.at(0).error_code, ErrorCode::none);
    ASSERT_EQ(produce(batch), ErrorCode::none);
    records_ = 3;
  }

  // Nothing is lost, nothing was added but what the test knows of, and the connection that behaves is served as before.
  void TearDown() override {
    if (!served_) return;
    const auto answer = good_->ask<FetchResponse>(fetch_request("t", 0, 0), 11);
    ASSERT_EQ(answer.responses.size(), 1U);
    EXPECT_EQ(answer.responses[0].partitions[0].error_code, ErrorCode::none);
    EXPECT_EQ(answer.responses[0].partitions[0].high_watermark, records_);
    good_.reset();
    served_->stop();
  }

  ErrorCode produce(const Frame& batch) {
    const auto answer = good_->ask<ProduceResponse>(produce_request("t", 0, batch), 7);
    if (answer.responses.empty()) return ErrorCode::unknown_server_error;
    return answer.responses[0].partition_responses.at(0).error_code;
  }

  // The connection is closed and nothing is answered.
  void expect_closed(const Frame& frame, const std::string& what) {
    Client client(served_->address());
    (void)client.send(frame);
    EXPECT_TRUE(client.receive().empty()) << what << " was answered";
  }

  std::unique_ptr<ServedBroker> served_;
  std::unique_ptr<Client> good_;
  std::int64_t records_ = 0;
};

TEST_P(BadInput, FramesOfImpossibleLength) {
  // Fails if a length that cannot be keeps a connection open, or costs another one anything.
  expect_closed(bytes({0xff, 0xff, 0xff, 0xff}), "length -1");
  expect_closed(bytes({0x80, 0, 0, 0}), "length -2147483648");
  expect_closed(bytes({0, 0, 0, 0}), "length 0");
  expect_closed(bytes({0, 0, 0, 3, 0, 18, 0}), "length 3");
  expect_closed(bytes({0x06, 0x40, 0x00, 0x01}), "length one over the limit");
  expect_closed(bytes({0x7f, 0xff, 0xff, 0xff}), "length 2147483647");
}

TEST_P(BadInput, AByteAtATime) {
  // Fails if a slow client is not understood.
  Client client(served_->address());
  for (const std::byte& byte : request_frame(ApiVersionsRequest{"slow", "1"}, 3)) ASSERT_TRUE(client.send({&byte, 1}));
  client.finish();
  const Frame answer = client.receive();
  ASSERT_GT(answer.size(), 4U);
  const auto read = protocol::read_response<ApiVersionsResponse>(without_size(answer), 3);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->message.error_code, ErrorCode::none);
}

TEST_P(BadInput, DeclaredSizesTakeNoMemory) {
  // Fails if memory is set aside on the word of a client: here 800 MB in all.
  const std::size_t before = resident_bytes();
  std::list<Client> liars;
  for (int i = 0; i < 8; ++i) {
    Client& client = liars.emplace_back(served_->address());
    ASSERT_TRUE(client.send(bytes({0x05, 0xf5, 0xe1, 0x00, 0, 0, 0, 9})));  // 100,000,000 bytes to come
    ASSERT_TRUE(client.send(Frame(1000)));
  }
  ASSERT_EQ(produce(make_batch()), ErrorCode::none);
  ++records_;
  EXPECT_LT(resident_bytes(), before + 64'000'000);
}

TEST_P(BadInput, UnknownApisAndVersions) {
  // Fails if something is answered that its client cannot read, or ApiVersions does not help a newer client.
  const auto nothing = [](base::GatherBuffer&) {};
  expect_closed(frame_of(99, 0, nothing), "API 99");
  expect_closed(frame_of(-1, 0, nothing), "API -1");
  expect_closed(frame_of(3, 99, nothing), "Metadata v99");
  expect_closed(frame_of(0, 2, nothing), "Produce v2");
  Client client(served_->address());
  ASSERT_TRUE(client.send(frame_of(18, 99, nothing)));
  client.finish();
  const Frame answer = client.receive();
  ASSERT_GT(answer.size(), 4U);
  const auto read = protocol::read_response<ApiVersionsResponse>(without_size(answer), 0);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->message.error_code, ErrorCode::unsupported_version);
}

TEST_P(BadInput, CountsAndVarintsThatLie) {
  // Fails if a count is believed before its elements are there, or a varint without end is followed.
  const auto varint = [](base::GatherBuffer& out, std::initializer_list<int> groups) {
    for (int group : groups) out.append_byte(static_cast<std::uint8_t>(group));
  };
  const std::size_t before = resident_bytes();
  expect_closed(frame_of(3, 1,
                         [](base::GatherBuffer& out) {
                           out.append_big_endian(std::int32_t{0x7fffffff});
                           out.append_big_endian(std::int64_t{0});
                         }),
                "2147483647 topics in ten bytes");
  expect_closed(frame_of(3, 9,
                         [&](base::GatherBuffer& out) {
                           varint(out, {0});                             // no tags in the header
                           varint(out, {0xff, 0xff, 0xff, 0xff, 0x0f});  // 4294967294 topics
                           varint(out, {0, 0, 0, 0, 0});
                         }),
                "4294967294 topics, compact");
  expect_closed(
      frame_of(18, 3, [&](base::GatherBuffer& out) { varint(out, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}); }),
      "a varint of seven bytes");
  expect_closed(frame_of(18, 3,
                         [&](base::GatherBuffer& out) {
                           varint(out, {0x80, 0xda, 0xc4, 0x09});  // 20,000,000 tagged fields
                           for (int i = 0; i < 1'000'000; ++i) out.append_byte(0);
                         }),
                "20,000,000 tagged fields");
  expect_closed(frame_of(18, 3, [&](base::GatherBuffer& out) { varint(out, {1, 5, 0xff, 0xff, 0xff, 0xff, 0x0f}); }),
                "a tagged field of 4294967295 bytes");
  EXPECT_LT(resident_bytes(), before + 64'000'000);
}

TEST_P(BadInput, TopicNamesThatMustNotBecomePaths) {
  // Fails if a name leads out of the data directory, or a topic appears that no client can name.
  for (const std::string& name :
       {std::string("../x"), std::string("a\0b", 3), std::string(250, 'a'), std::string("..")}) {
    const auto metadata =
        good_->ask<protocol::MetadataResponse>(protocol::MetadataRequest{.topics = {{{.name = name}}}}, 4);
    ASSERT_EQ(metadata.topics.size(), 1U);
    EXPECT_EQ(metadata.topics[0].error_code, ErrorCode::invalid_topic_exception);
    CreateTopicsRequest create;
    create.topics.push_back(
        {.name = name, .num_partitions = 1, .replication_factor = 1, .assignments = {}, .configs = {}});
    const auto created = good_->ask<protocol::CreateTopicsResponse>(create, 4);
    ASSERT_EQ(created.topics.size(), 1U);
    EXPECT_EQ(created.topics[0].error_code, ErrorCode::invalid_topic_exception);
  }
  EXPECT_EQ(served_->broker().topics().all().size(), 1U);
  EXPECT_FALSE(std::filesystem::exists(served_->path().parent_path() / "x-0"));
}

TEST_P(BadInput, BatchesThatLie) {
  // Fails if a batch gets into the log that its readers could not read.
  const Frame good = make_batch({.records = 3});
  const auto with = [&](std::size_t at, int value) {
    Frame changed = good;
    changed[at] = static_cast<std::byte>(value);
    return changed;
  };
  const auto counts_that_lie = [&](std::int32_t count) {
    Frame changed = good;
    base::store_big_endian(changed.data() + 57, count);
    base::store_big_endian(changed.data() + 17, protocol::first_batch(changed)->computed_crc());
    return changed;
  };
  // Both counts agree with each other, and neither with the records.
  const auto both_counts_lie = [&](std::int32_t count, int attributes = 0) {
    Frame changed = good;
    base::store_big_endian(changed.data() + 21, static_cast<std::int16_t>(attributes));
    base::store_big_endian(changed.data() + 23, count - 1);
    base::store_big_endian(changed.data() + 57, count);
    base::store_big_endian(changed.data() + 17, protocol::first_batch(changed)->computed_crc());
    return changed;
  };
  Frame garbage = both_counts_lie(3);
  std::fill(garbage.begin() + 61, garbage.end(), std::byte{0xff});
  base::store_big_endian(garbage.data() + 17, protocol::first_batch(garbage)->computed_crc());
  Frame two = good;
  two.insert(two.end(), good.begin(), good.end());
  EXPECT_EQ(produce(with(good.size() - 1, 1)), ErrorCode::corrupt_message) << "wrong CRC";
  for (const auto& [batch, what] :
       std::vector<std::pair<Frame, const char*>>{{with(16, 0), "magic 0"},
                                                  {with(16, 1), "magic 1"},
                                                  {counts_that_lie(4), "one record too many"},
                                                  {counts_that_lie(0x7fffffff), "2147483647 records"},
                                                  {counts_that_lie(-1), "-1 records"},
                                                  {both_counts_lie(4), "4 offsets for 3 records"},
                                                  {both_counts_lie(2), "2 offsets for 3 records"},
                                                  {both_counts_lie(0x7fffffff), "2147483647 offsets for 3 records"},
                                                  {both_counts_lie(3, 1), "plain records called gzip"},
                                                  {both_counts_lie(3, 4), "plain records called zstd"},
                                                  {garbage, "no records but 0xff"},
                                                  {two, "two batches"},
                                                  {with(8, 0x7f), "a length of 2 GB"},
                                                  {Frame(), "nothing"}}) {
    EXPECT_NE(produce(batch), ErrorCode::none) << what;
  }
  Client silent(served_->address());
  ASSERT_TRUE(silent.send(request_frame(produce_request("t", 0, with(good.size() - 1, 1), 0), 7)));
  EXPECT_TRUE(silent.receive().empty()) << "acks=0 was answered";
}

TEST_P(BadInput, PeersThatVanish) {
  // Fails if a connection that is lost in the middle of anything disturbs another one.
  const Frame batch = make_batch({.value_bytes = 100'000});
  const Frame whole = request_frame(produce_request("t", 9, batch), 7);
  for (std::size_t cut : {std::size_t{2}, std::size_t{9}, whole.size() / 2, whole.size() - 1}) {
    Client client(served_->address());
    ASSERT_TRUE(client.send(base::Bytes(whole).first(cut)));
  }
  {
    Client waiting(served_->address());
    ASSERT_TRUE(waiting.send(request_frame(fetch_request("t", 0, 3, 500), 11)));
  }
  ASSERT_EQ(produce(make_batch()), ErrorCode::none);
  ++records_;
}

INSTANTIATE_TEST_SUITE_P(Models, BadInput, testing::ValuesIn(model_ids(false)), name_of);

}  // namespace
}  // namespace iolab::test
