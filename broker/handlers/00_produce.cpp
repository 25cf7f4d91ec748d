// Produce, versions 3 to 11: append one record batch for each partition named.
//
// Behaviour    acks=0 is never answered, and an error closes the connection; acks=1 and acks=all mean the same, there
//              being one broker. A batch is checked (format 2, CRC-32C, counts, exactly one per partition, size, codec
//              known to the request's version) and each of its records read, unfolding compressed ones; then its
//              producer's sequence, then it is appended from the receive buffer. A largest timestamp that is not the
//              records' is set right. Where the topic is compacted, a record without a key refuses its batch, and the
//              answer says which; where it has a compression.type of its own, the batch is compressed anew. A batch
//              that is already stored is acknowledged with its first offset. With min.insync.replicas above 1, acks=all
//              is refused. With iolab.flush=commit the answer waits for fsync; requests behind it do not. A
//              transactional batch is refused if the request names no transactional id
//              (TRANSACTIONAL_ID_AUTHORIZATION_FAILED, as in Kafka), and if its transaction has ended before it came
//              (INVALID_TXN_STATE).
#include "broker/protocol/messages/00_produce.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/core/internal_log.h"
#include "broker/core/waits.h"
#include "broker/handlers/entries.h"
#include "broker/handlers/synced_answer.h"
#include "broker/protocol/batch_rewriter.h"
#include "broker/protocol/record_reader.h"

namespace iolab::handlers {
namespace {

using protocol::ErrorCode;
using protocol::ProduceRequest;
using protocol::ProduceResponse;
using Answer = ProduceResponse::Topic::Partition;

constexpr std::int16_t kFirstVersionWithZstd = 7;
constexpr const char* kNotDurable = "the disk refused to sync; nothing is acknowledged any more";

// Some partitions may have been synced; whoever retries an idempotent batch will learn its offset.
void refuse_all(ProduceResponse& response) {
  for (auto& topic : response.responses) {
    for (Answer& partition : topic.partition_responses) {
      if (partition.error_code != ErrorCode::none) continue;
      partition = Answer{.index = partition.index,
                         .error_code = ErrorCode::kafka_storage_error,
                         .base_offset = -1,
                         .record_errors = {},
                         .error_message = kNotDurable,
                         .current_leader = {}};
    }
  }
}

void refuse(Answer& answer, ErrorCode code, std::string why = {}) {
  answer.error_code = code;
  answer.base_offset = -1;
  if (!why.empty()) answer.error_message = std::move(why);
}

// The receive buffer is the session's, and nobody reads the request's bytes again: they may be stamped in place.
base::MutableBytes changeable(base::Bytes bytes) {
  return {const_cast<std::byte*>(bytes.data()), bytes.size()};
}

// Compaction goes by keys. False: refused.
bool has_keys(const protocol::BatchView& batch, Answer& answer) {
  for (const std::int32_t index : protocol::records_without_key(batch)) {
    answer.record_errors.push_back({index, "a record of a compacted topic needs a key"});
  }
  if (answer.record_errors.empty()) return true;
  refuse(answer, ErrorCode::invalid_record, "the topic is compacted, and there are records without a key");
  return false;
}

// Whether the topic wants batches to be kept in another codec than that of `batch`.
std::optional<protocol::Compression> other_codec(const core::Topic& topic, const protocol::BatchView& batch) {
  const std::string& wanted = topic.settings.compression_type;
  if (wanted == "producer") return std::nullopt;
  const auto codec = wanted == "uncompressed" ? protocol::Compression::none : protocol::compression_named(wanted);
  return codec == batch.compression() ? std::nullopt : codec;
}

// What entitles a transactional batch to be appended. `verified` is taken first: append() notices by it whether a
// marker has ended the transaction since it was asked about.
ErrorCode verify(const Request& request, const ProduceRequest& wanted, const core::Partition& partition,
                 const protocol::BatchView& batch, core::Partition::Verified& verified) {
  if (!batch.is_transactional()) return ErrorCode::none;
  if (!wanted.transactional_id) return ErrorCode::transactional_id_authorization_failed;
  verified = partition.marker_offset(batch.producer_id());
  if (!request.broker.settings().verify_transactions) return ErrorCode::none;
  return request.broker.transactions().verify(*wanted.transactional_id, batch.producer_id(), batch.producer_epoch(),
                                              {partition.topic(), partition.index()});
}

void append(Request& request, const ProduceRequest& wanted, const core::Topic& topic, const protocol::Records& records,
            const std::shared_ptr<core::CommitWait>& wait, Answer& answer) {
  core::Partition* partition = topic.partition(answer.index);
  if (partition == nullptr) return refuse(answer, ErrorCode::unknown_topic_or_partition);
  const auto batch = protocol::check_produced(records.bytes);
  if (!batch) return refuse(answer, batch.error().code, batch.error().reason);
  if (static_cast<std::int64_t>(batch->size()) > topic.settings.max_message_bytes) {
    return refuse(answer, ErrorCode::message_too_large);
  }
  if (batch->compression() == protocol::Compression::zstd && request.header.api_version < kFirstVersionWithZstd) {
    return refuse(answer, ErrorCode::unsupported_compression_type);
  }
  // Every record is looked at, as Kafka does: a batch that its readers cannot read would end them all.
  const auto largest_timestamp = protocol::check_records(*batch);
  if (!largest_timestamp) return refuse(answer, largest_timestamp.error().code, largest_timestamp.error().reason);
  if (*largest_timestamp != batch->max_timestamp()) {
    protocol::set_max_timestamp(changeable(records.bytes), *largest_timestamp);
  }
  if (topic.settings.compacts() && !has_keys(*batch, answer)) return;
  base::MutableBytes bytes = changeable(records.bytes);
  std::vector<std::byte> changed;
  if (const auto codec = other_codec(topic, *batch)) {
    auto compressed = protocol::recompress(*batch, *codec);
    if (!compressed) return refuse(answer, compressed.error().code, compressed.error().reason);
    if (static_cast<std::int64_t>(compressed->size()) > topic.settings.max_message_bytes) {
      return refuse(answer, ErrorCode::message_too_large);
    }
    changed = std::move(*compressed);
    bytes = changed;
  }
  core::Partition::Verified verified;
  if (const ErrorCode code = verify(request, wanted, *partition, *batch, verified); code != ErrorCode::none) {
    return refuse(answer, code);
  }
  const auto appended = partition->append(bytes, *protocol::first_batch(bytes), request.now, wait, request.wakeups,
                                          core::Origin::client, verified);
  if (!appended) return refuse(answer, appended.error());
  answer.base_offset = appended->base_offset;
  answer.log_append_time_ms = appended->append_time_ms;
  answer.log_start_offset = appended->log_start_offset;
}

bool append_all(Request& request, const ProduceRequest& wanted, const std::shared_ptr<core::CommitWait>& wait,
                ProduceResponse& response) {
  const bool acks_valid = wanted.acks >= -1 && wanted.acks <= 1;
  bool all_fine = true;
  response.responses.reserve(wanted.topic_data.size());
  for (const auto& data : wanted.topic_data) {
    const core::TopicPointer topic = request.broker.topics().find(data.name);
    auto& answers =
        response.responses.emplace_back(ProduceResponse::Topic{.name = data.name, .partition_responses = {}});
    answers.partition_responses.reserve(data.partition_data.size());
    for (const auto& partition : data.partition_data) {
      Answer& answer = answers.partition_responses.emplace_back();
      answer.index = partition.index;
      if (!acks_valid)
        refuse(answer, ErrorCode::invalid_required_acks);
      else if (!topic)
        refuse(answer, ErrorCode::unknown_topic_or_partition);
      else if (wanted.acks == -1 && topic->settings.min_insync_replicas > 1)
        refuse(answer, ErrorCode::not_enough_replicas, "min.insync.replicas is more than the one replica there is");
      else if (core::is_internal_topic(data.name))
        refuse(answer, ErrorCode::invalid_topic_exception, "the topic is the broker's own");
      else if (!partition.records)
        refuse(answer, ErrorCode::invalid_record, "no record batch");
      else
        append(request, wanted, *topic, *partition.records, wait, answer);
      all_fine = all_fine && answer.error_code == ErrorCode::none;
    }
  }
  return all_fine;
}

Outcome handle(Request& request, ProduceRequest& wanted, base::GatherBuffer& out) {
  std::shared_ptr<core::CommitWait> wait;
  if (wanted.acks != 0 && request.broker.settings().flush_policy() == core::FlushPolicy::commit) {
    wait = std::make_shared<core::CommitWait>(request.sleeper);
  }
  ProduceResponse response;
  const bool all_fine = append_all(request, wanted, wait, response);
  if (wanted.acks == 0) return all_fine ? silent() : close_connection();
  return answer_after_sync(request, std::move(response), std::move(wait), refuse_all, out);
}

}  // namespace

ApiEntry produce() {
  return {
      &protocol::kProduce, decode_and_handle<ProduceRequest, handle>,
      "Appends one batch for each partition; acks 0, 1 and all; idempotent and transactional producers; "
      "`iolab.flush=commit` answers after fsync. Compacted topics take no record without a key. Versions 0 to 2 are "
      "advertised for librdkafka's sake and close the connection."};
}

}  // namespace iolab::handlers
