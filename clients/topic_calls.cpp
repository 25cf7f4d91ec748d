#include "clients/topic_calls.h"

#include <fmt/format.h>

#include "broker/protocol/messages/00_produce.h"
#include "broker/protocol/messages/01_fetch.h"
#include "broker/protocol/messages/02_list_offsets.h"
#include "broker/protocol/messages/19_create_topics.h"
#include "broker/protocol/messages/20_delete_topics.h"

namespace iolab::clients {
namespace {

using protocol::ErrorCode;

constexpr int kTimeoutMs = 30'000;  // that the broker is told to keep

const char* remedy(ErrorCode code) {
  switch (code) {
    case ErrorCode::unknown_topic_or_partition:
      return "there is no such topic or partition: `iolab topics --list` shows what is there, --create makes one";
    case ErrorCode::invalid_topic_exception: return "a topic's name has 1 to 249 of the characters a-z A-Z 0-9 . _ -";
    case ErrorCode::message_too_large:
      return "the batch is larger than the broker takes: smaller batches, or a larger max.message.bytes of the topic";
    case ErrorCode::not_leader_or_follower: return "another broker leads this partition: connect to that one";
    case ErrorCode::offset_out_of_range: return "ask for the earliest and the latest offset to see what is there";
    case ErrorCode::unsupported_compression_type: return "choose another compression type";
    default: return nullptr;
  }
}

Failure wrong_shape(const ProtocolClient& client, const char* api) {
  return fmt::format("{}:{} answered {} about something else than was asked", client.address().host,
                     client.address().port, api);
}

std::string partition_name(const std::string& topic, int partition) {
  return fmt::format("{}-{}", topic, partition);
}

}  // namespace

Failure broker_error(const std::string& what, ErrorCode code, const std::string& message) {
  std::string text = fmt::format("{}: {}", what, protocol::name(code));
  if (!message.empty()) text += fmt::format(" ({})", message);
  if (const char* advice = remedy(code); advice != nullptr && message.empty()) text += fmt::format("; {}", advice);
  return text;
}

Result<bool> create_topic(ProtocolClient& client, const std::string& topic, int partitions, const TopicConfig& config) {
  protocol::CreateTopicsRequest request;
  auto& wanted = request.topics.emplace_back();
  wanted.name = topic;
  wanted.num_partitions = partitions;
  wanted.replication_factor = -1;
  for (const auto& [name, value] : config) wanted.configs.push_back({name, value});
  request.timeout_ms = kTimeoutMs;
  const auto response = client.call<protocol::CreateTopicsResponse>(request);
  if (!response) return std::unexpected(response.error());
  if (response->topics.size() != 1) return std::unexpected(wrong_shape(client, "CreateTopics"));
  const auto& answer = response->topics.front();
  if (answer.error_code == ErrorCode::topic_already_exists) return false;
  if (answer.error_code == ErrorCode::none) return true;
  return std::unexpected(broker_error(fmt::format("cannot create topic '{}'", topic), answer.error_code,
                                      answer.error_message.value_or("")));
}

Result<void> delete_topic(ProtocolClient& client, const std::string& topic) {
  protocol::DeleteTopicsRequest request;
  request.topics.emplace_back().name = topic;  // versions from 6 on
  request.topic_names.push_back(topic);        // and before
  request.timeout_ms = kTimeoutMs;
  const auto response = client.call<protocol::DeleteTopicsResponse>(request);
  if (!response) return std::unexpected(response.error());
  if (response->responses.size() != 1) return std::unexpected(wrong_shape(client, "DeleteTopics"));
  const auto& answer = response->responses.front();
  if (answer.error_code == ErrorCode::none) return {};
  return std::unexpected(broker_error(fmt::format("cannot delete topic '{}'", topic), answer.error_code,
                                      answer.error_message.value_or("")));
}

namespace {

Result<protocol::MetadataResponse> ask_metadata(ProtocolClient& client, const std::vector<std::string>& topics,
                                                bool create) {
  protocol::MetadataRequest request;
  if (topics.empty()) {
    request.topics.reset();
  } else {
    for (const auto& topic : topics) request.topics->emplace_back().name = topic;
  }
  request.allow_auto_topic_creation = create;
  return client.call<protocol::MetadataResponse>(request);
}

}  // namespace

Result<protocol::MetadataResponse> describe_topics(ProtocolClient& client, const std::vector<std::string>& topics) {
  return ask_metadata(client, topics, false);
}

Result<int> count_partitions(ProtocolClient& client, const std::string& topic, bool create) {
  const auto response = ask_metadata(client, {topic}, create);
  if (!response) return std::unexpected(response.error());
  if (response->topics.size() != 1) return std::unexpected(wrong_shape(client, "Metadata"));
  const auto& answer = response->topics.front();
  if (answer.error_code != ErrorCode::none) {
    return std::unexpected(broker_error(fmt::format("topic '{}'", topic), answer.error_code));
  }
  return static_cast<int>(answer.partitions.size());
}

Result<std::int64_t> offset_at(ProtocolClient& client, const std::string& topic, int partition,
                               std::int64_t timestamp) {
  protocol::ListOffsetsRequest request;
  request.replica_id = -1;
  auto& asked = request.topics.emplace_back();
  asked.name = topic;
  auto& part = asked.partitions.emplace_back();
  part.partition_index = partition;
  part.timestamp = timestamp;
  const auto response = client.call<protocol::ListOffsetsResponse>(request);
  if (!response) return std::unexpected(response.error());
  if (response->topics.size() != 1 || response->topics.front().partitions.size() != 1) {
    return std::unexpected(wrong_shape(client, "ListOffsets"));
  }
  const auto& answer = response->topics.front().partitions.front();
  if (answer.error_code == ErrorCode::none) return answer.offset;
  return std::unexpected(
      broker_error(fmt::format("offsets of {}", partition_name(topic, partition)), answer.error_code));
}

Result<void> send_batch(ProtocolClient& client, const std::string& topic, int partition, base::Bytes batch, int acks) {
  protocol::ProduceRequest request;
  request.acks = static_cast<std::int16_t>(acks);
  request.timeout_ms = kTimeoutMs;
  auto& data = request.topic_data.emplace_back();
  data.name = topic;
  auto& part = data.partition_data.emplace_back();
  part.index = partition;
  part.records = protocol::Records(batch);
  return client.send(request, acks != 0);
}

Result<std::int64_t> receive_acknowledgement(ProtocolClient& client) {
  const auto response = client.receive<protocol::ProduceResponse>();
  if (!response) return std::unexpected(response.error());
  if (response->responses.size() != 1 || response->responses.front().partition_responses.size() != 1) {
    return std::unexpected(wrong_shape(client, "Produce"));
  }
  const auto& topic = response->responses.front();
  const auto& answer = topic.partition_responses.front();
  if (answer.error_code == ErrorCode::none) return answer.base_offset;
  return std::unexpected(broker_error(fmt::format("cannot append to {}", partition_name(topic.name, answer.index)),
                                      answer.error_code, answer.error_message.value_or("")));
}

Result<std::int64_t> produce_batch(ProtocolClient& client, const std::string& topic, int partition, base::Bytes batch,
                                   int acks) {
  if (const auto sent = send_batch(client, topic, partition, batch, acks); !sent) return std::unexpected(sent.error());
  if (acks == 0) return -1;
  return receive_acknowledgement(client);
}

Result<FetchedRecords> fetch_records(ProtocolClient& client, const std::string& topic, int partition,
                                     std::int64_t offset, const FetchLimits& limits) {
  protocol::FetchRequest request;
  request.max_wait_ms = limits.max_wait_ms;
  request.min_bytes = limits.min_bytes;
  request.max_bytes = limits.max_bytes;
  auto& asked = request.topics.emplace_back();
  asked.topic = topic;
  auto& part = asked.partitions.emplace_back();
  part.partition = partition;
  part.fetch_offset = offset;
  part.partition_max_bytes = limits.max_bytes;
  const auto response = client.call<protocol::FetchResponse>(request);
  if (!response) return std::unexpected(response.error());
  const auto what = fmt::format("cannot fetch {} at offset {}", partition_name(topic, partition), offset);
  if (response->error_code != ErrorCode::none) return std::unexpected(broker_error(what, response->error_code));
  if (response->responses.size() != 1 || response->responses.front().partitions.size() != 1) {
    return std::unexpected(wrong_shape(client, "Fetch"));
  }
  const auto& answer = response->responses.front().partitions.front();
  if (answer.error_code != ErrorCode::none) return std::unexpected(broker_error(what, answer.error_code));
  return FetchedRecords{answer.records ? answer.records->bytes : base::Bytes(), answer.high_watermark};
}

}  // namespace iolab::clients
