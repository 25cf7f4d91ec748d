// AddPartitionsToTxn, versions 0 to 3: a transaction begins, or goes on in more partitions.
//
// Behaviour    All or nothing: if one partition is unknown (UNKNOWN_TOPIC_OR_PARTITION) or the broker's own
//              (TOPIC_AUTHORIZATION_FAILED, as in Kafka), the others are OPERATION_NOT_ATTEMPTED. With
//              iolab.flush=commit the answer waits for the sync: what is written next must not be forgotten.
#include "broker/protocol/messages/24_add_partitions_to_txn.h"

#include <algorithm>

#include "broker/handlers/entries.h"
#include "broker/handlers/transaction_answers.h"

namespace iolab::handlers {
namespace {

using protocol::AddPartitionsToTxnRequest;
using protocol::AddPartitionsToTxnResponse;
using protocol::ErrorCode;

void refuse_with(AddPartitionsToTxnResponse& response, ErrorCode code) {
  for (auto& topic : response.results_by_topic_v3_and_below) {
    for (auto& partition : topic.results_by_partition) {
      if (partition.partition_error_code == ErrorCode::none) partition.partition_error_code = code;
    }
  }
}

void refuse(AddPartitionsToTxnResponse& response) {
  refuse_with(response, ErrorCode::not_coordinator);
}

ErrorCode check(const core::Topic* topic, const std::string& name, std::int32_t partition) {
  if (core::is_internal_topic(name)) return ErrorCode::topic_authorization_failed;
  const bool known = topic != nullptr && topic->partition(partition) != nullptr;
  return known ? ErrorCode::none : ErrorCode::unknown_topic_or_partition;
}

Outcome handle(Request& request, AddPartitionsToTxnRequest& wanted, base::GatherBuffer& out) {
  AddPartitionsToTxnResponse response;
  std::vector<core::TopicPartition> partitions;
  bool all_known = true;
  for (const auto& asked : wanted.v3_and_below_topics) {
    const core::TopicPointer topic = request.broker.topics().find(asked.name);
    auto& told = response.results_by_topic_v3_and_below.emplace_back();
    told.name = asked.name;
    for (const std::int32_t partition : asked.partitions) {
      const ErrorCode code = check(topic.get(), asked.name, partition);
      told.results_by_partition.push_back({.partition_index = partition, .partition_error_code = code});
      partitions.push_back({asked.name, partition});
      all_known = all_known && code == ErrorCode::none;
    }
  }
  if (!all_known) {
    refuse_with(response, ErrorCode::operation_not_attempted);
    return answer(request, response, out);
  }
  auto wait = commit_wait(request);
  const ErrorCode code =
      request.broker.transactions().add({std::move(wanted.v3_and_below_transactional_id),
                                         {wanted.v3_and_below_producer_id, wanted.v3_and_below_producer_epoch}},
                                        partitions, wait, {request.now, request.wakeups});
  if (code != ErrorCode::none) {
    refuse_with(response, fenced_as(code, request, kFirstVersionWithFencedProducers));
    return answer(request, response, out);
  }
  return answer_after_sync(request, std::move(response), std::move(wait), refuse, out);
}

}  // namespace

ApiEntry add_partitions_to_txn() {
  return {
      &protocol::kAddPartitionsToTxn, decode_and_handle<AddPartitionsToTxnRequest, handle>,
      "All partitions or none; the first ones begin a transaction. Versions for other brokers (4 on) are not spoken."};
}

}  // namespace iolab::handlers
