#include "clients/load_kafka.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "broker/protocol/batch_builder.h"
#include "broker/protocol/messages/00_produce.h"
#include "broker/protocol/messages/01_fetch.h"
#include "broker/protocol/messages/18_api_versions.h"
#include "clients/topic_calls.h"

namespace iolab::clients {
namespace {

const std::string kLoadClientId = "iolab-load";
constexpr int kProduceTimeoutMs = 30'000;

// A request or an answer as bytes. Nothing that a load says can fail to be expressed: names are short by then.
template <protocol::Struct M>
std::vector<std::byte> request_bytes(std::int16_t version, const M& message) {
  base::GatherBuffer out;
  return protocol::write_request(out, 0, version, kLoadClientId, message) ? out.flat() : std::vector<std::byte>();
}
template <protocol::Struct M>
std::vector<std::byte> answer_bytes(std::int16_t version, const M& message) {
  base::GatherBuffer out;
  return protocol::write_response(out, 0, version, message) ? out.flat() : std::vector<std::byte>();
}

}  // namespace

Result<std::vector<std::byte>> load_batch(const LoadSpec& spec, int partition, std::int64_t timestamp_ms) {
  const auto codec = protocol::compression_named(spec.codec);
  if (!codec) {
    return std::unexpected(fmt::format("there is no codec '{}': none, gzip, snappy, lz4 or zstd", spec.codec));
  }
  std::mt19937_64 random(spec.seed * 1'000'003 + static_cast<std::uint64_t>(partition));
  std::uniform_int_distribution<int> letter('A', 'Z');
  protocol::BatchBuilder builder({.compression = *codec});
  std::vector<std::byte> value(spec.record_bytes);
  for (int i = 0; i < spec.records_per_batch; ++i) {
    for (auto& byte : value) byte = static_cast<std::byte>(letter(random));
    builder.add({.timestamp_ms = timestamp_ms, .key = std::nullopt, .value = value, .headers = {}});
  }
  auto batch = builder.finish();
  if (const auto checked = protocol::check_produced(batch); !checked) {
    return std::unexpected(fmt::format("the batch of this load is no batch: {}", checked.error().reason));
  }
  return batch;
}

Result<void> prepare_topic(ProtocolClient& client, const LoadSpec& spec) {
  const auto created = create_topic(client, spec.topic, spec.partitions, {});
  if (!created) return std::unexpected(created.error());
  const auto partitions = count_partitions(client, spec.topic);
  if (!partitions) return std::unexpected(partitions.error());
  if (*partitions >= spec.partitions) return {};
  return std::unexpected(
      fmt::format("topic '{}' has {} partitions and the load asks for {}: delete it, or ask for fewer", spec.topic,
                  *partitions, spec.partitions));
}

Result<OffsetRange> partition_range(ProtocolClient& client, const std::string& topic, int partition) {
  const auto start = offset_at(client, topic, partition, protocol::kEarliestTimestamp);
  if (!start) return std::unexpected(start.error());
  const auto end = offset_at(client, topic, partition, protocol::kLatestTimestamp);
  if (!end) return std::unexpected(end.error());
  return OffsetRange{*start, *end};
}

std::vector<std::byte> produce_request_head(const LoadSpec& spec, int partition, std::size_t batch_bytes) {
  protocol::ProduceRequest request;
  request.acks = static_cast<std::int16_t>(spec.acks);
  request.timeout_ms = kProduceTimeoutMs;
  auto& topic = request.topic_data.emplace_back();
  topic.name = spec.topic;
  topic.partition_data.emplace_back().index = partition;
  // Encoded without records; then the two lengths in front of the batch are set: the frame's and that of the records.
  auto head = request_bytes(kLoadProduceVersion, request);
  const auto frame_bytes = static_cast<std::int32_t>(head.size() - protocol::kFrameSizeBytes + batch_bytes);
  base::store_big_endian(head.data(), frame_bytes);
  base::store_big_endian(head.data() + head.size() - 4, static_cast<std::int32_t>(batch_bytes));
  return head;
}

std::vector<std::byte> produce_answer(const LoadSpec& spec, int partition) {
  protocol::ProduceResponse response;
  auto& topic = response.responses.emplace_back();
  topic.name = spec.topic;
  topic.partition_responses.emplace_back().index = partition;
  return answer_bytes(kLoadProduceVersion, response);
}

ProduceAnswerLayout produce_answer_layout(const LoadSpec& spec) {
  // Size 4, correlation id 4, topics 4, name 2 + n, partitions 4, index 4; then the error.
  const std::size_t error_at = 4 + 4 + 4 + 2 + spec.topic.size() + 4 + 4;
  return {error_at, error_at + 2};
}

FetchRequestBytes fetch_request(const LoadSpec& spec, int partition) {
  protocol::FetchRequest request;
  request.max_wait_ms = spec.fetch_max_wait_ms;
  request.min_bytes = 1;
  request.max_bytes = static_cast<std::int32_t>(spec.fetch_max_bytes);
  auto& topic = request.topics.emplace_back();
  topic.topic = spec.topic;
  auto& part = topic.partitions.emplace_back();
  part.partition = partition;
  part.partition_max_bytes = static_cast<std::int32_t>(spec.fetch_max_bytes);
  // Where the offset lies is found by looking where two requests differ, not by counting fields.
  const auto zero = request_bytes(kLoadFetchVersion, request);
  part.fetch_offset = -1;
  const auto other = request_bytes(kLoadFetchVersion, request);
  const auto differ = std::ranges::mismatch(zero, other).in1;
  return {zero, static_cast<std::size_t>(differ - zero.begin())};
}

std::vector<std::byte> fetch_answer(const LoadSpec& spec, int partition, const std::vector<std::byte>& batch,
                                    int batches) {
  std::vector<std::byte> records;
  for (int i = 0; i < batches; ++i) {
    records.insert(records.end(), batch.begin(), batch.end());
    protocol::set_base_offset(std::span(records).last(batch.size()), std::int64_t{i} * spec.records_per_batch);
  }
  protocol::FetchResponse response;
  auto& topic = response.responses.emplace_back();
  topic.topic = spec.topic;
  auto& part = topic.partitions.emplace_back();
  part.partition_index = partition;
  part.high_watermark = part.last_stable_offset = std::int64_t{batches} * spec.records_per_batch;
  part.aborted_transactions.reset();
  part.records = protocol::Records(base::Bytes(records));
  return answer_bytes(kLoadFetchVersion, response);
}

int batches_per_fetch(const LoadSpec& spec, std::size_t batch_bytes) {
  return static_cast<int>(std::max<std::size_t>(spec.fetch_max_bytes / batch_bytes, 1));
}

Framing kafka_framing() {
  return {.probe = request_bytes(0, protocol::ApiVersionsRequest{})};
}

}  // namespace iolab::clients
