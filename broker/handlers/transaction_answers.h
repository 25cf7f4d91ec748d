// What the handlers of transactions share.
#pragma once

#include "broker/core/transactions/coordinator.h"
#include "broker/handlers/handler.h"
#include "broker/handlers/synced_answer.h"

namespace iolab::handlers {

// Clients that were written before there was PRODUCER_FENCED are told INVALID_PRODUCER_EPOCH (KIP-588).
inline protocol::ErrorCode fenced_as(protocol::ErrorCode code, const Request& request,
                                     std::int16_t first_version_with_fenced) {
  const bool knows = request.header.api_version >= first_version_with_fenced;
  return code == protocol::ErrorCode::producer_fenced && !knows ? protocol::ErrorCode::invalid_producer_epoch : code;
}

// In AddPartitionsToTxn, AddOffsetsToTxn and EndTxn.
inline constexpr std::int16_t kFirstVersionWithFencedProducers = 2;

}  // namespace iolab::handlers
