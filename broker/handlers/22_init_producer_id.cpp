// InitProducerId, versions 0 to 4: an identity for an idempotent producer.
//
// Behaviour    Without a transactional id: a new random producer id, epoch 0. If the producer names the id and epoch
//              that it had (version 3 on), it keeps the id with the next epoch, or gets a new id when epochs run out.
// Not here     transactions: a transactional id is INVALID_REQUEST.
#include "broker/protocol/messages/22_init_producer_id.h"

#include <limits>

#include "broker/handlers/entries.h"

namespace iolab::handlers {
namespace {

using protocol::ErrorCode;
using protocol::InitProducerIdRequest;
using protocol::InitProducerIdResponse;

Outcome handle(Request& request, InitProducerIdRequest& wanted, base::GatherBuffer& out) {
  InitProducerIdResponse response;
  if (wanted.transactional_id) {
    response.error_code = ErrorCode::invalid_request;
    response.producer_epoch = -1;
    return answer(request, response, out);
  }
  const bool goes_on = wanted.producer_id >= 0 && wanted.producer_epoch >= 0 &&
                       wanted.producer_epoch < std::numeric_limits<std::int16_t>::max() - 1;
  response.producer_id = goes_on ? wanted.producer_id : request.broker.new_producer_id();
  response.producer_epoch = goes_on ? static_cast<std::int16_t>(wanted.producer_epoch + 1) : std::int16_t{0};
  return answer(request, response, out);
}

}  // namespace

ApiEntry init_producer_id() {
  return {&protocol::kInitProducerId, decode_and_handle<InitProducerIdRequest, handle>,
          "Ids for idempotent producers, and epoch bumps. A transactional id is refused with INVALID_REQUEST."};
}

}  // namespace iolab::handlers
