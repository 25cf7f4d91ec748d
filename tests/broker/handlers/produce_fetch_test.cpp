// Produce, Fetch and ListOffsets through dispatch: a failure here means that records are lost, doubled or changed, or
// that a consumer waits when it should not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/protocol/messages/02_list_offsets.h"
#include "broker/protocol/messages/22_init_producer_id.h"
#include "tests/broker/core/test_broker.h"

namespace iolab::handlers {
namespace {

using protocol::ErrorCode;
using protocol::FetchRequest;
using protocol::FetchResponse;
using protocol::ListOffsetsRequest;
using protocol::ListOffsetsResponse;
using protocol::ProduceRequest;
using protocol::ProduceResponse;
using test::Asked;
using test::fetch_request;
using test::Frame;
using test::make_batch;
using test::produce_request;
using test::TestBroker;

ProduceResponse::Topic::Partition produce(TestBroker& broker, const Frame& batch, const std::string& topic = "t",
                                          std::int32_t partition = 0, std::int16_t version = 9) {
  const auto response = broker.ask<ProduceResponse>(produce_request(topic, partition, batch), version);
  if (response.responses.empty() || response.responses[0].partition_responses.empty()) return {};
  return response.responses[0].partition_responses[0];
}

FetchResponse::Topic::Partition only(const FetchResponse& response) {
  if (response.responses.size() != 1 || response.responses[0].partitions.size() != 1) {
    ADD_FAILURE() << "not exactly one partition";
    return {};
  }
  return response.responses[0].partitions[0];
}

FetchResponse::Topic::Partition fetch(TestBroker& broker, std::int64_t offset, std::int16_t version = 11) {
  return only(broker.ask<FetchResponse>(fetch_request("t", 0, offset), version));
}

// The batch as it was sent, but for the bytes that the broker stamps.
void expect_same_batch(base::Bytes served, const Frame& sent, std::int64_t base_offset) {
  ASSERT_EQ(served.size(), sent.size());
  Frame expected = sent;
  protocol::set_base_offset(expected, base_offset);
  protocol::set_leader_epoch(expected, 0);
  EXPECT_TRUE(base::equal(served, expected)) << "the records were changed on the way";
}

TEST(ProduceFetch, EveryVersionServesWhatItTook) {
  // Fails if any version of Produce or Fetch loses or changes a byte.
  TestBroker broker;
  broker.create("t");
  std::int64_t offset = 0;
  std::vector<Frame> sent;
  for (std::int16_t version = 3; version <= 11; ++version) {
    sent.push_back(make_batch({.records = version, .value_bytes = 100U * static_cast<unsigned>(version)}));
    const auto answer = produce(broker, sent.back(), "t", 0, version);
    EXPECT_EQ(answer.error_code, ErrorCode::none);
    EXPECT_EQ(answer.base_offset, offset);
    offset += version;
  }
  for (std::int16_t version = 4; version <= 12; ++version) {
    const auto answer = fetch(broker, 0, version);
    EXPECT_EQ(answer.error_code, ErrorCode::none);
    EXPECT_EQ(answer.high_watermark, offset);
    base::Bytes rest = answer.records->bytes;
    std::int64_t base = 0;
    for (const Frame& batch : sent) {
      ASSERT_GE(rest.size(), batch.size()) << "version " << version;
      expect_same_batch(rest.first(batch.size()), batch, base);
      base += protocol::first_batch(rest)->records_count();
      rest = rest.subspan(batch.size());
    }
    EXPECT_TRUE(rest.empty());
  }
}

TEST(ProduceFetch, AnOffsetInsideABatchReturnsTheWholeBatch) {
  // Fails if a consumer that restarts in the middle of a batch hangs for ever.
  TestBroker broker;
  broker.create("t");
  const Frame batch = make_batch({.records = 10});
  (void)produce(broker, make_batch({.records = 5}));
  (void)produce(broker, batch);
  for (std::int64_t offset = 5; offset < 15; ++offset) {
    expect_same_batch(fetch(broker, offset).records->bytes, batch, 5);
  }
  EXPECT_TRUE(fetch(broker, 15).records->bytes.empty());
  EXPECT_EQ(fetch(broker, 16).error_code, ErrorCode::offset_out_of_range);
  EXPECT_EQ(fetch(broker, -1).error_code, ErrorCode::offset_out_of_range);
}

TEST(ProduceFetch, LimitsNeverHideTheFirstBatch) {
  // Fails if a batch larger than all limits can never be read, or if limits are ignored behind it.
  TestBroker broker;
  broker.create("t", 2);
  const Frame large = make_batch({.value_bytes = 50'000});
  for (std::int32_t partition : {0, 1}) {
    (void)produce(broker, large, "t", partition);
    (void)produce(broker, large, "t", partition);
  }
  FetchRequest request = fetch_request("t", 0, 0);
  request.topics[0].partitions.push_back({.partition = 1, .fetch_offset = 0, .partition_max_bytes = 1 << 20});
  request.max_bytes = 100;
  const auto answer = broker.ask<FetchResponse>(request, 11);
  ASSERT_EQ(answer.responses[0].partitions.size(), 2U) << "every partition asked for is answered";
  EXPECT_EQ(answer.responses[0].partitions[0].records->bytes.size(), large.size());
  EXPECT_TRUE(answer.responses[0].partitions[1].records->bytes.empty());
  EXPECT_EQ(answer.responses[0].partitions[1].high_watermark, 2);
}

TEST(ProduceFetch, ErrorsNameTheirPartitionOnly) {
  // Fails if one wrong partition spoils the others, or is answered with the wrong code.
  TestBroker broker;
  broker.create("t");
  const Frame batch = make_batch();
  ProduceRequest request = produce_request("t", 0, batch);
  request.topic_data[0].partition_data.push_back({.index = 9, .records = protocol::Records(base::Bytes(batch))});
  request.topic_data[0].partition_data.push_back({.index = 0, .records = std::nullopt});
  request.topic_data.push_back(produce_request("nowhere", 0, batch).topic_data[0]);
  const auto answer = broker.ask<ProduceResponse>(request, 9);
  EXPECT_EQ(answer.responses[0].partition_responses[0].error_code, ErrorCode::none);
  EXPECT_EQ(answer.responses[0].partition_responses[1].error_code, ErrorCode::unknown_topic_or_partition);
  EXPECT_EQ(answer.responses[0].partition_responses[2].error_code, ErrorCode::invalid_record);
  EXPECT_EQ(answer.responses[1].partition_responses[0].error_code, ErrorCode::unknown_topic_or_partition);
  request = produce_request("t", 0, batch);
  request.acks = 2;
  EXPECT_EQ(broker.ask<ProduceResponse>(request, 9).responses[0].partition_responses[0].error_code,
            ErrorCode::invalid_required_acks);
  EXPECT_EQ(fetch(broker, 0).high_watermark, 1) << "something that was refused is in the log";
}

TEST(ProduceFetch, DamagedBatchesAreRefusedAndChangeNothing) {
  // Fails if a batch that its reader could not read gets into the log.
  TestBroker broker(core::Overrides{{"message.max.bytes", "1000"}});
  broker.create("t");
  const Frame good = make_batch({.records = 3});
  const auto refused = [&](Frame batch, std::int16_t version = 9) {
    return produce(broker, batch, "t", 0, version).error_code;
  };
  const auto changed = [&](std::size_t at, std::uint8_t value) {
    Frame batch = good;
    batch[at] = std::byte{value};
    return batch;
  };
  EXPECT_EQ(refused(changed(good.size() - 1, 1)), ErrorCode::corrupt_message) << "CRC";
  EXPECT_NE(refused(changed(16, 1)), ErrorCode::none) << "magic 1";
  EXPECT_NE(refused(changed(11, 1)), ErrorCode::none) << "length too small";
  EXPECT_NE(refused(changed(8, 0x7f)), ErrorCode::none) << "length of two thousand millions";
  EXPECT_NE(refused(changed(8, 0xff)), ErrorCode::none) << "negative length";
  Frame two = good;
  two.insert(two.end(), good.begin(), good.end());
  EXPECT_NE(refused(two), ErrorCode::none) << "two batches in one partition";
  EXPECT_NE(refused({}), ErrorCode::none) << "no batch at all";
  EXPECT_NE(refused(Frame(good.begin(), good.begin() + 30)), ErrorCode::none) << "half a header";
  EXPECT_EQ(refused(make_batch({.value_bytes = 2000})), ErrorCode::message_too_large);
  EXPECT_EQ(refused(make_batch({.builder = {.compression = protocol::Compression::zstd}}), 6),
            ErrorCode::unsupported_compression_type);
  EXPECT_EQ(refused(make_batch(
                {.builder = {.producer_id = 1, .producer_epoch = 0, .base_sequence = 0, .transactional = true}})),
            ErrorCode::transactional_id_authorization_failed)
      << "a transaction that nobody has named";
  EXPECT_EQ(fetch(broker, 0).high_watermark, 0);
  EXPECT_EQ(refused(good), ErrorCode::none);
}

TEST(ProduceFetch, WithoutAcknowledgementThereIsNoAnswer) {
  // Fails if acks=0 is answered (the client would take it for the next answer), or an error is kept silent.
  TestBroker broker;
  broker.create("t");
  const Frame batch = make_batch();
  EXPECT_EQ(broker.send(produce_request("t", 0, batch, 0), 9).outcome.kind, Outcome::Kind::silent);
  EXPECT_EQ(fetch(broker, 0).high_watermark, 1);
  EXPECT_EQ(broker.send(produce_request("t", 5, batch, 0), 9).outcome.kind, Outcome::Kind::close);
}

TEST(ProduceFetch, AnIdempotentRetryIsStoredOnce) {
  // Fails if a retry is stored twice, or answered with anything but the first offset, also after a crash or a stop.
  TestBroker broker;
  broker.create("t");
  const auto identity = broker.ask<protocol::InitProducerIdResponse>(
      protocol::InitProducerIdRequest{.transactional_id = std::nullopt}, 4);
  EXPECT_GE(identity.producer_id, 0);
  const auto batch = [&](std::int32_t sequence) {
    return make_batch(
        {.records = 2,
         .builder = {.producer_id = identity.producer_id, .producer_epoch = 0, .base_sequence = sequence}});
  };
  for (std::int32_t i = 0; i < 6; ++i) EXPECT_EQ(produce(broker, batch(2 * i)).base_offset, 2 * i);
  const auto check = [&] {
    for (std::int32_t i = 1; i < 6; ++i) {
      const auto again = produce(broker, batch(2 * i));
      EXPECT_EQ(again.error_code, ErrorCode::none);
      EXPECT_EQ(again.base_offset, 2 * i);
    }
    EXPECT_EQ(produce(broker, batch(0)).error_code, ErrorCode::out_of_order_sequence_number);
    EXPECT_EQ(produce(broker, batch(14)).error_code, ErrorCode::out_of_order_sequence_number);
    EXPECT_EQ(fetch(broker, 0).high_watermark, 12);
  };
  check();
  broker.crash_and_reopen();
  check();
  broker.close_and_reopen();
  check();
}

TEST(ProduceFetch, AnEpochCanBeBumped) {
  // Fails if a producer that was told to start over is given the same epoch, or its old batches are accepted.
  TestBroker broker;
  broker.create("t");
  const auto next = broker.ask<protocol::InitProducerIdResponse>(
      protocol::InitProducerIdRequest{.transactional_id = std::nullopt, .producer_id = 9, .producer_epoch = 3}, 4);
  EXPECT_EQ(next.producer_id, 9);
  EXPECT_EQ(next.producer_epoch, 4);
}

TEST(ProduceFetch, LogAppendTimeIsTheBrokersClock) {
  // Fails if the broker's time is not in the answer and in the batch, or the checksum is wrong after it.
  TestBroker broker;
  broker.create("t", 1, {{"message.timestamp.type", "LogAppendTime"}});
  const auto answer = produce(broker, make_batch({.records = 3, .timestamp_ms = 5}));
  EXPECT_EQ(answer.log_append_time_ms, broker.clock.wall_ms);
  const auto served = fetch(broker, 0);
  const auto batch = protocol::first_batch(served.records->bytes);
  ASSERT_TRUE(batch);
  EXPECT_TRUE(protocol::check_stored(*batch));
  EXPECT_TRUE(batch->is_log_append_time());
  EXPECT_EQ(batch->max_timestamp(), broker.clock.wall_ms);
}

TEST(LongPoll, WaitsForBytesAndIsWokenByThem) {
  // Fails if a fetch at the end of the log answers too early, or sleeps through an append.
  TestBroker broker;
  broker.create("t");
  const Frame batch = make_batch();
  Asked waiting = broker.send(fetch_request("t", 0, 0, 500, static_cast<std::int32_t>(2 * batch.size())), 11);
  ASSERT_EQ(waiting.outcome.kind, Outcome::Kind::parked);
  EXPECT_TRUE(waiting.outcome.parked->holds_back());
  EXPECT_EQ(broker->deadlines().next(), broker.clock.steady_ms + 500);
  (void)produce(broker, batch);
  EXPECT_EQ(broker.counting->rings, 0) << "half of min_bytes is not enough";
  EXPECT_FALSE(broker.resume(waiting));
  (void)produce(broker, batch);
  EXPECT_EQ(broker.counting->rings, 1);
  ASSERT_TRUE(broker.resume(waiting));
  EXPECT_EQ(only(TestBroker::answer_of<FetchResponse>(waiting, 11)).records->bytes.size(), 2 * batch.size());
}

TEST(LongPoll, EndsWhenTheTimeIsOver) {
  // Fails if a consumer of an idle topic is never answered.
  TestBroker broker;
  broker.create("t");
  Asked waiting = broker.send(fetch_request("t", 0, 0, 500), 11);
  ASSERT_EQ(waiting.outcome.kind, Outcome::Kind::parked);
  broker.clock.advance(499);
  (void)broker->run_timers(broker.clock.now());
  EXPECT_EQ(broker.counting->rings, 0);
  broker.clock.advance(1);
  (void)broker->run_timers(broker.clock.now());
  EXPECT_EQ(broker.counting->rings, 1);
  ASSERT_TRUE(broker.resume(waiting));
  EXPECT_TRUE(only(TestBroker::answer_of<FetchResponse>(waiting, 11)).records->bytes.empty());
}

TEST(LongPoll, AnErrorIsAnsweredAtOnce) {
  // Fails if a consumer waits for a partition that cannot answer.
  TestBroker broker;
  broker.create("t");
  EXPECT_EQ(broker.send(fetch_request("t", 3, 0, 500), 11).outcome.kind, Outcome::Kind::answered);
  EXPECT_EQ(broker.send(fetch_request("t", 0, 7, 500), 11).outcome.kind, Outcome::Kind::answered);
  EXPECT_EQ(broker.send(fetch_request("t", 0, 0, 0), 11).outcome.kind, Outcome::Kind::answered) << "max_wait_ms is 0";
  EXPECT_EQ(broker.send(fetch_request("t", 0, 0, 500, 0), 11).outcome.kind, Outcome::Kind::answered)
      << "min_bytes is 0";
  FetchRequest nothing;
  nothing.max_wait_ms = 500;
  nothing.min_bytes = 1;
  EXPECT_EQ(broker.send(nothing, 11).outcome.kind, Outcome::Kind::answered) << "there is nothing to wait for";
}

TEST(LongPoll, EndsWhenItsTopicIsDeleted) {
  // Fails if a consumer of a deleted topic waits on.
  TestBroker broker;
  broker.create("t");
  Asked waiting = broker.send(fetch_request("t", 0, 0, 500), 11);
  ASSERT_TRUE(broker->delete_topic("t"));
  EXPECT_EQ(broker.counting->rings, 1);
  ASSERT_TRUE(broker.resume(waiting));
  EXPECT_EQ(only(TestBroker::answer_of<FetchResponse>(waiting, 11)).error_code, ErrorCode::unknown_topic_or_partition);
}

TEST(LongPoll, LeavesNothingBehind) {
  // Fails if a lost connection's wait stays in the partition or in the deadlines.
  TestBroker broker;
  broker.create("t");
  {
    Asked lost = broker.send(fetch_request("t", 0, 0, 500), 11);
  }
  EXPECT_EQ(broker.sleeper.use_count(), 2) << "somebody still means to wake the lost connection";
  (void)produce(broker, make_batch());
  EXPECT_EQ(broker.counting->rings, 0);
}

TEST(Fetch, SessionsAreNotGivenOut) {
  // Fails if a client believes that it may leave partitions out of its next request.
  TestBroker broker;
  broker.create("t");
  FetchRequest request = fetch_request("t", 0, 0);
  request.session_epoch = 0;
  EXPECT_EQ(broker.ask<FetchResponse>(request, 11).session_id, 0);
  request.session_id = 5;
  request.session_epoch = 1;
  EXPECT_EQ(broker.ask<FetchResponse>(request, 11).error_code, ErrorCode::fetch_session_id_not_found);
}

TEST(Fetch, LeaderEpochsAndIsolation) {
  // Fails if a client that knows more than this broker is not told, or if aborted transactions are null for a reader of
  // committed records.
  TestBroker broker;
  broker.create("t");
  FetchRequest request = fetch_request("t", 0, 0);
  request.topics[0].partitions[0].current_leader_epoch = 1;
  EXPECT_EQ(only(broker.ask<FetchResponse>(request, 11)).error_code, ErrorCode::unknown_leader_epoch);
  request.topics[0].partitions[0].current_leader_epoch = 0;
  EXPECT_EQ(only(broker.ask<FetchResponse>(request, 11)).aborted_transactions, std::nullopt);
  request.isolation_level = 1;
  EXPECT_TRUE(only(broker.ask<FetchResponse>(request, 11)).aborted_transactions.has_value());
}

TEST(ListOffsets, TimesAndSpecialTimes) {
  // Fails if a consumer is sent to the wrong place in the log.
  TestBroker broker;
  broker.create("t");
  const auto look_up = [&](std::int64_t timestamp) {
    ListOffsetsRequest request;
    auto& topic = request.topics.emplace_back();
    topic.name = "t";
    topic.partitions.push_back({.partition_index = 0, .timestamp = timestamp});
    return broker.ask<ListOffsetsResponse>(request, 7).topics[0].partitions[0];
  };
  EXPECT_EQ(look_up(-1).offset, 0);
  EXPECT_EQ(look_up(-3).offset, -1) << "an empty log has no largest timestamp";
  EXPECT_EQ(look_up(0).offset, -1);
  (void)produce(broker, make_batch({.records = 10, .timestamp_ms = 1000}));
  (void)produce(broker, make_batch({.records = 10, .timestamp_ms = 500}));
  EXPECT_EQ(look_up(-1).offset, 20);
  EXPECT_EQ(look_up(-2).offset, 0);
  EXPECT_EQ(look_up(-3).offset, 9);
  EXPECT_EQ(look_up(-3).timestamp, 1009);
  EXPECT_EQ(look_up(1005).offset, 5);
  EXPECT_EQ(look_up(501).offset, 0) << "the first record that is not older";
  EXPECT_EQ(look_up(2000).offset, -1);
  EXPECT_EQ(look_up(2000).error_code, ErrorCode::none);
  EXPECT_EQ(look_up(-4).error_code, ErrorCode::invalid_request);
}

}  // namespace
}  // namespace iolab::handlers
