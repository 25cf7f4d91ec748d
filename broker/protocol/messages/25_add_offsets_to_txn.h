// AddOffsetsToTxn: a producer says that it is about to commit offsets of a group within its transaction.
#pragma once

#include <string>

#include "broker/protocol/api.h"
#include "broker/protocol/error_code.h"
#include "broker/protocol/field.h"

namespace iolab::protocol {

inline constexpr Api kAddOffsetsToTxn{
    .key = ApiKey::add_offsets_to_txn, .name = "AddOffsetsToTxn", .first = 0, .last = 3, .flexible = 3};

struct AddOffsetsToTxnRequest {
  static constexpr Api kApi = kAddOffsetsToTxn;

  std::string transactional_id;
  std::int64_t producer_id = 0;
  std::int16_t producer_epoch = 0;
  std::string group_id;

  bool operator==(const AddOffsetsToTxnRequest&) const = default;
  static constexpr void fields(auto&& field) {
    field("transactional_id", &AddOffsetsToTxnRequest::transactional_id);
    field("producer_id", &AddOffsetsToTxnRequest::producer_id);
    field("producer_epoch", &AddOffsetsToTxnRequest::producer_epoch);
    field("group_id", &AddOffsetsToTxnRequest::group_id);
  }
};

struct AddOffsetsToTxnResponse {
  static constexpr Api kApi = kAddOffsetsToTxn;

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;

  bool operator==(const AddOffsetsToTxnResponse&) const = default;
  static constexpr void fields(auto&& field) {
    field("throttle_time_ms", &AddOffsetsToTxnResponse::throttle_time_ms);
    field("error_code", &AddOffsetsToTxnResponse::error_code);
  }
};

}  // namespace iolab::protocol
