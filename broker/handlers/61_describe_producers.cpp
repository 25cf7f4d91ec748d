// DescribeProducers, version 0: who has written to a partition, and where its open transaction began.
//
// Behaviour    All producers that the partition remembers, idempotent ones too, by producer id. A last sequence of -1:
//              only a marker, or a coordinator's batch, is known; a coordinator epoch of -1: there was no marker. The
//              last timestamp is when the broker appended.
#include "broker/protocol/messages/61_describe_producers.h"

#include "broker/handlers/entries.h"

namespace iolab::handlers {
namespace {

using protocol::DescribeProducersRequest;
using protocol::DescribeProducersResponse;
using protocol::ErrorCode;
using Answer = DescribeProducersResponse::Topic::Partition;

void describe(const core::Partition& partition, Answer& answer) {
  const auto producers = partition.producers();
  if (!producers) {
    answer.error_code = producers.error();
    return;
  }
  answer.active_producers.reserve(producers->size());
  for (const auto& [id, state] : *producers) {
    answer.active_producers.push_back({.producer_id = id,
                                       .producer_epoch = state.epoch,
                                       .last_sequence = state.last_sequence(),
                                       .last_timestamp = state.wall_ms,
                                       .coordinator_epoch = state.coordinator_epoch,
                                       .current_txn_start_offset = state.transaction_offset});
  }
}

Outcome handle(Request& request, DescribeProducersRequest& wanted, base::GatherBuffer& out) {
  DescribeProducersResponse response;
  for (const auto& asked : wanted.topics) {
    const core::TopicPointer topic = request.broker.topics().find(asked.name);
    auto& answers =
        response.topics.emplace_back(DescribeProducersResponse::Topic{.name = asked.name, .partitions = {}});
    for (const std::int32_t index : asked.partition_indexes) {
      Answer& answer = answers.partitions.emplace_back();
      answer.partition_index = index;
      const core::Partition* partition = topic ? topic->partition(index) : nullptr;
      if (partition == nullptr)
        answer.error_code = ErrorCode::unknown_topic_or_partition;
      else
        describe(*partition, answer);
    }
  }
  return answer(request, response, out);
}

}  // namespace

ApiEntry describe_producers() {
  return {&protocol::kDescribeProducers, decode_and_handle<DescribeProducersRequest, handle>,
          "All producers that a partition remembers, and where their open transactions began."};
}

}  // namespace iolab::handlers
