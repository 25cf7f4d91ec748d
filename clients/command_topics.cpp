#include "clients/command_topics.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "broker/protocol/messages/32_describe_configs.h"
#include "broker/protocol/messages/37_create_partitions.h"
#include "clients/command_session.h"
#include "clients/topic_calls.h"
#include "experiments/command.h"

namespace iolab::clients {
namespace {

using protocol::ErrorCode;

struct TopicsOptions {
  std::string bootstrap_server = kDefaultBootstrap;
  bool create = false, list = false, describe = false, alter = false, remove = false;
  bool if_exists = false, if_not_exists = false;
  std::string topic;
  int partitions = -1;
  int replication_factor = 1;
  std::vector<std::string> config;
};

Result<TopicConfig> read_config(const std::vector<std::string>& pairs) {
  TopicConfig config;
  for (const auto& pair : pairs) {
    const auto equals = pair.find('=');
    if (equals == std::string::npos) {
      return std::unexpected(fmt::format("--config {} is not of the form key=value, such as retention.ms=60000", pair));
    }
    config.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
  }
  return config;
}

int create(const CommandSession& session, ProtocolClient& client, const TopicsOptions& options) {
  const auto config = read_config(options.config);
  if (!config) return session.refuse(config.error());
  const auto created = create_topic(client, options.topic, options.partitions, *config);
  if (!created) return session.fail(created.error());
  if (!*created && options.if_not_exists) return kOk;
  if (!*created) {
    return session.fail(fmt::format("topic '{}' is there already; --if-not-exists accepts that", options.topic));
  }
  fmt::print("Created topic {}.\n", options.topic);
  return kOk;
}

int remove(const CommandSession& session, ProtocolClient& client, const TopicsOptions& options) {
  if (options.if_exists && !count_partitions(client, options.topic)) return kOk;
  const auto deleted = delete_topic(client, options.topic);
  return deleted ? kOk : session.fail(deleted.error());
}

int alter(const CommandSession& session, ProtocolClient& client, const TopicsOptions& options) {
  if (options.partitions < 1) return session.refuse("--alter needs --partitions N, more than the topic has");
  protocol::CreatePartitionsRequest request;
  auto& topic = request.topics.emplace_back();
  topic.name = options.topic;
  topic.count = options.partitions;
  topic.assignments.reset();
  request.timeout_ms = 30'000;
  const auto response = client.call<protocol::CreatePartitionsResponse>(request);
  if (!response) return session.fail(response.error());
  for (const auto& result : response->results) {
    if (result.error_code == ErrorCode::none) continue;
    return session.fail(broker_error(fmt::format("cannot add partitions to topic '{}'", options.topic),
                                     result.error_code, result.error_message.value_or("")));
  }
  return kOk;
}

int list(const CommandSession& session, ProtocolClient& client) {
  const auto metadata = describe_topics(client, {});
  if (!metadata) return session.fail(metadata.error());
  std::set<std::string> names;
  for (const auto& topic : metadata->topics) names.insert(topic.name.value_or(""));
  for (const auto& topic : names) fmt::print("{}\n", topic);
  return kOk;
}

// What was set for the topic itself, "a=1,b=2"; defaults are not listed.
Result<std::string> own_config(ProtocolClient& client, const std::string& topic) {
  protocol::DescribeConfigsRequest request;
  auto& resource = request.resources.emplace_back();
  constexpr std::int8_t kTopicResource = 2, kSetForTopic = 1;
  resource.resource_type = kTopicResource;
  resource.resource_name = topic;
  resource.configuration_keys.reset();
  const auto response = client.call<protocol::DescribeConfigsResponse>(request);
  if (!response) return std::unexpected(response.error());
  std::string text;
  for (const auto& result : response->results) {
    if (result.error_code != ErrorCode::none) {
      return std::unexpected(broker_error(fmt::format("configuration of topic '{}'", topic), result.error_code));
    }
    for (const auto& config : result.configs) {
      if (config.config_source != kSetForTopic) continue;
      text += fmt::format("{}{}={}", text.empty() ? "" : ",", config.name, config.value.value_or(""));
    }
  }
  return text;
}

std::string id_text(const protocol::Uuid& id) {
  std::string text;
  for (const auto byte : id) text += fmt::format("{:02x}", byte);
  return text;
}

std::string joined(const std::vector<std::int32_t>& nodes) {
  std::string text;
  for (const auto node : nodes) text += fmt::format("{}{}", text.empty() ? "" : ",", node);
  return text;
}

int describe(const CommandSession& session, ProtocolClient& client, const TopicsOptions& options) {
  auto metadata =
      describe_topics(client, options.topic.empty() ? std::vector<std::string>() : std::vector{options.topic});
  if (!metadata) return session.fail(metadata.error());
  std::ranges::sort(metadata->topics, {}, [](const auto& topic) { return topic.name.value_or(""); });
  for (auto& topic : metadata->topics) {
    const auto name = topic.name.value_or("");
    if (topic.error_code != ErrorCode::none) {
      return session.fail(broker_error(fmt::format("topic '{}'", name), topic.error_code));
    }
    const auto config = own_config(client, name);
    if (!config) return session.fail(config.error());
    std::ranges::sort(topic.partitions, {}, [](const auto& partition) { return partition.partition_index; });
    const auto replicas = topic.partitions.empty() ? 0 : topic.partitions.front().replica_nodes.size();
    fmt::print("Topic: {}\tTopicId: {}\tPartitionCount: {}\tReplicationFactor: {}\tConfigs: {}\n", name,
               id_text(topic.topic_id), topic.partitions.size(), replicas, *config);
    for (const auto& partition : topic.partitions) {
      fmt::print("\tTopic: {}\tPartition: {}\tLeader: {}\tReplicas: {}\tIsr: {}{}\n", name, partition.partition_index,
                 partition.leader_id, joined(partition.replica_nodes), joined(partition.isr_nodes),
                 partition.error_code == ErrorCode::none
                     ? std::string()
                     : fmt::format("\tError: {}", protocol::name(partition.error_code)));
    }
  }
  return kOk;
}

int run(const TopicsOptions& options) {
  const CommandSession session("iolab topics");
  const int actions = options.create + options.list + options.describe + options.alter + options.remove;
  if (actions != 1) return session.refuse("say one of --create, --list, --describe, --alter and --delete");
  if (options.topic.empty() && !options.list && !options.describe) return session.refuse("--topic NAME is missing");
  if (options.replication_factor != 1) {
    return session.refuse("--replication-factor can only be 1: this is a broker without replication");
  }
  auto client = session.connect(options.bootstrap_server);
  if (!client) return client.error();
  if (options.create) return create(session, *client, options);
  if (options.alter) return alter(session, *client, options);
  if (options.remove) return remove(session, *client, options);
  if (options.list) return list(session, *client);
  return describe(session, *client, options);
}

}  // namespace

void add_topics_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("topics", "Create, list, describe, alter and delete topics (as kafka-topics.sh)");
  auto options = std::make_shared<TopicsOptions>();
  command->add_option("--bootstrap-server", options->bootstrap_server, "HOST:PORT of the broker")
      ->capture_default_str();
  command->add_flag("--create", options->create, "Create --topic");
  command->add_flag("--list", options->list, "Names of all topics");
  command->add_flag("--describe", options->describe, "Partitions and configuration of --topic, or of all");
  command->add_flag("--alter", options->alter, "Give --topic more --partitions");
  command->add_flag("--delete", options->remove, "Delete --topic and its records");
  command->add_option("--topic", options->topic, "Name of the topic");
  command->add_option("--partitions", options->partitions, "How many; without it, the broker's num.partitions");
  command->add_option("--replication-factor", options->replication_factor, "1");
  command->add_option("--config", options->config, "key=value of the topic, such as retention.ms=60000")
      ->allow_extra_args(false);
  command->add_flag("--if-exists", options->if_exists, "With --delete: a missing topic is no error");
  command->add_flag("--if-not-exists", options->if_not_exists, "With --create: an existing topic is no error");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace iolab::clients
