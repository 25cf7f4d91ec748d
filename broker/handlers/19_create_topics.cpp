// CreateTopics, versions 2 to 7: new topics, each on its own: one that fails does not stop the others.
//
// Behaviour    -1 partitions or -1 replicas mean the broker's default; the replication factor is 1. An assignment of
//              partitions to brokers may only name this broker, without gaps. validate_only checks and changes nothing.
//              A name that occurs twice is refused in both places.
// Not here     the timeout: a topic exists, on the disk, when the answer is sent.
#include "broker/protocol/messages/19_create_topics.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "broker/handlers/config_entries.h"
#include "broker/handlers/disk_request.h"
#include "broker/handlers/entries.h"

namespace iolab::handlers {
namespace {

using protocol::CreateTopicsRequest;
using protocol::CreateTopicsResponse;
using protocol::ErrorCode;
using Asked = CreateTopicsRequest::Topic;
using Answer = CreateTopicsResponse::Topic;

void refuse(Answer& answer, ErrorCode code, std::string why) {
  answer.error_code = code;
  answer.error_message = std::move(why);
  answer.configs.reset();
}

// Every partition from 0 on, each on this broker alone.
bool is_possible(const std::vector<Asked::Assignment>& assignments, std::int32_t node) {
  std::set<std::int32_t> indexes;
  for (const auto& assignment : assignments) {
    if (assignment.broker_ids != std::vector<std::int32_t>{node}) return false;
    indexes.insert(assignment.partition_index);
  }
  return indexes.size() == assignments.size() && *indexes.begin() == 0 &&
         *indexes.rbegin() == static_cast<std::int32_t>(assignments.size()) - 1;
}

void list_configs(const core::Broker& broker, const core::Topic& topic, Answer& answer) {
  answer.configs.emplace();
  for (const ConfigEntry& entry : topic_config_entries(broker.settings(), topic)) {
    answer.configs->push_back({.name = entry.name,
                               .value = entry.value,
                               .read_only = entry.read_only,
                               .config_source = static_cast<std::int8_t>(entry.source),
                               .is_sensitive = false});
  }
}

void create(Request& request, const Asked& asked, bool validate_only, Answer& answer) {
  core::NewTopic wanted{.name = asked.name,
                        .partitions = asked.num_partitions,
                        .replication_factor = asked.replication_factor,
                        .overrides = {}};
  if (!asked.assignments.empty()) {
    if (asked.num_partitions != -1 || asked.replication_factor != -1) {
      return refuse(answer, ErrorCode::invalid_request, "with an assignment, partitions and replication factor are -1");
    }
    if (!is_possible(asked.assignments, request.broker.node_id())) {
      return refuse(answer, ErrorCode::invalid_replica_assignment,
                    "partitions are numbered from 0 without gaps, each on this broker alone");
    }
    wanted.partitions = static_cast<std::int32_t>(asked.assignments.size());
  }
  for (const auto& config : asked.configs) {
    if (!config.value) return refuse(answer, ErrorCode::invalid_config, config.name + " has no value");
    wanted.overrides.insert_or_assign(config.name, *config.value);
  }
  const auto created = request.broker.create_topic(wanted, validate_only, request.now);
  if (!created) return refuse(answer, created.error().code, created.error().message);
  answer.error_message.reset();
  answer.topic_id = (*created)->id;
  answer.num_partitions = static_cast<std::int32_t>((*created)->partitions.size());
  answer.replication_factor = 1;
  list_configs(request.broker, **created, answer);
}

Outcome handle(Request& request, CreateTopicsRequest& wanted, base::GatherBuffer& out) {
  std::multiset<std::string_view> names;
  for (const Asked& asked : wanted.topics) names.insert(asked.name);
  CreateTopicsResponse response;
  for (const Asked& asked : wanted.topics) {
    Answer& answer = response.topics.emplace_back();
    answer.name = asked.name;
    if (names.count(asked.name) > 1)
      refuse(answer, ErrorCode::invalid_request, "the request names this topic twice");
    else
      create(request, asked, wanted.validate_only, answer);
  }
  return answer(request, response, out);
}

}  // namespace

ApiEntry create_topics() {
  return {&protocol::kCreateTopics,
          decode_and_handle<CreateTopicsRequest, run_at_the_disk<CreateTopicsRequest, handle>>,
          "Defaults (-1), manual assignment to this broker, topic settings, `validate_only`. The replication factor is "
          "1. The timeout is not looked at."};
}

}  // namespace iolab::handlers
