// Topics and what is told about them: a failure here means that a topic is created, kept or described wrongly.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/protocol/messages/03_metadata.h"
#include "broker/protocol/messages/20_delete_topics.h"
#include "broker/protocol/messages/32_describe_configs.h"
#include "broker/protocol/messages/37_create_partitions.h"
#include "broker/protocol/messages/60_describe_cluster.h"
#include "tests/broker/core/test_broker.h"

namespace iolab::handlers {
namespace {

using protocol::CreatePartitionsRequest;
using protocol::CreatePartitionsResponse;
using protocol::CreateTopicsRequest;
using protocol::CreateTopicsResponse;
using protocol::DeleteTopicsRequest;
using protocol::DeleteTopicsResponse;
using protocol::DescribeConfigsRequest;
using protocol::DescribeConfigsResponse;
using protocol::ErrorCode;
using protocol::MetadataRequest;
using protocol::MetadataResponse;
using test::TestBroker;

MetadataRequest about(const std::vector<std::string>& names) {
  MetadataRequest request;
  for (const std::string& name : names) request.topics->push_back({.name = name});
  return request;
}

MetadataRequest about_all() {
  MetadataRequest request;
  request.topics.reset();
  return request;
}

CreateTopicsRequest create_request(const std::string& name, std::int32_t partitions = -1, std::int16_t replicas = -1) {
  CreateTopicsRequest request;
  auto& topic = request.topics.emplace_back();
  topic.name = name;
  topic.num_partitions = partitions;
  topic.replication_factor = replicas;
  return request;
}

TEST(Metadata, EveryVersionSaysWhoLeads) {
  // Fails if a client of any version cannot find the leader of a partition.
  TestBroker broker;
  broker.create("t", 3);
  for (std::int16_t version = 0; version <= 12; ++version) {
    const auto answer = broker.ask<MetadataResponse>(about({"t"}), version);
    ASSERT_EQ(answer.brokers.size(), 1U);
    EXPECT_EQ(answer.brokers[0].host, "127.0.0.1");
    EXPECT_EQ(answer.brokers[0].port, 9092);
    ASSERT_EQ(answer.topics.size(), 1U) << "version " << version;
    ASSERT_EQ(answer.topics[0].partitions.size(), 3U);
    EXPECT_EQ(answer.topics[0].partitions[2].leader_id, answer.brokers[0].node_id);
  }
}

TEST(Metadata, AllAndNone) {
  // Fails if "all" and "none" are told apart otherwise than each version says.
  TestBroker broker;
  broker.create("a");
  broker.create("b");
  EXPECT_EQ(broker.ask<MetadataResponse>(about({}), 0).topics.size(), 2U) << "in version 0 an empty list means all";
  EXPECT_EQ(broker.ask<MetadataResponse>(about({}), 1).topics.size(), 0U);
  EXPECT_EQ(broker.ask<MetadataResponse>(about_all(), 1).topics.size(), 2U);
  EXPECT_EQ(broker.ask<MetadataResponse>(about_all(), 12).topics.size(), 2U);
}

TEST(Metadata, CreatesWhatIsMissingIfAllowed) {
  // Fails if a topic appears that nobody may create, or does not appear where a producer counts on it.
  TestBroker broker(core::Overrides{{"num.partitions", "4"}});
  EXPECT_EQ(broker.ask<MetadataResponse>(about({"new"}), 4).topics[0].partitions.size(), 4U);
  EXPECT_TRUE(broker->topics().find("new"));
  MetadataRequest forbidden = about({"other"});
  forbidden.allow_auto_topic_creation = false;
  EXPECT_EQ(broker.ask<MetadataResponse>(forbidden, 4).topics[0].error_code, ErrorCode::unknown_topic_or_partition);
  EXPECT_EQ(broker.ask<MetadataResponse>(about({"../x"}), 4).topics[0].error_code, ErrorCode::invalid_topic_exception);
  EXPECT_FALSE(broker->topics().find("other"));

  TestBroker strict(core::Overrides{{"auto.create.topics.enable", "false"}});
  EXPECT_EQ(strict.ask<MetadataResponse>(about({"t"}), 4).topics[0].error_code, ErrorCode::unknown_topic_or_partition);
}

TEST(Metadata, ById) {
  // Fails if a topic that was created again is taken for the one before.
  TestBroker broker;
  broker.create("t");
  const auto id = broker->topics().find("t")->id;
  MetadataRequest request;
  request.topics->push_back({.topic_id = id, .name = std::nullopt});
  request.topics->push_back({.topic_id = {1, 2, 3}, .name = std::nullopt});
  const auto answer = broker.ask<MetadataResponse>(request, 12);
  EXPECT_EQ(answer.topics[0].name, "t");
  EXPECT_EQ(answer.topics[1].error_code, ErrorCode::unknown_topic_id);
}

TEST(CreateTopics, DefaultsAndRefusals) {
  // Fails if a topic is created that cannot be served, or a possible one is refused.
  TestBroker broker(core::Overrides{{"num.partitions", "3"}});
  const auto create = [&](const CreateTopicsRequest& request) {
    return broker.ask<CreateTopicsResponse>(request, 7).topics.at(0);
  };
  const auto made = create(create_request("t"));
  EXPECT_EQ(made.error_code, ErrorCode::none);
  EXPECT_EQ(made.num_partitions, 3);
  EXPECT_EQ(made.topic_id, broker->topics().find("t")->id);
  EXPECT_GT(made.configs->size(), 5U);
  EXPECT_EQ(create(create_request("t")).error_code, ErrorCode::topic_already_exists);
  EXPECT_EQ(create(create_request("u", 0)).error_code, ErrorCode::invalid_partitions);
  EXPECT_EQ(create(create_request("u", 2'000'000'000)).error_code, ErrorCode::invalid_partitions);
  EXPECT_EQ(create(create_request("u", 1, 3)).error_code, ErrorCode::invalid_replication_factor);
  EXPECT_EQ(create(create_request("u", 2, 1)).error_code, ErrorCode::none);
  for (const std::string& name : {std::string("../x"), std::string("a\0b", 3), std::string(250, 'a'), std::string(),
                                  std::string("."), std::string(".."), std::string("a/b"), std::string("a b")}) {
    EXPECT_EQ(create(create_request(name)).error_code, ErrorCode::invalid_topic_exception) << name;
  }
  EXPECT_EQ(create(create_request(std::string(249, 'a'))).error_code, ErrorCode::none);
}

TEST(CreateTopics, SettingsAssignmentsAndValidation) {
  // Fails if a topic's settings are lost or not checked, or if validate_only changes something.
  TestBroker broker;
  CreateTopicsRequest request = create_request("t");
  request.topics[0].configs.push_back({.name = "retention.ms", .value = "1000"});
  request.validate_only = true;
  EXPECT_EQ(broker.ask<CreateTopicsResponse>(request, 7).topics[0].error_code, ErrorCode::none);
  EXPECT_FALSE(broker->topics().find("t"));
  request.validate_only = false;
  EXPECT_EQ(broker.ask<CreateTopicsResponse>(request, 7).topics[0].error_code, ErrorCode::none);
  broker.close_and_reopen();
  EXPECT_EQ(broker->topics().find("t")->settings.retention_ms, 1000) << "forgotten over a restart";

  request = create_request("u");
  request.topics[0].configs.push_back({.name = "retention.ms", .value = "soon"});
  const auto refused = broker.ask<CreateTopicsResponse>(request, 7).topics[0];
  EXPECT_EQ(refused.error_code, ErrorCode::invalid_config);
  EXPECT_THAT(*refused.error_message, ::testing::HasSubstr("retention.ms=soon"));

  request = create_request("u");
  request.topics[0].assignments = {{.partition_index = 1, .broker_ids = {1}},
                                   {.partition_index = 0, .broker_ids = {1}}};
  EXPECT_EQ(broker.ask<CreateTopicsResponse>(request, 7).topics[0].num_partitions, 2);
  request.topics[0].name = "v";
  request.topics[0].assignments[1].broker_ids = {2};
  EXPECT_EQ(broker.ask<CreateTopicsResponse>(request, 7).topics[0].error_code, ErrorCode::invalid_replica_assignment);
  request.topics[0].assignments = {{.partition_index = 5, .broker_ids = {1}}};
  EXPECT_EQ(broker.ask<CreateTopicsResponse>(request, 7).topics[0].error_code, ErrorCode::invalid_replica_assignment);

  request = create_request("w");
  request.topics.push_back(request.topics[0]);
  EXPECT_EQ(broker.ask<CreateTopicsResponse>(request, 7).topics[1].error_code, ErrorCode::invalid_request);
  EXPECT_FALSE(broker->topics().find("w"));
}

TEST(CreatePartitions, OnlyMore) {
  // Fails if partitions can be taken away, or new ones are forgotten.
  TestBroker broker;
  broker.create("t", 2);
  const auto grow = [&](const std::string& name, std::int32_t count, bool validate_only = false) {
    CreatePartitionsRequest request;
    auto& topic = request.topics.emplace_back();
    topic.name = name;
    topic.count = count;
    topic.assignments.reset();
    request.validate_only = validate_only;
    return broker.ask<CreatePartitionsResponse>(request, 3).results.at(0).error_code;
  };
  EXPECT_EQ(grow("t", 2), ErrorCode::invalid_partitions);
  EXPECT_EQ(grow("t", 1), ErrorCode::invalid_partitions);
  EXPECT_EQ(grow("t", -5), ErrorCode::invalid_partitions);
  EXPECT_EQ(grow("t", 2'000'000'000), ErrorCode::invalid_partitions);
  EXPECT_EQ(grow("nowhere", 5), ErrorCode::unknown_topic_or_partition);
  EXPECT_EQ(grow("t", 4, true), ErrorCode::none);
  EXPECT_EQ(broker->topics().find("t")->partitions.size(), 2U);
  EXPECT_EQ(grow("t", 4), ErrorCode::none);
  broker.crash_and_reopen();
  EXPECT_EQ(broker->topics().find("t")->partitions.size(), 4U);
}

TEST(DeleteTopics, ByNameAndById) {
  // Fails if a deleted topic comes back, or a name cannot be used again.
  TestBroker broker;
  broker.create("a");
  broker.create("b");
  const test::Frame batch = test::make_batch();
  (void)broker.ask<protocol::ProduceResponse>(test::produce_request("a", 0, batch), 9);
  DeleteTopicsRequest by_name;
  by_name.topic_names = {"a", "nowhere"};
  const auto first = broker.ask<DeleteTopicsResponse>(by_name, 5);
  EXPECT_EQ(first.responses[0].error_code, ErrorCode::none);
  EXPECT_EQ(first.responses[1].error_code, ErrorCode::unknown_topic_or_partition);
  DeleteTopicsRequest by_id;
  by_id.topics.push_back({.name = std::nullopt, .topic_id = broker->topics().find("b")->id});
  by_id.topics.push_back({.name = std::nullopt, .topic_id = {9}});
  const auto second = broker.ask<DeleteTopicsResponse>(by_id, 6);
  EXPECT_EQ(second.responses[0].error_code, ErrorCode::none);
  EXPECT_EQ(second.responses[1].error_code, ErrorCode::unknown_topic_id);
  broker.create("a");
  EXPECT_EQ(
      broker.ask<protocol::FetchResponse>(test::fetch_request("a", 0, 0), 11).responses[0].partitions[0].high_watermark,
      0)
      << "records of the topic before";
  broker->run_flushes(broker.clock.now());
  broker.crash_and_reopen();
  EXPECT_EQ(broker->topics().all().size(), 1U);

  TestBroker careful(core::Overrides{{"delete.topic.enable", "false"}});
  careful.create("a");
  EXPECT_EQ(careful.ask<DeleteTopicsResponse>(by_name, 5).responses[0].error_code, ErrorCode::topic_deletion_disabled);
}

TEST(DescribeConfigs, SaysWhereEachValueComesFrom) {
  // Fails if a setting is reported that is not in force, or from the wrong place.
  TestBroker broker(core::Overrides{{"log.retention.ms", "5000"}});
  broker.create("t", 1, {{"segment.bytes", "2048"}});
  DescribeConfigsRequest request;
  request.resources.push_back({.resource_type = 2, .resource_name = "t", .configuration_keys = std::nullopt});
  request.resources.push_back(
      {.resource_type = 4, .resource_name = "1", .configuration_keys = std::vector<std::string>{"log.retention.ms"}});
  request.resources.push_back({.resource_type = 2, .resource_name = "nowhere", .configuration_keys = std::nullopt});
  request.resources.push_back({.resource_type = 4, .resource_name = "77", .configuration_keys = std::nullopt});
  request.include_synonyms = true;
  request.include_documentation = true;
  const auto answer = broker.ask<DescribeConfigsResponse>(request, 4);
  const auto find = [&](const std::string& name) {
    for (const auto& config : answer.results[0].configs) {
      if (config.name == name) return config;
    }
    ADD_FAILURE() << name << " is not described";
    return DescribeConfigsResponse::Result::Config{};
  };
  EXPECT_EQ(find("segment.bytes").value, "2048");
  EXPECT_EQ(find("segment.bytes").config_source, 1);
  EXPECT_EQ(find("segment.bytes").synonyms.size(), 2U);
  EXPECT_EQ(find("retention.ms").value, "5000");
  EXPECT_EQ(find("retention.ms").config_source, 4);
  EXPECT_EQ(find("cleanup.policy").value, "delete");
  EXPECT_EQ(find("cleanup.policy").config_source, 5);
  EXPECT_TRUE(find("cleanup.policy").documentation);
  ASSERT_EQ(answer.results[1].configs.size(), 1U);
  EXPECT_EQ(answer.results[1].configs[0].value, "5000");
  EXPECT_EQ(answer.results[2].error_code, ErrorCode::unknown_topic_or_partition);
  EXPECT_EQ(answer.results[3].error_code, ErrorCode::invalid_request);
}

TEST(DescribeCluster, IsThisBroker) {
  // Fails if a client is sent elsewhere, or the cluster's id changes over a restart.
  TestBroker broker;
  const auto before = broker.ask<protocol::DescribeClusterResponse>(protocol::DescribeClusterRequest{}, 1);
  EXPECT_EQ(before.brokers.at(0).port, 9092);
  EXPECT_EQ(before.cluster_id.size(), 22U);
  broker.crash_and_reopen();
  const auto after = broker.ask<protocol::DescribeClusterResponse>(protocol::DescribeClusterRequest{}, 1);
  EXPECT_EQ(after.cluster_id, before.cluster_id);
  const auto refused =
      broker.ask<protocol::DescribeClusterResponse>(protocol::DescribeClusterRequest{.endpoint_type = 2}, 1);
  EXPECT_EQ(refused.error_code, ErrorCode::mismatched_endpoint_type);
}

}  // namespace
}  // namespace iolab::handlers
