// InitProducerId, versions 0 to 4: an identity for an idempotent or a transactional producer.
//
// Behaviour    Without a transactional id: a new random producer id, epoch 0. If the producer names the id and epoch
//              that it had (version 3 on), it keeps the id with the next epoch, or gets a new id when epochs run out.
//              With one: the id's producer with the next epoch, so that whoever used it before is fenced; what that one
//              left open is aborted first, and meanwhile the answer is CONCURRENT_TRANSACTIONS. Who names what it had
//              and has been replaced is PRODUCER_FENCED (up to version 3: INVALID_PRODUCER_EPOCH). With
//              iolab.flush=commit the answer waits for the sync: an epoch must not be given twice.
#include "broker/protocol/messages/22_init_producer_id.h"

#include <limits>

#include "broker/handlers/entries.h"
#include "broker/handlers/transaction_answers.h"

namespace iolab::handlers {
namespace {

using protocol::ErrorCode;
using protocol::InitProducerIdRequest;
using protocol::InitProducerIdResponse;

constexpr std::int16_t kFirstVersionWithFenced = 4;

void refuse_with(InitProducerIdResponse& response, ErrorCode code) {
  response.error_code = code;
  response.producer_id = -1;
  response.producer_epoch = -1;
}

void refuse(InitProducerIdResponse& response) {
  if (response.error_code == ErrorCode::none) refuse_with(response, ErrorCode::not_coordinator);
}

Outcome start(Request& request, InitProducerIdRequest& wanted, base::GatherBuffer& out) {
  auto wait = commit_wait(request);
  const auto started = request.broker.transactions().start(
      {std::move(*wanted.transactional_id), {wanted.producer_id, wanted.producer_epoch}}, wanted.transaction_timeout_ms,
      wait, {request.now, request.wakeups});
  InitProducerIdResponse response;
  if (!started) {
    refuse_with(response, fenced_as(started.error(), request, kFirstVersionWithFenced));
    return answer(request, response, out);
  }
  response.producer_id = started->id;
  response.producer_epoch = started->epoch;
  return answer_after_sync(request, std::move(response), std::move(wait), refuse, out);
}

Outcome handle(Request& request, InitProducerIdRequest& wanted, base::GatherBuffer& out) {
  if (wanted.transactional_id) return start(request, wanted, out);
  InitProducerIdResponse response;
  const bool goes_on = wanted.producer_id >= 0 && wanted.producer_epoch >= 0 &&
                       wanted.producer_epoch < std::numeric_limits<std::int16_t>::max() - 1;
  response.producer_id = goes_on ? wanted.producer_id : request.broker.new_producer_id();
  response.producer_epoch = goes_on ? static_cast<std::int16_t>(wanted.producer_epoch + 1) : std::int16_t{0};
  return answer(request, response, out);
}

}  // namespace

ApiEntry init_producer_id() {
  return {
      &protocol::kInitProducerId, decode_and_handle<InitProducerIdRequest, handle>,
      "Ids and epochs for idempotent and transactional producers; a new one of the same transactional id fences the "
      "one before it, and what that one left open is aborted."};
}

}  // namespace iolab::handlers
