// Metadata, versions 0 to 12: which brokers there are, which topics, and who leads their partitions.
//
// Behaviour    No list of topics means all (in version 0 an empty list does; later an empty list means none). An
//              unknown topic is created if the request, and auto.create.topics.enable, allow it. From version 10 on
//              topics may be asked for by id.
// Not here     racks, authorised operations (always "not asked").
#include "broker/protocol/messages/03_metadata.h"

#include <algorithm>

#include "broker/core/internal_log.h"
#include "broker/handlers/disk_request.h"
#include "broker/handlers/entries.h"

namespace iolab::handlers {
namespace {

using protocol::ErrorCode;
using protocol::MetadataRequest;
using protocol::MetadataResponse;

void describe(const core::Broker& broker, const core::Topic& topic, MetadataResponse::Topic& answer) {
  answer.name = topic.name;
  answer.topic_id = topic.id;
  answer.is_internal = core::is_internal_topic(topic.name);
  const std::int32_t node = broker.node_id();
  answer.partitions.reserve(topic.partitions.size());
  for (std::size_t index = 0; index < topic.partitions.size(); ++index) {
    answer.partitions.push_back({.partition_index = static_cast<std::int32_t>(index),
                                 .leader_id = node,
                                 .leader_epoch = core::kLeaderEpoch,
                                 .replica_nodes = {node},
                                 .isr_nodes = {node},
                                 .offline_replicas = {}});
  }
}

void look_up(Request& request, const MetadataRequest::Topic& asked, bool may_create, MetadataResponse::Topic& answer) {
  core::Broker& broker = request.broker;
  if (!asked.name) {
    const core::TopicPointer topic = broker.topics().find(asked.topic_id);
    if (topic) return describe(broker, *topic, answer);
    answer.error_code = ErrorCode::unknown_topic_id;
    answer.topic_id = asked.topic_id;
    answer.name.reset();
    return;
  }
  answer.name = *asked.name;
  if (const core::TopicPointer topic = broker.topics().find(*asked.name)) return describe(broker, *topic, answer);
  if (!storage::is_valid_topic_name(*asked.name)) {
    answer.error_code = ErrorCode::invalid_topic_exception;
    return;
  }
  answer.error_code = ErrorCode::unknown_topic_or_partition;
  if (!may_create || core::is_internal_topic(*asked.name)) return;
  const auto created = broker.create_topic({.name = *asked.name, .overrides = {}}, false, request.now);
  if (created) {
    answer.error_code = ErrorCode::none;
    return describe(broker, **created, answer);
  }
  // Somebody else may have created it meanwhile.
  if (const core::TopicPointer topic = broker.topics().find(*asked.name)) {
    answer.error_code = ErrorCode::none;
    return describe(broker, *topic, answer);
  }
  answer.error_code = created.error().code;
}

bool wants_all(const Request& request, const MetadataRequest& wanted) {
  return !wanted.topics || (request.header.api_version == 0 && wanted.topics->empty());
}

bool may_create(const Request& request, const MetadataRequest& wanted) {
  return wanted.allow_auto_topic_creation && request.broker.settings().auto_create_topics;
}

// May create topics, so it runs where one waits for the disk.
Outcome answer_creating(Request& request, MetadataRequest& wanted, base::GatherBuffer& out) {
  core::Broker& broker = request.broker;
  MetadataResponse response;
  response.brokers.push_back({.node_id = broker.node_id(),
                              .host = broker.endpoint().host,
                              .port = broker.endpoint().port,
                              .rack = std::nullopt});
  response.cluster_id = broker.cluster_id();
  response.controller_id = broker.node_id();
  if (wants_all(request, wanted)) {
    for (const core::TopicPointer& topic : broker.topics().all()) {
      describe(broker, *topic, response.topics.emplace_back());
    }
  } else {
    const bool create = may_create(request, wanted);
    for (const auto& asked : *wanted.topics) look_up(request, asked, create, response.topics.emplace_back());
  }
  return answer(request, response, out);
}

Outcome handle(Request& request, MetadataRequest& wanted, base::GatherBuffer& out) {
  const auto is_new = [&](const MetadataRequest::Topic& topic) {
    return topic.name && storage::is_valid_topic_name(*topic.name) && !core::is_internal_topic(*topic.name) &&
           !request.broker.topics().find(*topic.name);
  };
  if (!wants_all(request, wanted) && may_create(request, wanted) && std::ranges::any_of(*wanted.topics, is_new)) {
    return run_at_the_disk<MetadataRequest, answer_creating>(request, wanted, out);
  }
  return answer_creating(request, wanted, out);
}

}  // namespace

ApiEntry metadata() {
  return {&protocol::kMetadata, decode_and_handle<MetadataRequest, handle>,
          "All topics or those named, by name or (from version 10 on) by id; creates unknown topics if request and "
          "`auto.create.topics.enable` allow. No racks, no authorised operations."};
}

}  // namespace iolab::handlers
