// Transactions as clients of one partition meet them: a failure here means that a consumer of committed records is
// shown others, waits for nothing, or is not told what it must pass over.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/protocol/messages/02_list_offsets.h"
#include "broker/protocol/messages/23_offset_for_leader_epoch.h"
#include "broker/protocol/messages/61_describe_producers.h"
#include "tests/broker/core/partition_fixture.h"
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
using ::testing::ElementsAre;

constexpr std::int8_t kReadCommitted = 1;
// These producers have no coordinator: what a partition does is what is tried here.
const core::Overrides kUnverified{{"transaction.partition.verification.enable", "false"}};

// What a producer sends; its sequence goes on by itself.
struct Writer {
  std::int64_t id;
  std::int16_t epoch = 0;
  std::int32_t sequence = 0;

  Frame batch(int records = 1, std::size_t value_bytes = 16) {
    const Frame made = make_batch(
        {.records = records,
         .value_bytes = value_bytes,
         .builder = {.producer_id = id, .producer_epoch = epoch, .base_sequence = sequence, .transactional = true}});
    sequence += records;
    return made;
  }
};

ProduceResponse::Topic::Partition produce(TestBroker& broker, const Frame& batch, bool with_id = true,
                                          std::int16_t version = 9) {
  ProduceRequest request = produce_request("t", 0, batch);
  if (with_id) request.transactional_id = "tx";
  const auto response = broker.ask<ProduceResponse>(request, version);
  if (response.responses.empty() || response.responses[0].partition_responses.empty()) return {};
  return response.responses[0].partition_responses[0];
}

core::Partition& partition_of(TestBroker& broker) {
  return *broker->topics().find("t")->partition(0);
}

void end(TestBroker& broker, const Writer& writer, bool commit) {
  core::Wakeups wakeups;
  const auto done =
      partition_of(broker).end_transaction({writer.id, writer.epoch, 0, commit}, broker.clock.now(), nullptr, wakeups);
  ASSERT_TRUE(done) << "error " << static_cast<int>(done.error());
}

FetchRequest committed_request(std::int64_t offset, std::int32_t max_wait_ms = 0, std::int32_t min_bytes = 1) {
  FetchRequest request = fetch_request("t", 0, offset, max_wait_ms, min_bytes);
  request.isolation_level = kReadCommitted;
  return request;
}

FetchResponse::Topic::Partition only(const FetchResponse& response) {
  if (response.responses.size() != 1 || response.responses[0].partitions.size() != 1) {
    ADD_FAILURE() << "not exactly one partition";
    return {};
  }
  return response.responses[0].partitions[0];
}

std::vector<std::int64_t> seen_by_client(const FetchResponse::Topic::Partition& answer, std::int64_t from) {
  std::vector<std::pair<std::int64_t, std::int64_t>> aborted;
  if (answer.aborted_transactions) {
    for (const auto& one : *answer.aborted_transactions) aborted.emplace_back(one.producer_id, one.first_offset);
  }
  return test::consume_committed(answer.records->bytes, aborted, from).offsets;
}

TEST(ReadCommitted, EveryVersionNamesWhatWasAborted) {
  SCOPED_TRACE("fails if a consumer in some version cannot tell aborted records from committed ones");
  TestBroker broker(kUnverified);
  broker.create("t");
  Writer kept{.id = 1};
  Writer dropped{.id = 2};
  (void)produce(broker, kept.batch(2));     // 0, 1
  (void)produce(broker, dropped.batch(3));  // 2, 3, 4
  (void)produce(broker, make_batch());      // 5
  end(broker, dropped, false);              // 6
  (void)produce(broker, kept.batch());      // 7
  end(broker, kept, true);                  // 8
  for (std::int16_t version = 4; version <= 12; ++version) {
    SCOPED_TRACE("version " + std::to_string(version));
    const auto committed = only(broker.ask<FetchResponse>(committed_request(0), version));
    EXPECT_EQ(committed.error_code, ErrorCode::none);
    EXPECT_EQ(committed.high_watermark, 9);
    EXPECT_EQ(committed.last_stable_offset, 9);
    ASSERT_TRUE(committed.aborted_transactions);
    EXPECT_THAT(*committed.aborted_transactions,
                ElementsAre(FetchResponse::Topic::Partition::AbortedTransaction{.producer_id = 2, .first_offset = 2}));
    EXPECT_THAT(seen_by_client(committed, 0), ElementsAre(0, 1, 5, 7));
    const auto all = only(broker.ask<FetchResponse>(fetch_request("t", 0, 0), version));
    EXPECT_EQ(all.aborted_transactions, std::nullopt) << "null for those who read everything";
    EXPECT_EQ(all.last_stable_offset, 9);
    EXPECT_TRUE(base::equal(all.records->bytes, committed.records->bytes)) << "the same bytes for everybody";
    const auto behind = only(broker.ask<FetchResponse>(committed_request(7), version));
    EXPECT_TRUE(behind.aborted_transactions && behind.aborted_transactions->empty());
  }
}

TEST(ReadCommitted, AnOpenTransactionHoldsBackWhatIsBehindIt) {
  SCOPED_TRACE("fails if undecided records are shown, or if a consumer that waits for them is told of an error");
  TestBroker broker(kUnverified);
  broker.create("t");
  Writer open{.id = 1};
  (void)produce(broker, make_batch());  // 0
  (void)produce(broker, open.batch());  // 1
  (void)produce(broker, make_batch());  // 2
  const auto first = only(broker.ask<FetchResponse>(committed_request(0), 11));
  EXPECT_EQ(first.high_watermark, 3);
  EXPECT_EQ(first.last_stable_offset, 1);
  EXPECT_THAT(seen_by_client(first, 0), ElementsAre(0));
  for (const std::int64_t offset : {1, 2, 3}) {
    const auto waiting = only(broker.ask<FetchResponse>(committed_request(offset), 11));
    EXPECT_EQ(waiting.error_code, ErrorCode::none);
    EXPECT_TRUE(waiting.records->bytes.empty());
    EXPECT_TRUE(waiting.aborted_transactions.has_value());
  }
  EXPECT_EQ(only(broker.ask<FetchResponse>(committed_request(4), 11)).error_code, ErrorCode::offset_out_of_range);
  end(broker, open, true);
  EXPECT_THAT(seen_by_client(only(broker.ask<FetchResponse>(committed_request(1), 11)), 1), ElementsAre(1, 2));
}

TEST(ReadCommitted, ALongPollIsWokenByTheDecision) {
  SCOPED_TRACE("fails if a consumer of committed records sleeps through a marker, or is woken by undecided records");
  TestBroker broker(kUnverified);
  broker.create("t");
  Writer writer{.id = 1};
  Asked committed = broker.send(committed_request(0, 500), 11);
  ASSERT_EQ(committed.outcome.kind, Outcome::Kind::parked);
  (void)produce(broker, writer.batch());
  EXPECT_EQ(broker.counting->rings, 0) << "nothing has been decided";
  (void)produce(broker, make_batch());
  EXPECT_EQ(broker.counting->rings, 0) << "it stands behind what is undecided";
  EXPECT_FALSE(broker.resume(committed));
  end(broker, writer, false);
  EXPECT_EQ(broker.counting->rings, 1);
  ASSERT_TRUE(broker.resume(committed));
  EXPECT_THAT(seen_by_client(only(TestBroker::answer_of<FetchResponse>(committed, 11)), 0), ElementsAre(1));
}

TEST(ReadCommitted, WithoutTransactionsALongPollCountsBytes) {
  SCOPED_TRACE("fails if consumers of committed records, which is what librdkafka's are, wake for each append");
  TestBroker broker(kUnverified);
  broker.create("t");
  const Frame batch = make_batch();
  Asked waiting = broker.send(committed_request(0, 500, static_cast<std::int32_t>(2 * batch.size())), 11);
  (void)produce(broker, batch);
  EXPECT_EQ(broker.counting->rings, 0) << "half of min_bytes is not enough";
  (void)produce(broker, batch);
  EXPECT_EQ(broker.counting->rings, 1);
  ASSERT_TRUE(broker.resume(waiting));
}

TEST(ReadCommitted, ADecisionCountsWhenItIsOnTheDisk) {
  SCOPED_TRACE("fails if a reader acts upon a decision that a power cut could take back");
  TestBroker broker(core::Overrides{{"iolab.flush", "commit"}, {"transaction.partition.verification.enable", "false"}});
  broker.create("t");
  Writer writer{.id = 1};
  EXPECT_EQ(produce(broker, writer.batch()).error_code, ErrorCode::none);
  Asked waiting = broker.send(committed_request(0, 500), 11);
  EXPECT_EQ(partition_of(broker).offsets()->high_watermark, 1);
  end(broker, writer, true);
  EXPECT_EQ(partition_of(broker).offsets()->last_stable_offset, 0);
  const int before = broker.counting->rings;
  broker->run_flushes(broker.clock.now());
  EXPECT_EQ(broker.counting->rings, before + 1);
  EXPECT_EQ(partition_of(broker).offsets()->last_stable_offset, 2);
  ASSERT_TRUE(broker.resume(waiting));
  EXPECT_THAT(seen_by_client(only(TestBroker::answer_of<FetchResponse>(waiting, 11)), 0), ElementsAre(0));
}

TEST(ReadCommitted, TheListEndsWithTheRange) {
  SCOPED_TRACE(
      "fails if a consumer that is far behind is sent the whole history with every answer, or too little of it");
  TestBroker broker(kUnverified);
  broker.create("t", 1, {{"index.interval.bytes", "1000"}});
  constexpr int kTransactions = 500;
  Writer writer{.id = 1};
  for (int i = 0; i < kTransactions; ++i) {
    (void)produce(broker, writer.batch(1, 100));
    end(broker, writer, i % 2 == 0);
  }
  FetchRequest request = committed_request(0);
  request.topics[0].partitions[0].partition_max_bytes = 5000;
  std::vector<std::int64_t> seen;
  while (request.topics[0].partitions[0].fetch_offset < 2 * kTransactions) {
    std::int64_t& offset = request.topics[0].partitions[0].fetch_offset;
    const auto answer = only(broker.ask<FetchResponse>(request, 11));
    ASSERT_TRUE(answer.aborted_transactions);
    EXPECT_LE(answer.aborted_transactions->size(), 30U) << "at offset " << offset;
    std::vector<std::pair<std::int64_t, std::int64_t>> aborted;
    for (const auto& one : *answer.aborted_transactions) aborted.emplace_back(one.producer_id, one.first_offset);
    const auto consumed = test::consume_committed(answer.records->bytes, aborted, offset);
    ASSERT_GT(consumed.next, offset);
    seen.insert(seen.end(), consumed.offsets.begin(), consumed.offsets.end());
    offset = consumed.next;
  }
  ASSERT_EQ(seen.size(), kTransactions / 2);
  for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], static_cast<std::int64_t>(4 * i));
}

TEST(TransactionalProduce, NeedsATransactionalIdAndItsOwnEpoch) {
  SCOPED_TRACE("fails if a batch gets into a transaction that it is not entitled to");
  TestBroker broker(kUnverified);
  broker.create("t");
  Writer writer{.id = 1};
  EXPECT_EQ(produce(broker, Writer{.id = 1}.batch(), false).error_code,
            ErrorCode::transactional_id_authorization_failed);
  EXPECT_EQ(partition_of(broker).offsets()->high_watermark, 0);
  for (std::int16_t version = 3; version <= 11; ++version) {
    EXPECT_EQ(produce(broker, writer.batch(), true, version).error_code, ErrorCode::none);
  }
  const Frame plain = make_batch(
      {.builder = {.producer_id = writer.id, .producer_epoch = writer.epoch, .base_sequence = writer.sequence}});
  EXPECT_EQ(produce(broker, plain).error_code, ErrorCode::invalid_txn_state);
  writer.epoch = 1;
  end(broker, writer, false);
  writer.epoch = 0;
  EXPECT_EQ(produce(broker, writer.batch()).error_code, ErrorCode::invalid_producer_epoch);
  const Frame marker = protocol::control_batch({1, 1, 0, true}, 0);
  EXPECT_EQ(produce(broker, marker).error_code, ErrorCode::invalid_record) << "a client decides nothing";
}

TEST(TransactionalProduce, WhatIsKnownSurvivesAStop) {
  SCOPED_TRACE("fails if a restart shows undecided or aborted records, or forgets who was fenced");
  TestBroker broker(kUnverified);
  broker.create("t");
  Writer dropped{.id = 1};
  Writer open{.id = 2};
  (void)produce(broker, dropped.batch());  // 0
  dropped.epoch = 1;
  end(broker, dropped, false);          // 1
  (void)produce(broker, make_batch());  // 2
  (void)produce(broker, open.batch());  // 3
  for (int i = 0; i < 3; ++i) {
    const auto answer = only(broker.ask<FetchResponse>(committed_request(0), 11));
    EXPECT_EQ(answer.last_stable_offset, 3);
    EXPECT_THAT(seen_by_client(answer, 0), ElementsAre(2));
    EXPECT_EQ(produce(broker, Writer{.id = 1, .sequence = 1}.batch()).error_code, ErrorCode::invalid_producer_epoch);
    if (i == 0) broker.crash_and_reopen();
    if (i == 1) broker.close_and_reopen();
  }
  end(broker, open, true);
  EXPECT_THAT(seen_by_client(only(broker.ask<FetchResponse>(committed_request(0), 11)), 0), ElementsAre(2, 3));
}

TEST(TransactionalOffsets, OfAFencedProducerOrAnEndedTransactionAreRefused) {
  SCOPED_TRACE("fails if a producer that was replaced commits offsets, or some become pending that nobody will decide");
  TestBroker broker(kUnverified);
  ASSERT_EQ(broker->open_groups(broker.clock.now()), ErrorCode::none);
  core::Partition& partition = *broker->groups().log().partition();
  const auto commit = [&](std::int16_t epoch, core::Partition::Verified verified) {
    std::vector<core::OffsetToCommit> offsets{{.where = {"t", 0}, .value = {.offset = 5, .metadata = ""}}};
    core::Wakeups wakeups;
    broker->groups().commit({.group = "g", .producer = {7, epoch, verified}}, offsets, nullptr,
                            {broker.clock.now(), wakeups});
    return offsets[0].error;
  };
  EXPECT_EQ(commit(0, partition.marker_offset(7)), ErrorCode::none);
  EXPECT_EQ(partition.offsets()->last_stable_offset, 0);
  core::Wakeups wakeups;
  ASSERT_TRUE(partition.end_transaction({7, 0, 0, true}, broker.clock.now(), nullptr, wakeups));
  EXPECT_EQ(commit(0, -1), ErrorCode::invalid_txn_state);
  ASSERT_TRUE(partition.end_transaction({7, 1, 0, false}, broker.clock.now(), nullptr, wakeups));
  EXPECT_EQ(commit(0, std::nullopt), ErrorCode::invalid_producer_epoch);
  EXPECT_EQ(partition.offsets()->last_stable_offset, 3);
}

TEST(IsolatedListOffsets, EndAtTheLastStableOffset) {
  SCOPED_TRACE("fails if a consumer of committed records is sent behind what it can read");
  TestBroker broker(kUnverified);
  broker.create("t");
  Writer open{.id = 1};
  (void)produce(broker, make_batch({.timestamp_ms = 1000}));
  (void)produce(broker, open.batch());
  (void)produce(broker, make_batch({.timestamp_ms = 5000}));
  const auto look_up = [&](std::int64_t timestamp, std::int8_t isolation_level, std::int16_t version = 7) {
    ListOffsetsRequest request;
    request.isolation_level = isolation_level;
    request.topics.push_back({.name = "t", .partitions = {{.partition_index = 0, .timestamp = timestamp}}});
    return broker.ask<ListOffsetsResponse>(request, version).topics[0].partitions[0].offset;
  };
  for (std::int16_t version = 2; version <= 7; ++version) {
    EXPECT_EQ(look_up(protocol::kLatestTimestamp, 0, version), 3);
    EXPECT_EQ(look_up(protocol::kLatestTimestamp, kReadCommitted, version), 1);
    EXPECT_EQ(look_up(protocol::kEarliestTimestamp, kReadCommitted, version), 0);
    EXPECT_EQ(look_up(1000, kReadCommitted, version), 0);
  }
  EXPECT_EQ(look_up(2000, 0), 1);
  EXPECT_EQ(look_up(2000, kReadCommitted), -1) << "it is there, but nobody may read it yet";
  EXPECT_EQ(look_up(protocol::kMaxTimestamp, kReadCommitted), 0);
}

TEST(DescribeProducers, TellsWhereTransactionsBegan) {
  SCOPED_TRACE("fails if a transaction that hangs cannot be found");
  TestBroker broker(kUnverified);
  broker.create("t");
  Writer open{.id = 5, .epoch = 2};
  Writer ended{.id = 3};
  (void)produce(broker, ended.batch(4));
  end(broker, ended, true);
  (void)produce(broker, open.batch());
  (void)produce(broker, open.batch());
  protocol::DescribeProducersRequest request;
  request.topics.push_back({.name = "t", .partition_indexes = {0, 9}});
  request.topics.push_back({.name = "nowhere", .partition_indexes = {0}});
  const auto answer = broker.ask<protocol::DescribeProducersResponse>(request, 0);
  ASSERT_EQ(answer.topics.size(), 2U);
  ASSERT_EQ(answer.topics[0].partitions.size(), 2U);
  using Producer = protocol::DescribeProducersResponse::Topic::Partition::Producer;
  EXPECT_THAT(answer.topics[0].partitions[0].active_producers,
              ElementsAre(Producer{.producer_id = 3,
                                   .producer_epoch = 0,
                                   .last_sequence = 3,
                                   .last_timestamp = broker.clock.wall_ms,
                                   .coordinator_epoch = 0,
                                   .current_txn_start_offset = -1},
                          Producer{.producer_id = 5,
                                   .producer_epoch = 2,
                                   .last_sequence = 1,
                                   .last_timestamp = broker.clock.wall_ms,
                                   .coordinator_epoch = -1,
                                   .current_txn_start_offset = 5}));
  EXPECT_EQ(answer.topics[0].partitions[1].error_code, ErrorCode::unknown_topic_or_partition);
  EXPECT_EQ(answer.topics[1].partitions.at(0).error_code, ErrorCode::unknown_topic_or_partition);
}

TEST(OffsetForLeaderEpoch, OneEpochAndItsEnd) {
  SCOPED_TRACE("fails if a consumer takes its records for lost, or believes in a leader that there is not");
  TestBroker broker(kUnverified);
  broker.create("t");
  (void)produce(broker, make_batch({.records = 3}));
  const auto ask = [&](std::int32_t epoch, std::int32_t current, std::int16_t version, std::int32_t index = 0) {
    protocol::OffsetForLeaderEpochRequest request;
    request.topics.push_back(
        {.topic = "t", .partitions = {{.partition = index, .current_leader_epoch = current, .leader_epoch = epoch}}});
    return broker.ask<protocol::OffsetForLeaderEpochResponse>(request, version).topics.at(0).partitions.at(0);
  };
  for (std::int16_t version = 2; version <= 4; ++version) {
    for (const std::int32_t current : {-1, 0}) {
      EXPECT_EQ(ask(0, current, version).error_code, ErrorCode::none);
      EXPECT_EQ(ask(0, current, version).leader_epoch, 0);
      EXPECT_EQ(ask(0, current, version).end_offset, 3);
    }
    for (const std::int32_t unknown : {-1, 1, 7}) {
      EXPECT_EQ(ask(unknown, -1, version).error_code, ErrorCode::none);
      EXPECT_EQ(ask(unknown, -1, version).leader_epoch, -1);
      EXPECT_EQ(ask(unknown, -1, version).end_offset, -1);
    }
    EXPECT_EQ(ask(0, 1, version).error_code, ErrorCode::unknown_leader_epoch);
    EXPECT_EQ(ask(0, -2, version).error_code, ErrorCode::fenced_leader_epoch);
    EXPECT_EQ(ask(0, 0, version, 4).error_code, ErrorCode::unknown_topic_or_partition);
  }
}

TEST(LeaderEpochs, AreLookedAtByReaders) {
  SCOPED_TRACE("fails if a client that knows of another leader is served as if it did not");
  TestBroker broker(kUnverified);
  broker.create("t");
  for (const auto& [current, expected] :
       {std::pair{-1, ErrorCode::none}, std::pair{0, ErrorCode::none}, std::pair{1, ErrorCode::unknown_leader_epoch},
        std::pair{-2, ErrorCode::fenced_leader_epoch}}) {
    FetchRequest fetched = fetch_request("t", 0, 0);
    fetched.topics[0].partitions[0].current_leader_epoch = current;
    EXPECT_EQ(only(broker.ask<FetchResponse>(fetched, 11)).error_code, expected);
    ListOffsetsRequest listed;
    listed.topics.push_back(
        {.name = "t", .partitions = {{.partition_index = 0, .current_leader_epoch = current, .timestamp = -1}}});
    EXPECT_EQ(broker.ask<ListOffsetsResponse>(listed, 7).topics[0].partitions[0].error_code, expected);
  }
}

}  // namespace
}  // namespace iolab::handlers
