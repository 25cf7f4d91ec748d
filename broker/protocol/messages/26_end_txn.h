// EndTxn: a producer commits or aborts its transaction.
#pragma once

#include <string>

#include "broker/protocol/api.h"
#include "broker/protocol/error_code.h"
#include "broker/protocol/field.h"

namespace iolab::protocol {

inline constexpr Api kEndTxn{.key = ApiKey::end_txn, .name = "EndTxn", .first = 0, .last = 3, .flexible = 3};

struct EndTxnRequest {
  static constexpr Api kApi = kEndTxn;

  std::string transactional_id;
  std::int64_t producer_id = 0;
  std::int16_t producer_epoch = 0;
  bool committed = false;  // false: aborted

  bool operator==(const EndTxnRequest&) const = default;
  static constexpr void fields(auto&& field) {
    field("transactional_id", &EndTxnRequest::transactional_id);
    field("producer_id", &EndTxnRequest::producer_id);
    field("producer_epoch", &EndTxnRequest::producer_epoch);
    field("committed", &EndTxnRequest::committed);
  }
};

struct EndTxnResponse {
  static constexpr Api kApi = kEndTxn;

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;

  bool operator==(const EndTxnResponse&) const = default;
  static constexpr void fields(auto&& field) {
    field("throttle_time_ms", &EndTxnResponse::throttle_time_ms);
    field("error_code", &EndTxnResponse::error_code);
  }
};

}  // namespace iolab::protocol
