// FindCoordinator, versions 0 to 4: there is one broker, so it coordinates every group and every transactional id.
//
// Behaviour    The first one for a group makes the topic in which groups are remembered, the first one for a
//              transactional id that of transactions, and waits for the disk. If that topic cannot be made or read, the
//              answer is COORDINATOR_NOT_AVAILABLE.
#include "broker/protocol/messages/10_find_coordinator.h"

#include "broker/handlers/disk_request.h"
#include "broker/handlers/entries.h"

namespace iolab::handlers {
namespace {

using protocol::ErrorCode;
using protocol::FindCoordinatorRequest;
using protocol::FindCoordinatorResponse;
using Coordinator = FindCoordinatorResponse::Coordinator;

Coordinator nobody(ErrorCode code, std::string why) {
  return {.node_id = -1, .host = "", .port = -1, .error_code = code, .error_message = std::move(why)};
}

Coordinator coordinator_of(const Request& request, std::int8_t key_type) {
  core::Broker& broker = request.broker;
  if (key_type == protocol::kGroupKey) {
    const ErrorCode code = broker.open_groups(request.now);
    if (code != ErrorCode::none) return nobody(code, "the topic of offsets cannot be made or read");
  } else if (key_type == protocol::kTransactionKey) {
    const ErrorCode code = broker.open_transactions(request.now);
    if (code != ErrorCode::none) return nobody(code, "the topic of transactions cannot be made or read");
  } else {
    return nobody(ErrorCode::invalid_request, "the key type is neither 0 (a group) nor 1 (a transactional id)");
  }
  return {.node_id = broker.node_id(),
          .host = broker.endpoint().host,
          .port = broker.endpoint().port,
          .error_message = std::nullopt};
}

// May make a topic, so it runs where one waits for the disk.
Outcome answer_opening(Request& request, FindCoordinatorRequest& wanted, base::GatherBuffer& out) {
  Coordinator here = coordinator_of(request, wanted.key_type);
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

Outcome handle(Request& request, FindCoordinatorRequest& wanted, base::GatherBuffer& out) {
  const bool of_groups = wanted.key_type == protocol::kGroupKey;
  const bool of_transactions = wanted.key_type == protocol::kTransactionKey;
  const bool opens = (of_groups && request.broker.groups().availability() == ErrorCode::not_coordinator) ||
                     (of_transactions && request.broker.transactions().availability() == ErrorCode::not_coordinator);
  if (opens) return run_at_the_disk<FindCoordinatorRequest, answer_opening>(request, wanted, out);
  return answer_opening(request, wanted, out);
}

}  // namespace

ApiEntry find_coordinator() {
  return {
      &protocol::kFindCoordinator, decode_and_handle<FindCoordinatorRequest, handle>,
      "This broker, for every group and transactional id; the first one for a group makes `__consumer_offsets`, the "
      "first one for a transactional id `__transaction_state`. (librdkafka compresses with lz4 only if it is "
      "advertised.)"};
}

}  // namespace iolab::handlers
