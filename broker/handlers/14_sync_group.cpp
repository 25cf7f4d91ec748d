// SyncGroup, versions 0 to 5: the leader hands in the assignments, everybody is given its own.
//
// Behaviour    Followers wait for the leader, at most the rebalance timeout, after which whoever has not synced is
//              dropped. The generation is stored in __consumer_offsets before anybody is answered. A member that the
//              leader has forgotten gets empty bytes.
#include "broker/protocol/messages/14_sync_group.h"

#include "broker/handlers/entries.h"
#include "broker/handlers/group_answers.h"

namespace iolab::handlers {
namespace {

using protocol::SyncGroupRequest;
using protocol::SyncGroupResponse;

constexpr std::int16_t kFirstVersionWithProtocol = 5;

SyncGroupResponse fill(core::SyncAnswer synced) {
  SyncGroupResponse response;
  response.error_code = synced.error;
  response.protocol_type = std::move(synced.protocol_type);
  response.protocol_name = std::move(synced.protocol_name);
  response.assignment = core::blob_of(synced.assignment);
  return response;
}

Outcome handle(Request& request, SyncGroupRequest& wanted, base::GatherBuffer& out) {
  if (request.header.api_version >= kFirstVersionWithProtocol && (!wanted.protocol_type || !wanted.protocol_name)) {
    return answer(request, fill({.error = protocol::ErrorCode::inconsistent_group_protocol}), out);
  }
  core::SyncAsk ask{.group = std::move(wanted.group_id),
                    .who = {std::move(wanted.member_id), std::move(wanted.group_instance_id)},
                    .generation = wanted.generation_id,
                    .protocol_type = std::move(wanted.protocol_type),
                    .protocol_name = std::move(wanted.protocol_name),
                    .assignments = {}};
  for (auto& given : wanted.assignments) {
    ask.assignments.emplace_back(std::move(given.member_id), core::copy_of(given.assignment));
  }
  auto pending = std::make_shared<core::PendingAnswer<core::SyncAnswer>>(request.sleeper);
  request.broker.groups().sync(ask, pending, {request.now, request.wakeups});
  return answer_when_given(request, std::move(pending), fill, out);
}

}  // namespace

ApiEntry sync_group() {
  return {&protocol::kSyncGroup, decode_and_handle<SyncGroupRequest, handle>,
          "Followers wait for the leader. The generation with its members and assignments is stored first, so that a "
          "restart of the broker does not end it."};
}

}  // namespace iolab::handlers
