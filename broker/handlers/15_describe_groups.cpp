// DescribeGroups, versions 0 to 5: state, protocol and members of groups.
//
// Behaviour    A group that is not known is "Dead", without an error. What members say and do is told of a stable
// group. Not here     the members' addresses, authorised operations (always "not asked").
#include "broker/protocol/messages/15_describe_groups.h"

#include "broker/handlers/entries.h"
#include "broker/handlers/group_answers.h"

namespace iolab::handlers {
namespace {

using protocol::DescribeGroupsRequest;
using protocol::DescribeGroupsResponse;
using protocol::ErrorCode;

void refuse_all(DescribeGroupsResponse& response, ErrorCode code) {
  for (auto& group : response.groups) {
    DescribeGroupsResponse::Group refused;
    refused.group_id = group.group_id;
    refused.error_code = code;
    group = std::move(refused);
  }
}

void refuse(DescribeGroupsResponse& response) {
  refuse_all(response, ErrorCode::not_coordinator);
}

Outcome handle(Request& request, DescribeGroupsRequest& wanted, base::GatherBuffer& out) {
  core::GroupCoordinator& groups = request.broker.groups();
  DescribeGroupsResponse response;
  for (const std::string& name : wanted.groups) {
    core::GroupDescription found = groups.describe(name);
    auto& group = response.groups.emplace_back();
    group.group_id = name;
    group.group_state = std::move(found.state);
    group.protocol_type = std::move(found.protocol_type);
    group.protocol_data = std::move(found.protocol);
    for (auto& member : found.members) {
      group.members.push_back({.member_id = std::move(member.member_id),
                               .group_instance_id = std::move(member.instance_id),
                               .client_id = std::move(member.client_id),
                               .client_host = std::move(member.client_host),
                               .member_metadata = core::blob_of(member.metadata),
                               .member_assignment = core::blob_of(member.assignment)});
    }
  }
  if (const ErrorCode code = groups.availability(); code != ErrorCode::none) {
    refuse_all(response, code);
    return answer(request, response, out);
  }
  return tell_after_sync(request, groups, std::move(response), refuse, out);
}

}  // namespace

ApiEntry describe_groups() {
  return {&protocol::kDescribeGroups, decode_and_handle<DescribeGroupsRequest, handle>,
          "State, protocol and members; an unknown group is Dead. `client_host` is empty: a session never sees its "
          "socket. No authorised operations."};
}

}  // namespace iolab::handlers
