// LeaveGroup, versions 0 to 5: members leave, and the others share out their work.
//
// Behaviour    Up to version 2 one member, whose error is the answer's; from 3 on any number, each with its own. A
//              static member is removed by its instance id with an empty member id.
#include "broker/protocol/messages/13_leave_group.h"

#include "broker/handlers/entries.h"

namespace iolab::handlers {
namespace {

using protocol::ErrorCode;
using protocol::LeaveGroupRequest;
using protocol::LeaveGroupResponse;

constexpr std::int16_t kFirstVersionWithMembers = 3;

Outcome handle(Request& request, LeaveGroupRequest& wanted, base::GatherBuffer& out) {
  core::GroupCoordinator& groups = request.broker.groups();
  LeaveGroupResponse response;
  std::vector<core::MemberClaim> who;
  const bool several = request.header.api_version >= kFirstVersionWithMembers;
  if (!several) who.push_back({wanted.member_id, std::nullopt});
  for (const auto& member : wanted.members) who.push_back({member.member_id, member.group_instance_id});

  const ErrorCode all = wanted.group_id.empty() ? ErrorCode::invalid_group_id : groups.availability();
  if (all != ErrorCode::none) {
    response.error_code = all;
    return answer(request, response, out);
  }
  const auto results = groups.leave(wanted.group_id, who, {request.now, request.wakeups});
  if (!several) response.error_code = results.at(0);
  for (std::size_t i = 0; several && i < who.size(); ++i) {
    response.members.push_back(
        {.member_id = who[i].member_id, .group_instance_id = who[i].instance_id, .error_code = results[i]});
  }
  return answer(request, response, out);
}

}  // namespace

ApiEntry leave_group() {
  return {&protocol::kLeaveGroup, decode_and_handle<LeaveGroupRequest, handle>,
          "One member, or from version 3 on several, also static ones by instance id."};
}

}  // namespace iolab::handlers
