// DescribeTransactions: what the coordinator knows of some transactional ids.
#pragma once

#include <string>
#include <vector>

#include "broker/protocol/api.h"
#include "broker/protocol/error_code.h"
#include "broker/protocol/field.h"

namespace iolab::protocol {

inline constexpr Api kDescribeTransactions{
    .key = ApiKey::describe_transactions, .name = "DescribeTransactions", .first = 0, .last = 0, .flexible = 0};

struct DescribeTransactionsRequest {
  static constexpr Api kApi = kDescribeTransactions;

  std::vector<std::string> transactional_ids;

  bool operator==(const DescribeTransactionsRequest&) const = default;
  static constexpr void fields(auto&& field) {
    field("transactional_ids", &DescribeTransactionsRequest::transactional_ids);
  }
};

struct DescribeTransactionsResponse {
  static constexpr Api kApi = kDescribeTransactions;

  struct Transaction {
    struct Topic {
      std::string topic;
      std::vector<std::int32_t> partitions;

      bool operator==(const Topic&) const = default;
      static constexpr void fields(auto&& field) {
        field("topic", &Topic::topic);
        field("partitions", &Topic::partitions);
      }
    };

    ErrorCode error_code = ErrorCode::none;
    std::string transactional_id;
    std::string transaction_state;
    std::int32_t transaction_timeout_ms = 0;
    std::int64_t transaction_start_time_ms = 0;
    std::int64_t producer_id = 0;
    std::int16_t producer_epoch = 0;
    std::vector<Topic> topics;

    bool operator==(const Transaction&) const = default;
    static constexpr void fields(auto&& field) {
      field("error_code", &Transaction::error_code);
      field("transactional_id", &Transaction::transactional_id);
      field("transaction_state", &Transaction::transaction_state);
      field("transaction_timeout_ms", &Transaction::transaction_timeout_ms);
      field("transaction_start_time_ms", &Transaction::transaction_start_time_ms);
      field("producer_id", &Transaction::producer_id);
      field("producer_epoch", &Transaction::producer_epoch);
      field("topics", &Transaction::topics);
    }
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Transaction> transaction_states;

  bool operator==(const DescribeTransactionsResponse&) const = default;
  static constexpr void fields(auto&& field) {
    field("throttle_time_ms", &DescribeTransactionsResponse::throttle_time_ms);
    field("transaction_states", &DescribeTransactionsResponse::transaction_states);
  }
};

}  // namespace iolab::protocol
