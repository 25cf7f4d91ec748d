// FindCoordinator, versions 0 to 4: there is one broker, so it coordinates every group and every transactional id.
//
// Not here     the coordinators' own APIs. A client that goes on to join a group finds that none of them is advertised,
//              and says so; it would retry for ever if this answered that no coordinator is available.
#include "broker/protocol/messages/10_find_coordinator.h"

#include "broker/handlers/entries.h"

namespace iolab::handlers {
namespace {

using protocol::ErrorCode;
using protocol::FindCoordinatorRequest;
using protocol::FindCoordinatorResponse;

Outcome handle(Request& request, FindCoordinatorRequest& wanted, base::GatherBuffer& out) {
  const core::Broker& broker = request.broker;
  const bool known = wanted.key_type == protocol::kGroupKey || wanted.key_type == protocol::kTransactionKey;
  FindCoordinatorResponse::Coordinator here{.node_id = broker.node_id(),
                                            .host = broker.endpoint().host,
                                            .port = broker.endpoint().port,
                                            .error_message = std::nullopt};
  if (!known) {
    here = {.node_id = -1,
            .host = "",
            .port = -1,
            .error_code = ErrorCode::invalid_request,
            .error_message = "the key type is neither 0 (a group) nor 1 (a transactional id)"};
  }
  FindCoordinatorResponse response{.error_code = here.error_code,
                                   .error_message = here.error_message,
                                   .node_id = here.node_id,
                                   .host = here.host,
                                   .port = here.port};
  for (std::string& key : wanted.coordinator_keys) {
    here.key = std::move(key);
    response.coordinators.push_back(here);
  }
  return answer(request, response, out);
}

}  // namespace

ApiEntry find_coordinator() {
  return {
      &protocol::kFindCoordinator, decode_and_handle<FindCoordinatorRequest, handle>,
      "This broker, for every group and transactional id. (librdkafka compresses with lz4 only if it is advertised.)"};
}

}  // namespace iolab::handlers
