// What an administrator changes while the broker runs. A failure here means that a change is not made, not kept over a
// restart, made although it was only to be checked, or that something else than what is was told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/protocol/messages/21_delete_records.h"
#include "broker/protocol/messages/32_describe_configs.h"
#include "broker/protocol/messages/33_alter_configs.h"
#include "broker/protocol/messages/35_describe_log_dirs.h"
#include "broker/protocol/messages/43_elect_leaders.h"
#include "broker/protocol/messages/44_incremental_alter_configs.h"
#include "broker/protocol/messages/45_alter_partition_reassignments.h"
#include "broker/protocol/messages/46_list_partition_reassignments.h"
#include "broker/protocol/messages/75_describe_topic_partitions.h"
#include "broker/protocol/record_reader.h"
#include "tests/broker/core/test_broker.h"

namespace iolab::handlers {
namespace {

using namespace protocol;
using test::TestBroker;

constexpr std::int8_t kTopic = 2;
constexpr std::int8_t kBroker = 4;
constexpr std::int8_t kSet = 0, kDelete = 1, kAppend = 2;

IncrementalAlterConfigsRequest change(const std::string& topic, const std::string& name, std::int8_t operation,
                                      const std::optional<std::string>& value, std::int8_t type = kTopic) {
  IncrementalAlterConfigsRequest request;
  request.resources.push_back({.resource_type = type,
                               .resource_name = topic,
                               .configs = {{.name = name, .config_operation = operation, .value = value}}});
  return request;
}

ErrorCode ask_to(TestBroker& broker, const IncrementalAlterConfigsRequest& request) {
  return broker.ask<IncrementalAlterConfigsResponse>(request, 1).responses.at(0).error_code;
}

DescribeConfigsResponse::Result::Config described(TestBroker& broker, const std::string& topic,
                                                  const std::string& name) {
  DescribeConfigsRequest request;
  request.resources.push_back(
      {.resource_type = kTopic, .resource_name = topic, .configuration_keys = std::vector<std::string>{name}});
  return broker.ask<DescribeConfigsResponse>(request, 4).results.at(0).configs.at(0);
}

ProduceResponse::Topic::Partition produce(TestBroker& broker, const std::string& topic, const test::Frame& batch,
                                          std::int16_t acks = -1) {
  return broker.ask<ProduceResponse>(test::produce_request(topic, 0, batch, acks), 9)
      .responses.at(0)
      .partition_responses.at(0);
}

FetchResponse::Topic::Partition fetch(TestBroker& broker, const std::string& topic, std::int64_t offset) {
  return broker.ask<FetchResponse>(test::fetch_request(topic, 0, offset), 11).responses.at(0).partitions.at(0);
}

TEST(IncrementalAlterConfigs, ActsAtOnceAndAfterARestart) {
  SCOPED_TRACE("a setting is stored and does not act, or acts and is forgotten");
  TestBroker broker;
  broker.create("t");
  const test::Frame batch = test::make_batch({.value_bytes = 500});
  EXPECT_EQ(produce(broker, "t", batch).error_code, ErrorCode::none);
  EXPECT_EQ(ask_to(broker, change("t", "max.message.bytes", kSet, "100")), ErrorCode::none);
  for (int life = 0; life < 3; ++life) {
    EXPECT_EQ(produce(broker, "t", batch).error_code, ErrorCode::message_too_large);
    EXPECT_EQ(described(broker, "t", "max.message.bytes").value, "100");
    EXPECT_EQ(described(broker, "t", "max.message.bytes").config_source, 1);
    if (life == 0) broker.crash_and_reopen();
    if (life == 1) broker.close_and_reopen();
  }
  EXPECT_EQ(ask_to(broker, change("t", "max.message.bytes", kDelete, std::nullopt)), ErrorCode::none);
  EXPECT_EQ(produce(broker, "t", batch).error_code, ErrorCode::none);
  EXPECT_EQ(described(broker, "t", "max.message.bytes").config_source, 5);
}

TEST(IncrementalAlterConfigs, TheLogHearsOfIt) {
  SCOPED_TRACE("segments or times go on as the topic was created");
  TestBroker broker;
  broker.create("t");
  const auto partition = broker->topics().find("t")->partitions.at(0);
  EXPECT_EQ(ask_to(broker, change("t", "segment.bytes", kSet, "1024")), ErrorCode::none);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(produce(broker, "t", test::make_batch({.value_bytes = 500})).error_code, ErrorCode::none);
  }
  EXPECT_EQ(ask_to(broker, change("t", "retention.bytes", kSet, "1")), ErrorCode::none);
  broker->run_timers({broker.clock.now().wall_ms, broker.clock.now().steady_ms + 400'000});
  broker->run_flushes(broker.clock.now());
  EXPECT_GE(partition->offsets()->start, 8);
  EXPECT_EQ(ask_to(broker, change("t", "message.timestamp.type", kSet, "LogAppendTime")), ErrorCode::none);
  EXPECT_EQ(produce(broker, "t", test::make_batch()).log_append_time_ms, broker.clock.now().wall_ms);
}

TEST(IncrementalAlterConfigs, ChecksAndRefuses) {
  SCOPED_TRACE("something changes that was refused or only to be checked, or a refusal has another code than Kafka's");
  TestBroker broker;
  broker.create("t");
  auto checked = change("t", "retention.ms", kSet, "1");
  checked.validate_only = true;
  EXPECT_EQ(ask_to(broker, checked), ErrorCode::none);
  EXPECT_EQ(described(broker, "t", "retention.ms").config_source, 5);
  EXPECT_EQ(ask_to(broker, change("t", "retention.ms", kSet, "soon")), ErrorCode::invalid_config);
  EXPECT_EQ(ask_to(broker, change("t", "no.such", kSet, "1")), ErrorCode::invalid_config);
  EXPECT_EQ(ask_to(broker, change("t", "retention.ms", kAppend, "1")), ErrorCode::invalid_config);
  EXPECT_EQ(ask_to(broker, change("nowhere", "retention.ms", kSet, "1")), ErrorCode::unknown_topic_or_partition);
  EXPECT_EQ(ask_to(broker, change("../x", "retention.ms", kSet, "1")), ErrorCode::invalid_topic_exception);
  EXPECT_EQ(ask_to(broker, change("1", "log.retention.ms", kSet, "1", kBroker)), ErrorCode::invalid_request);
  EXPECT_EQ(ask_to(broker, change("1", "no.such", kSet, "1", kBroker)), ErrorCode::invalid_config);
  EXPECT_EQ(ask_to(broker, change("9", "log.retention.ms", kSet, "1", kBroker)), ErrorCode::invalid_request);
  EXPECT_EQ(ask_to(broker, change("x", "y", kSet, "1", 8)), ErrorCode::invalid_request);
  auto twice = change("t", "retention.ms", kSet, "1");
  twice.resources.push_back(twice.resources[0]);
  EXPECT_EQ(ask_to(broker, twice), ErrorCode::invalid_request);
  auto half = change("t", "retention.ms", kSet, "1");
  half.resources[0].configs.push_back({.name = "segment.bytes", .config_operation = kSet, .value = "few"});
  EXPECT_EQ(ask_to(broker, half), ErrorCode::invalid_config);
  EXPECT_EQ(described(broker, "t", "retention.ms").config_source, 5) << "half of a request was done";
  EXPECT_EQ(ask_to(broker, change("t", "cleanup.policy", kAppend, "compact")), ErrorCode::none);
  EXPECT_EQ(described(broker, "t", "cleanup.policy").value, "delete,compact");
}

TEST(AlterConfigs, WhatIsNotNamedIsTakenBack) {
  SCOPED_TRACE("the older request leaves settings in force that it does not name");
  TestBroker broker;
  broker.create("t", 1, {{"retention.ms", "1000"}, {"segment.bytes", "2000"}});
  AlterConfigsRequest request;
  request.resources.push_back(
      {.resource_type = kTopic, .resource_name = "t", .configs = {{.name = "segment.bytes", .value = "3000"}}});
  for (std::int16_t version = 0; version <= 2; ++version) {
    EXPECT_EQ(broker.ask<AlterConfigsResponse>(request, version).responses.at(0).error_code, ErrorCode::none);
  }
  broker.crash_and_reopen();
  EXPECT_EQ(described(broker, "t", "segment.bytes").value, "3000");
  EXPECT_EQ(described(broker, "t", "retention.ms").config_source, 5);
  request.resources[0].configs[0].value.reset();
  EXPECT_EQ(broker.ask<AlterConfigsResponse>(request, 2).responses.at(0).error_code, ErrorCode::invalid_request);
}

TEST(CreateTopics, KeepsSettingsThatHaveNoEffect) {
  SCOPED_TRACE("a setting of Kafka's that means nothing here is refused or forgotten, or is not checked");
  TestBroker broker;
  broker.create("t", 1,
                {{"file.delete.delay.ms", "1"},
                 {"unclean.leader.election.enable", "true"},
                 {"follower.replication.throttled.replicas", "*"}});
  broker.crash_and_reopen();
  EXPECT_EQ(described(broker, "t", "file.delete.delay.ms").value, "1");
  EXPECT_EQ(described(broker, "t", "file.delete.delay.ms").config_source, 1);
  EXPECT_EQ(described(broker, "t", "preallocate").value, "false");
  EXPECT_EQ(ask_to(broker, change("t", "preallocate", kSet, "perhaps")), ErrorCode::invalid_config);
}

TEST(Produce, ACompactedTopicNeedsKeys) {
  SCOPED_TRACE("a record without a key gets into a log where it means nothing, or nobody says which one it was");
  TestBroker broker;
  broker.create("t", 1, {{"cleanup.policy", "compact"}});
  BatchBuilder builder({.compression = Compression::lz4});
  builder.add({.timestamp_ms = 0, .key = base::as_bytes("k"), .value = base::as_bytes("v"), .headers = {}});
  builder.add({.timestamp_ms = 0, .key = {}, .value = base::as_bytes("v"), .headers = {}});
  const auto refused = produce(broker, "t", builder.finish());
  EXPECT_EQ(refused.error_code, ErrorCode::invalid_record);
  EXPECT_EQ(refused.base_offset, -1);
  ASSERT_EQ(refused.record_errors.size(), 1U);
  EXPECT_EQ(refused.record_errors[0].batch_index, 1);
  EXPECT_TRUE(refused.error_message);
  builder.add({.timestamp_ms = 0, .key = base::as_bytes("k"), .value = base::as_bytes("v"), .headers = {}});
  EXPECT_EQ(produce(broker, "t", builder.finish()).error_code, ErrorCode::none);
}

TEST(Produce, ATopicsCodecIsThatOfItsBatches) {
  SCOPED_TRACE("batches are kept in another codec than the topic asks for, or changed by the change of codec");
  for (const std::string wanted : {"uncompressed", "gzip", "snappy", "lz4", "zstd"}) {
    TestBroker broker;
    broker.create("t", 1, {{"compression.type", wanted}});
    for (int codec = 0; codec < kCompressionCount; ++codec) {
      const test::Frame batch = test::make_batch(
          {.records = 20, .value_bytes = 200, .builder = {.compression = static_cast<Compression>(codec)}});
      ASSERT_EQ(produce(broker, "t", batch).error_code, ErrorCode::none);
      const auto fetched = fetch(broker, "t", codec * 20);
      const auto kept = first_batch(fetched.records->bytes).value();
      EXPECT_EQ(kept.compression(), compression_named(wanted).value_or(Compression::none));
      EXPECT_TRUE(check_stored(kept));
      const auto sent = first_batch(batch).value();
      RecordReader before(sent);
      RecordReader after(kept);
      for (int i = 0; i < 20; ++i) {
        const Record* record = after.next();
        ASSERT_NE(record, nullptr);
        const Record* original = before.next();
        EXPECT_TRUE(base::equal(*record->value, *original->value));
        EXPECT_EQ(record->timestamp_ms, original->timestamp_ms);
        EXPECT_EQ(record->offset, codec * 20 + i);
      }
    }
  }
}

TEST(Produce, AcksAllNeedsTheReplicasThatTheTopicAsksFor) {
  SCOPED_TRACE("a record is acknowledged as if it were on more brokers than there are");
  TestBroker broker;
  broker.create("t", 1, {{"min.insync.replicas", "2"}});
  EXPECT_EQ(produce(broker, "t", test::make_batch(), -1).error_code, ErrorCode::not_enough_replicas);
  EXPECT_EQ(produce(broker, "t", test::make_batch(), 1).error_code, ErrorCode::none);
}

DeleteRecordsResponse::Topic::Partition delete_before(TestBroker& broker, const std::string& topic, std::int64_t offset,
                                                      std::int32_t partition = 0) {
  DeleteRecordsRequest request;
  request.topics.push_back({.name = topic, .partitions = {{.partition_index = partition, .offset = offset}}});
  return broker.ask<DeleteRecordsResponse>(request, 2).topics.at(0).partitions.at(0);
}

TEST(DeleteRecords, MovesTheStartForGood) {
  SCOPED_TRACE("deleted records are read again, or others are gone, or the start is forgotten over a restart");
  TestBroker broker;
  broker.create("t", 1, {{"segment.bytes", "1024"}});
  for (int i = 0; i < 10; ++i) ASSERT_EQ(produce(broker, "t", test::make_batch({.value_bytes = 400})).base_offset, i);
  const auto bytes_before = *broker->topics().find("t")->partitions.at(0)->size_bytes();
  const auto done = delete_before(broker, "t", 7);
  EXPECT_EQ(done.error_code, ErrorCode::none);
  EXPECT_EQ(done.low_watermark, 7);
  EXPECT_LT(*broker->topics().find("t")->partitions.at(0)->size_bytes(), bytes_before);
  for (int life = 0; life < 3; ++life) {
    EXPECT_EQ(fetch(broker, "t", 6).error_code, ErrorCode::offset_out_of_range);
    const auto fetched = fetch(broker, "t", 7);
    EXPECT_EQ(fetched.error_code, ErrorCode::none);
    EXPECT_EQ(fetched.log_start_offset, 7);
    if (life == 0) broker.crash_and_reopen();
    if (life == 1) broker.close_and_reopen();
  }
  EXPECT_EQ(delete_before(broker, "t", 3).low_watermark, 7) << "what is below the start is deleted already";
  EXPECT_EQ(delete_before(broker, "t", 11).error_code, ErrorCode::offset_out_of_range);
  EXPECT_EQ(delete_before(broker, "t", 11).low_watermark, -1);
  EXPECT_EQ(delete_before(broker, "t", -2).error_code, ErrorCode::offset_out_of_range);
  EXPECT_EQ(delete_before(broker, "t", -1).low_watermark, 10);
  broker.close_and_reopen();
  EXPECT_EQ(produce(broker, "t", test::make_batch()).base_offset, 10);
}

TEST(DeleteRecords, NotEverywhere) {
  SCOPED_TRACE("records are deleted of a topic that keeps the last of each key, or of the broker's own");
  TestBroker broker;
  broker.create("compacted", 1, {{"cleanup.policy", "compact"}});
  EXPECT_EQ(delete_before(broker, "compacted", 0).error_code, ErrorCode::policy_violation);
  EXPECT_EQ(delete_before(broker, "nowhere", 0).error_code, ErrorCode::unknown_topic_or_partition);
  EXPECT_EQ(delete_before(broker, "compacted", 0, 1).error_code, ErrorCode::unknown_topic_or_partition);
  EXPECT_EQ(delete_before(broker, "__consumer_offsets", 0).error_code, ErrorCode::invalid_topic_exception);
}

TEST(DescribeLogDirs, CountsBytes) {
  SCOPED_TRACE("a partition's bytes are not those in its files, or partitions are missing");
  TestBroker broker;
  broker.create("a", 2);
  broker.create("b");
  const test::Frame batch = test::make_batch({.value_bytes = 1000});
  ASSERT_EQ(produce(broker, "a", batch).error_code, ErrorCode::none);
  DescribeLogDirsRequest request;
  request.topics.reset();
  for (std::int16_t version = 1; version <= 4; ++version) {
    const auto answer = broker.ask<DescribeLogDirsResponse>(request, version);
    ASSERT_EQ(answer.results.size(), 1U);
    const auto& directory = answer.results[0];
    EXPECT_EQ(directory.log_dir, broker.directory().string());
    ASSERT_EQ(directory.topics.size(), 2U);
    EXPECT_EQ(directory.topics[0].partitions.at(0).partition_size, std::ssize(batch));
    EXPECT_EQ(directory.topics[0].partitions.at(1).partition_size, 0);
    EXPECT_EQ(directory.total_bytes > 0, version >= 4);
  }
  request.topics = std::vector<DescribeLogDirsRequest::Topic>{{.topic = "b", .partitions = {0, 7}},
                                                              {.topic = "nowhere", .partitions = {0}}};
  const auto some = broker.ask<DescribeLogDirsResponse>(request, 4).results.at(0);
  ASSERT_EQ(some.topics.size(), 1U);
  EXPECT_EQ(some.topics[0].partitions.size(), 1U);
}

TEST(OneBroker, LeadsEverythingAndMovesNothing) {
  SCOPED_TRACE("an administrator's tool is told of an election or a move that cannot be");
  TestBroker broker;
  broker.create("t", 2);
  ElectLeadersRequest elect;
  elect.topic_partitions = std::vector<ElectLeadersRequest::TopicPartitions>{{.topic = "t", .partitions = {1, 2}}};
  for (std::int16_t version = 0; version <= 2; ++version) {
    const auto elected = broker.ask<ElectLeadersResponse>(elect, version).replica_election_results.at(0);
    EXPECT_EQ(elected.partition_result.at(0).error_code, ErrorCode::election_not_needed);
    EXPECT_EQ(elected.partition_result.at(1).error_code, ErrorCode::unknown_topic_or_partition);
  }
  elect.topic_partitions.reset();
  EXPECT_TRUE(broker.ask<ElectLeadersResponse>(elect, 2).replica_election_results.empty());

  AlterPartitionReassignmentsRequest move;
  move.topics.push_back({.name = "t",
                         .partitions = {{.partition_index = 0, .replicas = std::vector<std::int32_t>{1}},
                                        {.partition_index = 0, .replicas = std::vector<std::int32_t>{1, 2}},
                                        {.partition_index = 0, .replicas = std::nullopt},
                                        {.partition_index = 9, .replicas = std::vector<std::int32_t>{1}}}});
  const auto moved = broker.ask<AlterPartitionReassignmentsResponse>(move, 0).responses.at(0).partitions;
  EXPECT_EQ(moved.at(0).error_code, ErrorCode::none);
  EXPECT_EQ(moved.at(1).error_code, ErrorCode::invalid_replica_assignment);
  EXPECT_EQ(moved.at(2).error_code, ErrorCode::no_reassignment_in_progress);
  EXPECT_EQ(moved.at(3).error_code, ErrorCode::unknown_topic_or_partition);
  EXPECT_TRUE(broker.ask<ListPartitionReassignmentsResponse>(ListPartitionReassignmentsRequest{}, 0).topics.empty());
}

TEST(DescribeTopicPartitions, PageByPage) {
  SCOPED_TRACE("a partition is told twice or never by an administrator's tool that turns pages");
  TestBroker broker;
  broker.create("b", 3);
  broker.create("a", 2);
  broker.create("c", 1);
  DescribeTopicPartitionsRequest request;
  EXPECT_EQ(broker.ask<DescribeTopicPartitionsResponse>(request, 0).topics.size(), 3U);
  for (std::int32_t limit = 1; limit < 8; ++limit) {
    request.response_partition_limit = limit;
    request.cursor.reset();
    std::vector<std::string> found;
    for (int page = 0; page < 10; ++page) {
      const auto answer = broker.ask<DescribeTopicPartitionsResponse>(request, 0);
      for (const auto& topic : answer.topics) {
        for (const auto& partition : topic.partitions) {
          found.push_back(*topic.name + std::to_string(partition.partition_index));
        }
      }
      if (!answer.next_cursor) break;
      request.cursor.emplace(
          DescribeTopicPartitionsRequest::Cursor{answer.next_cursor->topic_name, answer.next_cursor->partition_index});
    }
    EXPECT_THAT(found, ::testing::ElementsAre("a0", "a1", "b0", "b1", "b2", "c0")) << "pages of " << limit;
  }
  request = {};
  request.topics = {{.name = "nowhere"}, {.name = "c"}};
  const auto named = broker.ask<DescribeTopicPartitionsResponse>(request, 0);
  ASSERT_EQ(named.topics.size(), 2U);
  EXPECT_EQ(named.topics[0].name, "c");
  EXPECT_EQ(named.topics[1].error_code, ErrorCode::unknown_topic_or_partition);
}

}  // namespace
}  // namespace iolab::handlers
