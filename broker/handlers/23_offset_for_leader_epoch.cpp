// OffsetForLeaderEpoch, versions 2 to 4: where the records of a leader epoch end.
//
// Behaviour    There is one leader epoch: its records end at the high watermark, behind which nobody has read, and none
//              of them ever goes away at the end. Of another epoch nothing is known: epoch -1, offset -1.
#include "broker/protocol/messages/23_offset_for_leader_epoch.h"

#include "broker/handlers/entries.h"

namespace iolab::handlers {
namespace {

using protocol::ErrorCode;
using protocol::OffsetForLeaderEpochRequest;
using protocol::OffsetForLeaderEpochResponse;
using Answer = OffsetForLeaderEpochResponse::Topic::Partition;

void look_up(const core::Partition& partition, std::int32_t leader_epoch, Answer& answer) {
  const auto offsets = partition.offsets();
  if (!offsets) {
    answer.error_code = offsets.error();
  } else if (leader_epoch == core::kLeaderEpoch) {
    answer.leader_epoch = leader_epoch;
    answer.end_offset = offsets->high_watermark;
  }
}

Outcome handle(Request& request, OffsetForLeaderEpochRequest& wanted, base::GatherBuffer& out) {
  OffsetForLeaderEpochResponse response;
  for (const auto& asked : wanted.topics) {
    const core::TopicPointer topic = request.broker.topics().find(asked.topic);
    auto& answers =
        response.topics.emplace_back(OffsetForLeaderEpochResponse::Topic{.topic = asked.topic, .partitions = {}});
    for (const auto& one : asked.partitions) {
      Answer& answer = answers.partitions.emplace_back();
      answer.partition = one.partition;
      const core::Partition* partition = topic ? topic->partition(one.partition) : nullptr;
      if (partition == nullptr)
        answer.error_code = ErrorCode::unknown_topic_or_partition;
      else
        answer.error_code = core::check_leader_epoch(one.current_leader_epoch);
      if (answer.error_code == ErrorCode::none) look_up(*partition, one.leader_epoch, answer);
    }
  }
  return answer(request, response, out);
}

}  // namespace

ApiEntry offset_for_leader_epoch() {
  return {&protocol::kOffsetForLeaderEpoch, decode_and_handle<OffsetForLeaderEpochRequest, handle>,
          "There is one leader epoch, 0: the high watermark. Of others nothing is known."};
}

}  // namespace iolab::handlers
