// OffsetDelete, version 0: forgets a group's offsets of some partitions.
//
// Behaviour    Topics that a member of the group reads, as its subscription says, are GROUP_SUBSCRIBED_TO_TOPIC. A
//              group with members of another protocol type than "consumer" is NON_EMPTY_GROUP.
#include "broker/protocol/messages/47_offset_delete.h"

#include "broker/handlers/entries.h"
#include "broker/handlers/group_answers.h"

namespace iolab::handlers {
namespace {

using protocol::ErrorCode;
using protocol::OffsetDeleteRequest;
using protocol::OffsetDeleteResponse;

void refuse(OffsetDeleteResponse& response) {
  response.error_code = ErrorCode::not_coordinator;
  response.topics.clear();
}

Outcome handle(Request& request, OffsetDeleteRequest& wanted, base::GatherBuffer& out) {
  std::vector<core::OffsetToCommit> offsets;
  for (const auto& asked : wanted.topics) {
    const core::TopicPointer topic = request.broker.topics().find(asked.name);
    for (const auto& partition : asked.partitions) {
      auto& offset = offsets.emplace_back(core::OffsetToCommit{.where = {asked.name, partition.partition_index}});
      const bool known = topic && topic->partition(partition.partition_index) != nullptr;
      if (!known) offset.error = ErrorCode::unknown_topic_or_partition;
    }
  }
  auto wait = commit_wait(request);
  OffsetDeleteResponse response;
  response.error_code =
      request.broker.groups().delete_offsets(wanted.group_id, offsets, wait, {request.now, request.wakeups});
  if (response.error_code == ErrorCode::none) tell_each(wanted.topics, offsets, response.topics);
  return answer_after_sync(request, std::move(response), std::move(wait), refuse, out);
}

}  // namespace

ApiEntry offset_delete() {
  return {&protocol::kOffsetDelete, decode_and_handle<OffsetDeleteRequest, handle>,
          "Offsets of topics that no member of the group is subscribed to."};
}

}  // namespace iolab::handlers
