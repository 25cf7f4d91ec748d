// ListTransactions: every transactional id that this broker coordinates, or those in some states, of some producers, or
// (version 1 on) whose transaction has been open for longer than a time.
#pragma once

#include <string>
#include <vector>

#include "broker/protocol/api.h"
#include "broker/protocol/error_code.h"
#include "broker/protocol/field.h"

namespace iolab::protocol {

inline constexpr Api kListTransactions{
    .key = ApiKey::list_transactions, .name = "ListTransactions", .first = 0, .last = 1, .flexible = 0};

struct ListTransactionsRequest {
  static constexpr Api kApi = kListTransactions;

  std::vector<std::string> state_filters;
  std::vector<std::int64_t> producer_id_filters;
  std::int64_t duration_filter = -1;

  bool operator==(const ListTransactionsRequest&) const = default;
  static constexpr void fields(auto&& field) {
    field("state_filters", &ListTransactionsRequest::state_filters);
    field("producer_id_filters", &ListTransactionsRequest::producer_id_filters);
    field("duration_filter", &ListTransactionsRequest::duration_filter, since(1));
  }
};

struct ListTransactionsResponse {
  static constexpr Api kApi = kListTransactions;

  struct Transaction {
    std::string transactional_id;
    std::int64_t producer_id = 0;
    std::string transaction_state;

    bool operator==(const Transaction&) const = default;
    static constexpr void fields(auto&& field) {
      field("transactional_id", &Transaction::transactional_id);
      field("producer_id", &Transaction::producer_id);
      field("transaction_state", &Transaction::transaction_state);
    }
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::vector<std::string> unknown_state_filters;
  std::vector<Transaction> transaction_states;

  bool operator==(const ListTransactionsResponse&) const = default;
  static constexpr void fields(auto&& field) {
    field("throttle_time_ms", &ListTransactionsResponse::throttle_time_ms);
    field("error_code", &ListTransactionsResponse::error_code);
    field("unknown_state_filters", &ListTransactionsResponse::unknown_state_filters);
    field("transaction_states", &ListTransactionsResponse::transaction_states);
  }
};

}  // namespace iolab::protocol
