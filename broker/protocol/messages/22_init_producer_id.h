// InitProducerId: gives a producer the identity that its sequence numbers belong to; with a transactional id, the one
// that it had before, with a higher epoch.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/protocol/api.h"
#include "broker/protocol/error_code.h"
#include "broker/protocol/field.h"

namespace iolab::protocol {

inline constexpr Api kInitProducerId{
    .key = ApiKey::init_producer_id, .name = "InitProducerId", .first = 0, .last = 4, .flexible = 2};

struct InitProducerIdRequest {
  static constexpr Api kApi = kInitProducerId;

  std::optional<std::string> transactional_id = "";
  std::int32_t transaction_timeout_ms = 0;
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = -1;

  bool operator==(const InitProducerIdRequest&) const = default;
  static constexpr void fields(auto&& field) {
    field("transactional_id", &InitProducerIdRequest::transactional_id);
    field("transaction_timeout_ms", &InitProducerIdRequest::transaction_timeout_ms);
    field("producer_id", &InitProducerIdRequest::producer_id, since(3));
    field("producer_epoch", &InitProducerIdRequest::producer_epoch, since(3));
  }
};

struct InitProducerIdResponse {
  static constexpr Api kApi = kInitProducerId;

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = 0;

  bool operator==(const InitProducerIdResponse&) const = default;
  static constexpr void fields(auto&& field) {
    field("throttle_time_ms", &InitProducerIdResponse::throttle_time_ms);
    field("error_code", &InitProducerIdResponse::error_code);
    field("producer_id", &InitProducerIdResponse::producer_id);
    field("producer_epoch", &InitProducerIdResponse::producer_epoch);
  }
};

}  // namespace iolab::protocol
