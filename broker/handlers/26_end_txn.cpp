// EndTxn, versions 0 to 3: a transaction is committed or aborted.
//
// Behaviour    Answered when every partition has its marker, so that the next transaction may begin at once; with
//              iolab.flush=commit that takes two syncs, one after the other, and nobody blocks meanwhile. A partition
//              that cannot be reached does not change the decision: the answer comes, and the marker is tried again.
//              Whoever asks twice for the same end is told that it is done; for the other end, INVALID_TXN_STATE.
#include "broker/protocol/messages/26_end_txn.h"

#include "broker/handlers/entries.h"
#include "broker/handlers/group_answers.h"
#include "broker/handlers/transaction_answers.h"

namespace iolab::handlers {
namespace {

using protocol::EndTxnRequest;
using protocol::EndTxnResponse;
using protocol::ErrorCode;

EndTxnResponse response_of(core::EndAnswer given) {
  return {.error_code = given.error};
}

Outcome handle(Request& request, EndTxnRequest& wanted, base::GatherBuffer& out) {
  const auto pending = std::make_shared<core::PendingAnswer<core::EndAnswer>>(request.sleeper);
  const ErrorCode code = request.broker.transactions().end(
      {std::move(wanted.transactional_id), {wanted.producer_id, wanted.producer_epoch}}, wanted.committed, pending,
      {request.now, request.wakeups});
  if (code == ErrorCode::none) return answer_when_given(request, pending, response_of, out);
  return answer(request, response_of({fenced_as(code, request, kFirstVersionWithFencedProducers)}), out);
}

}  // namespace

ApiEntry end_txn() {
  return {&protocol::kEndTxn, decode_and_handle<EndTxnRequest, handle>,
          "Answered when every partition has its marker. An end that was decided is finished after a restart, too."};
}

}  // namespace iolab::handlers
