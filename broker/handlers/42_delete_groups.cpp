// DeleteGroups, versions 0 to 2: groups without members, and everything they have committed, each on its own.
#include "broker/protocol/messages/42_delete_groups.h"

#include "broker/handlers/entries.h"
#include "broker/handlers/group_answers.h"

namespace iolab::handlers {
namespace {

using protocol::DeleteGroupsRequest;
using protocol::DeleteGroupsResponse;
using protocol::ErrorCode;

void refuse(DeleteGroupsResponse& response) {
  for (auto& result : response.results) {
    if (result.error_code == ErrorCode::none) result.error_code = ErrorCode::not_coordinator;
  }
}

Outcome handle(Request& request, DeleteGroupsRequest& wanted, base::GatherBuffer& out) {
  auto wait = commit_wait(request);
  DeleteGroupsResponse response;
  for (const std::string& group : wanted.groups_names) {
    const ErrorCode code = request.broker.groups().delete_group(group, wait, {request.now, request.wakeups});
    response.results.push_back({.group_id = group, .error_code = code});
  }
  return answer_after_sync(request, std::move(response), std::move(wait), refuse, out);
}

}  // namespace

ApiEntry delete_groups() {
  return {&protocol::kDeleteGroups, decode_and_handle<DeleteGroupsRequest, handle>,
          "Empty groups with their offsets; others are NON_EMPTY_GROUP."};
}

}  // namespace iolab::handlers
