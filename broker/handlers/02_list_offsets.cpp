// ListOffsets, versions 1 to 7: which offset stands at a time.
//
// Behaviour    -1 where readers end, -2 the start of the log, -3 the record with the largest timestamp, and any time
//              from 0 on: the first record that is not older. Nothing found is offset -1, timestamp -1, and no error.
//              Readers end at the high watermark; with isolation level 1 (read_committed) at the last stable offset.
#include "broker/protocol/messages/02_list_offsets.h"

#include "broker/handlers/entries.h"

namespace iolab::handlers {
namespace {

using protocol::ErrorCode;
using protocol::ListOffsetsRequest;
using protocol::ListOffsetsResponse;
using Answer = ListOffsetsResponse::Topic::Partition;

void look_up(core::Partition& partition, std::int64_t timestamp, core::Isolation isolation, Answer& answer) {
  answer.leader_epoch = core::kLeaderEpoch;
  if (timestamp == protocol::kLatestTimestamp || timestamp == protocol::kEarliestTimestamp) {
    const auto offsets = partition.offsets();
    if (!offsets)
      answer.error_code = offsets.error();
    else
      answer.offset = timestamp == protocol::kLatestTimestamp ? offsets->end(isolation) : offsets->start;
    return;
  }
  if (timestamp < 0 && timestamp != protocol::kMaxTimestamp) {
    answer.error_code = ErrorCode::invalid_request;
    return;
  }
  const auto found = timestamp == protocol::kMaxTimestamp ? partition.find_max_timestamp(isolation)
                                                          : partition.find_timestamp(timestamp, isolation);
  if (!found) {
    answer.error_code = found.error();
  } else if (*found) {
    answer.timestamp = (*found)->timestamp_ms;
    answer.offset = (*found)->offset;
  }
}

Outcome handle(Request& request, ListOffsetsRequest& wanted, base::GatherBuffer& out) {
  ListOffsetsResponse response;
  const core::Isolation isolation = core::isolation_of(wanted.isolation_level);
  for (const auto& asked : wanted.topics) {
    const core::TopicPointer topic = request.broker.topics().find(asked.name);
    auto& answers = response.topics.emplace_back(ListOffsetsResponse::Topic{.name = asked.name, .partitions = {}});
    for (const auto& one : asked.partitions) {
      Answer& answer = answers.partitions.emplace_back();
      answer.partition_index = one.partition_index;
      core::Partition* partition = topic ? topic->partition(one.partition_index) : nullptr;
      if (partition == nullptr)
        answer.error_code = ErrorCode::unknown_topic_or_partition;
      else
        answer.error_code = core::check_leader_epoch(one.current_leader_epoch);
      if (answer.error_code == ErrorCode::none) look_up(*partition, one.timestamp, isolation, answer);
      if (answer.error_code != ErrorCode::none) answer.leader_epoch = -1;
    }
  }
  return answer(request, response, out);
}

}  // namespace

ApiEntry list_offsets() {
  return {&protocol::kListOffsets, decode_and_handle<ListOffsetsRequest, handle>,
          "Latest, earliest, by time, and the largest timestamp; with `read_committed` below the last stable offset."};
}

}  // namespace iolab::handlers
