// ListGroups, versions 0 to 5: every group, from version 4 on only those in the states named, from 5 on by type.
//
// Behaviour    Whoever only commits offsets is an Empty group without a protocol type. All groups are of the type
//              "classic". Names of states and types are compared without regard to case.
#include "broker/protocol/messages/16_list_groups.h"

#include <algorithm>

#include "broker/handlers/entries.h"

namespace iolab::handlers {
namespace {

using protocol::ErrorCode;
using protocol::ListGroupsRequest;
using protocol::ListGroupsResponse;

constexpr std::string_view kClassic = "classic";

bool is_wanted(const std::vector<std::string>& filter, std::string_view name) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return filter.empty() || std::ranges::any_of(filter, [&](const std::string& wanted) {
           return std::ranges::equal(wanted, name, {}, lower, lower);
         });
}

Outcome handle(Request& request, ListGroupsRequest& wanted, base::GatherBuffer& out) {
  ListGroupsResponse response;
  const ErrorCode code = request.broker.groups().availability();
  if (code == ErrorCode::coordinator_not_available) response.error_code = code;  // before the first one there are none
  for (core::GroupDescription& group : request.broker.groups().list()) {
    if (!is_wanted(wanted.states_filter, group.state) || !is_wanted(wanted.types_filter, kClassic)) continue;
    response.groups.push_back({.group_id = std::move(group.group),
                               .protocol_type = std::move(group.protocol_type),
                               .group_state = std::move(group.state),
                               .group_type = std::string(kClassic)});
  }
  return answer(request, response, out);
}

}  // namespace

ApiEntry list_groups() {
  return {&protocol::kListGroups, decode_and_handle<ListGroupsRequest, handle>,
          "All groups, or those in some states (version 4 on) and of some types (5 on); all are classic."};
}

}  // namespace iolab::handlers
