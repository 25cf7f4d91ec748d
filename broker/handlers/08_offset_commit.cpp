// OffsetCommit, versions 2 to 9: how far a group has come, stored in __consumer_offsets.
//
// Behaviour    Members commit with their generation; others with generation -1, as long as the group has no members.
//              While the assignments of a new generation are not known, members are told REBALANCE_IN_PROGRESS. Text
//              longer than offset.metadata.max.bytes is refused for its partition. All offsets of a request are one
//              batch; with iolab.flush=commit the answer waits for its sync.
// Not here     member epochs of KIP-848 groups.
#include "broker/protocol/messages/08_offset_commit.h"

#include "broker/handlers/entries.h"
#include "broker/handlers/group_answers.h"

namespace iolab::handlers {
namespace {

using protocol::ErrorCode;
using protocol::OffsetCommitRequest;
using protocol::OffsetCommitResponse;

void refuse(OffsetCommitResponse& response) {
  for (auto& topic : response.topics) {
    for (auto& partition : topic.partitions) {
      if (partition.error_code == ErrorCode::none) partition.error_code = ErrorCode::not_coordinator;
    }
  }
}

Outcome handle(Request& request, OffsetCommitRequest& wanted, base::GatherBuffer& out) {
  std::vector<core::OffsetToCommit> offsets = offsets_to_commit(request, wanted.topics);
  if (wanted.retention_time_ms >= 0) {
    for (core::OffsetToCommit& offset : offsets) {
      offset.value.expire_timestamp = core::Deadlines::after(request.now.wall_ms, wanted.retention_time_ms);
    }
  }
  auto wait = commit_wait(request);
  request.broker.groups().commit({.group = wanted.group_id,
                                  .who = {wanted.member_id, wanted.group_instance_id},
                                  .generation = wanted.generation_id_or_member_epoch},
                                 offsets, wait, {request.now, request.wakeups});
  OffsetCommitResponse response;
  tell_each(wanted.topics, offsets, response.topics);
  return answer_after_sync(request, std::move(response), std::move(wait), refuse, out);
}

}  // namespace

ApiEntry offset_commit() {
  return {&protocol::kOffsetCommit, decode_and_handle<OffsetCommitRequest, handle>,
          "Stored as records of `__consumer_offsets`; members by generation, others (generation -1) while the group is "
          "empty. No member epochs."};
}

}  // namespace iolab::handlers
