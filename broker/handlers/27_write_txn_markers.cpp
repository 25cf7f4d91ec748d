// WriteTxnMarkers, version 1: ends transactions in partitions, whatever their coordinator thinks.
//
// Behaviour    For an operator whose readers wait behind a transaction that nobody ends (Admin.abortTransaction). Each
//              partition is answered for on its own; with iolab.flush=commit the answer waits for the sync.
// Not here     the epoch of the coordinator: there is one, and it never changes.
#include "broker/protocol/messages/27_write_txn_markers.h"

#include "broker/core/transactions/marker.h"
#include "broker/handlers/entries.h"
#include "broker/handlers/synced_answer.h"

namespace iolab::handlers {
namespace {

using protocol::ErrorCode;
using protocol::WriteTxnMarkersRequest;
using protocol::WriteTxnMarkersResponse;

void refuse(WriteTxnMarkersResponse& response) {
  for (auto& marker : response.markers) {
    for (auto& topic : marker.topics) {
      for (auto& partition : topic.partitions) {
        if (partition.error_code == ErrorCode::none) partition.error_code = ErrorCode::kafka_storage_error;
      }
    }
  }
}

Outcome handle(Request& request, WriteTxnMarkersRequest& wanted, base::GatherBuffer& out) {
  auto wait = commit_wait(request);
  WriteTxnMarkersResponse response;
  for (const auto& asked : wanted.markers) {
    const protocol::TransactionMarker marker{.producer_id = asked.producer_id,
                                             .producer_epoch = asked.producer_epoch,
                                             .coordinator_epoch = core::kTransactionCoordinatorEpoch,
                                             .commit = asked.transaction_result};
    auto& told = response.markers.emplace_back();
    told.producer_id = asked.producer_id;
    for (const auto& asked_topic : asked.topics) {
      auto& topic = told.topics.emplace_back();
      topic.name = asked_topic.name;
      for (const std::int32_t index : asked_topic.partition_indexes) {
        const ErrorCode code =
            core::write_marker(request.broker.topics(), request.broker.groups(), {asked_topic.name, index}, marker,
                               request.now, wait, request.wakeups);
        topic.partitions.push_back({.partition_index = index, .error_code = code});
      }
    }
  }
  return answer_after_sync(request, std::move(response), std::move(wait), refuse, out);
}

}  // namespace

ApiEntry write_txn_markers() {
  return {&protocol::kWriteTxnMarkers, decode_and_handle<WriteTxnMarkersRequest, handle>,
          "For operators (`Admin.abortTransaction`): ends a producer's transaction in single partitions. The "
          "coordinator's epoch is not looked at."};
}

}  // namespace iolab::handlers
