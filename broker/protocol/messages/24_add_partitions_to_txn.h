// AddPartitionsToTxn: a producer says to which partitions it is about to write within its transaction, so that their
// coordinator can end it in all of them.
//
// From version 4 on it is spoken between brokers only, with another shape; the names of the fields say so.
#pragma once

#include <string>
#include <vector>

#include "broker/protocol/api.h"
#include "broker/protocol/error_code.h"
#include "broker/protocol/field.h"

namespace iolab::protocol {

inline constexpr Api kAddPartitionsToTxn{
    .key = ApiKey::add_partitions_to_txn, .name = "AddPartitionsToTxn", .first = 0, .last = 3, .flexible = 3};

struct AddPartitionsToTxnRequest {
  static constexpr Api kApi = kAddPartitionsToTxn;

  struct Topic {
    std::string name;
    std::vector<std::int32_t> partitions;

    bool operator==(const Topic&) const = default;
    static constexpr void fields(auto&& field) {
      field("name", &Topic::name);
      field("partitions", &Topic::partitions);
    }
  };

  std::string v3_and_below_transactional_id;
  std::int64_t v3_and_below_producer_id = 0;
  std::int16_t v3_and_below_producer_epoch = 0;
  std::vector<Topic> v3_and_below_topics;

  bool operator==(const AddPartitionsToTxnRequest&) const = default;
  static constexpr void fields(auto&& field) {
    field("v3_and_below_transactional_id", &AddPartitionsToTxnRequest::v3_and_below_transactional_id);
    field("v3_and_below_producer_id", &AddPartitionsToTxnRequest::v3_and_below_producer_id);
    field("v3_and_below_producer_epoch", &AddPartitionsToTxnRequest::v3_and_below_producer_epoch);
    field("v3_and_below_topics", &AddPartitionsToTxnRequest::v3_and_below_topics);
  }
};

struct AddPartitionsToTxnResponse {
  static constexpr Api kApi = kAddPartitionsToTxn;

  struct Topic {
    struct Partition {
      std::int32_t partition_index = 0;
      ErrorCode partition_error_code = ErrorCode::none;

      bool operator==(const Partition&) const = default;
      static constexpr void fields(auto&& field) {
        field("partition_index", &Partition::partition_index);
        field("partition_error_code", &Partition::partition_error_code);
      }
    };

    std::string name;
    std::vector<Partition> results_by_partition;

    bool operator==(const Topic&) const = default;
    static constexpr void fields(auto&& field) {
      field("name", &Topic::name);
      field("results_by_partition", &Topic::results_by_partition);
    }
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> results_by_topic_v3_and_below;

  bool operator==(const AddPartitionsToTxnResponse&) const = default;
  static constexpr void fields(auto&& field) {
    field("throttle_time_ms", &AddPartitionsToTxnResponse::throttle_time_ms);
    field("results_by_topic_v3_and_below", &AddPartitionsToTxnResponse::results_by_topic_v3_and_below);
  }
};

}  // namespace iolab::protocol
