// Heartbeat, versions 0 to 4: a member is alive, and learns whether it has to join again (REBALANCE_IN_PROGRESS).
//
// Behaviour    Every heartbeat of the current generation starts the session timeout anew, also while the group is being
//              put together.
#include "broker/protocol/messages/12_heartbeat.h"

#include "broker/handlers/entries.h"

namespace iolab::handlers {
namespace {

using protocol::HeartbeatRequest;
using protocol::HeartbeatResponse;

Outcome handle(Request& request, HeartbeatRequest& wanted, base::GatherBuffer& out) {
  HeartbeatResponse response;
  response.error_code = request.broker.groups().heartbeat(wanted.group_id, {wanted.member_id, wanted.group_instance_id},
                                                          wanted.generation_id, {request.now, request.wakeups});
  return answer(request, response, out);
}

}  // namespace

ApiEntry heartbeat() {
  return {&protocol::kHeartbeat, decode_and_handle<HeartbeatRequest, handle>,
          "Keeps a member's session alive; fences old generations and replaced static members."};
}

}  // namespace iolab::handlers
