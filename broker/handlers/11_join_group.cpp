// JoinGroup, versions 0 to 9: a member enters its group, and waits until the group is complete.
//
// Behaviour    From version 4 on a new dynamic member is first given an id (MEMBER_ID_REQUIRED) and joins with it. An
//              empty group waits group.initial.rebalance.delay.ms, again after each member that comes, up to the
//              rebalance timeout; later rebalances end when all members have joined again, or with the largest
//              rebalance timeout, which drops the dynamic members that have not. A static member that was started again
//              takes its own place, without a rebalance if the group is stable.
// Not here     the members' addresses (client_host is empty), KIP-848 groups.
#include "broker/protocol/messages/11_join_group.h"

#include "broker/handlers/entries.h"
#include "broker/handlers/group_answers.h"

namespace iolab::handlers {
namespace {

using protocol::JoinGroupRequest;
using protocol::JoinGroupResponse;

constexpr std::int16_t kFirstVersionWithRebalanceTimeout = 1;
constexpr std::int16_t kFirstVersionWithMemberIdFirst = 4;
constexpr std::int16_t kFirstVersionWithSkipAssignment = 9;

JoinGroupResponse fill(core::JoinAnswer joined) {
  JoinGroupResponse response;
  response.error_code = joined.error;
  response.generation_id = joined.generation;
  response.protocol_type = std::move(joined.protocol_type);
  response.protocol_name = std::move(joined.protocol_name);
  response.leader = std::move(joined.leader);
  response.skip_assignment = joined.skip_assignment;
  response.member_id = std::move(joined.member_id);
  response.members.reserve(joined.members.size());
  for (auto& member : joined.members) {
    response.members.push_back({.member_id = std::move(member.member_id),
                                .group_instance_id = std::move(member.group_instance_id),
                                .metadata = core::blob_of(member.metadata)});
  }
  return response;
}

Outcome handle(Request& request, JoinGroupRequest& wanted, base::GatherBuffer& out) {
  const std::int16_t version = request.header.api_version;
  core::JoinAsk ask;
  ask.group = std::move(wanted.group_id);
  ask.who = {std::move(wanted.member_id), std::move(wanted.group_instance_id)};
  ask.client_id = request.header.client_id.value_or("");
  ask.session_timeout_ms = wanted.session_timeout_ms;
  ask.rebalance_timeout_ms =
      version < kFirstVersionWithRebalanceTimeout ? wanted.session_timeout_ms : wanted.rebalance_timeout_ms;
  ask.protocol_type = std::move(wanted.protocol_type);
  for (auto& protocol : wanted.protocols)
    ask.protocols.push_back({std::move(protocol.name), core::copy_of(protocol.metadata)});
  ask.require_known_member = version >= kFirstVersionWithMemberIdFirst;
  ask.may_skip_assignment = version >= kFirstVersionWithSkipAssignment;
  auto pending = std::make_shared<core::PendingAnswer<core::JoinAnswer>>(request.sleeper);
  request.broker.groups().join(std::move(ask), pending, {request.now, request.wakeups});
  return answer_when_given(request, std::move(pending), fill, out);
}

}  // namespace

ApiEntry join_group() {
  return {&protocol::kJoinGroup, decode_and_handle<JoinGroupRequest, handle>,
          "Classic groups: eager and cooperative assignors, static members, ids given ahead from version 4 on. Waits "
          "for the other members, and holds back what its connection sends behind it."};
}

}  // namespace iolab::handlers
