// DescribeTopicPartitions, version 0: as Metadata tells of topics, by name and a page at a time.
//
// Behaviour    All topics if none is named, in the order of their names. A page ends after as many partitions as the
//              request allows, at most 2000; its cursor says where the next one begins.
// Not here     eligible leader replicas; authorised operations.
#include "broker/protocol/messages/75_describe_topic_partitions.h"

#include <algorithm>
#include <set>
#include <string>

#include "broker/core/internal_log.h"
#include "broker/handlers/entries.h"

namespace iolab::handlers {
namespace {

using protocol::DescribeTopicPartitionsRequest;
using protocol::DescribeTopicPartitionsResponse;
using protocol::ErrorCode;
using Answer = DescribeTopicPartitionsResponse::Topic;

constexpr std::int32_t kMostPartitions = 2000;

// Partitions of the topic from `first` on, at most `room`. Returns how many were described.
std::int32_t describe(const core::Broker& broker, const core::Topic& topic, std::int32_t first, std::int32_t room,
                      Answer& answer) {
  answer.topic_id = topic.id;
  answer.is_internal = core::is_internal_topic(topic.name);
  const auto count = static_cast<std::int32_t>(topic.partitions.size());
  const std::int32_t node = broker.node_id();
  const std::int32_t end = std::min(count, first + room);
  for (std::int32_t index = first; index < end; ++index) {
    answer.partitions.push_back({.partition_index = index,
                                 .leader_id = node,
                                 .leader_epoch = core::kLeaderEpoch,
                                 .replica_nodes = {node},
                                 .isr_nodes = {node},
                                 .eligible_leader_replicas = {},
                                 .last_known_elr = {},
                                 .offline_replicas = {}});
  }
  return end - first;
}

std::set<std::string> names_of(const core::Broker& broker, const DescribeTopicPartitionsRequest& wanted) {
  std::set<std::string> names;
  for (const auto& asked : wanted.topics) names.insert(asked.name);
  if (wanted.topics.empty()) {
    for (const core::TopicPointer& topic : broker.topics().all()) names.insert(topic->name);
  }
  if (wanted.cursor) names.erase(names.begin(), names.lower_bound(wanted.cursor->topic_name));
  return names;
}

Outcome handle(Request& request, DescribeTopicPartitionsRequest& wanted, base::GatherBuffer& out) {
  const core::Broker& broker = request.broker;
  const auto& cursor = wanted.cursor;
  if (cursor && cursor->partition_index < 0) return close_connection();  // there is no field for an error
  DescribeTopicPartitionsResponse response;
  std::int32_t room = std::clamp(wanted.response_partition_limit, 1, kMostPartitions);
  for (const std::string& name : names_of(broker, wanted)) {
    if (room == 0) {
      response.next_cursor.emplace(DescribeTopicPartitionsResponse::Cursor{name, 0});
      break;
    }
    Answer& answer = response.topics.emplace_back();
    answer.name = name;
    const core::TopicPointer topic = broker.topics().find(name);
    if (!topic) {
      answer.error_code = storage::is_valid_topic_name(name) ? ErrorCode::unknown_topic_or_partition
                                                             : ErrorCode::invalid_topic_exception;
      continue;
    }
    const auto count = static_cast<std::int32_t>(topic->partitions.size());
    const std::int32_t first = cursor && cursor->topic_name == name ? std::min(cursor->partition_index, count) : 0;
    const std::int32_t described = describe(broker, *topic, first, room, answer);
    room -= described;
    if (first + described < count) {
      response.next_cursor.emplace(DescribeTopicPartitionsResponse::Cursor{name, first + described});
      break;
    }
  }
  return answer(request, response, out);
}

}  // namespace

ApiEntry describe_topic_partitions() {
  return {&protocol::kDescribeTopicPartitions, decode_and_handle<DescribeTopicPartitionsRequest, handle>,
          "All topics or those named, a page at a time. No eligible leader replicas, no authorised operations."};
}

}  // namespace iolab::handlers
