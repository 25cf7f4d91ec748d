// AddOffsetsToTxn, versions 0 to 3: a transaction will commit offsets of a group, too.
//
// Behaviour    The partition of the topic of offsets becomes part of the transaction. With iolab.flush=commit the
// answer
//              waits for the sync, as that of AddPartitionsToTxn does.
#include "broker/protocol/messages/25_add_offsets_to_txn.h"

#include "broker/handlers/entries.h"
#include "broker/handlers/transaction_answers.h"

namespace iolab::handlers {
namespace {

using protocol::AddOffsetsToTxnRequest;
using protocol::AddOffsetsToTxnResponse;
using protocol::ErrorCode;

void refuse(AddOffsetsToTxnResponse& response) {
  if (response.error_code == ErrorCode::none) response.error_code = ErrorCode::not_coordinator;
}

Outcome handle(Request& request, AddOffsetsToTxnRequest& wanted, base::GatherBuffer& out) {
  AddOffsetsToTxnResponse response;
  if (wanted.group_id.empty()) {
    response.error_code = ErrorCode::invalid_group_id;
    return answer(request, response, out);
  }
  auto wait = commit_wait(request);
  const ErrorCode code = request.broker.transactions().add(
      {std::move(wanted.transactional_id), {wanted.producer_id, wanted.producer_epoch}}, {core::offsets_partition()},
      wait, {request.now, request.wakeups});
  response.error_code = fenced_as(code, request, kFirstVersionWithFencedProducers);
  if (code != ErrorCode::none) return answer(request, response, out);
  return answer_after_sync(request, std::move(response), std::move(wait), refuse, out);
}

}  // namespace

ApiEntry add_offsets_to_txn() {
  return {&protocol::kAddOffsetsToTxn, decode_and_handle<AddOffsetsToTxnRequest, handle>,
          "Lets a transaction commit a group's offsets with TxnOffsetCommit."};
}

}  // namespace iolab::handlers
