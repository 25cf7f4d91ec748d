// DescribeProducers: what partitions remember of those who write to them, for whoever looks for a transaction that
// hangs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/protocol/api.h"
#include "broker/protocol/error_code.h"
#include "broker/protocol/field.h"

namespace iolab::protocol {

inline constexpr Api kDescribeProducers{
    .key = ApiKey::describe_producers, .name = "DescribeProducers", .first = 0, .last = 0, .flexible = 0};

struct DescribeProducersRequest {
  static constexpr Api kApi = kDescribeProducers;

  struct Topic {
    std::string name;
    std::vector<std::int32_t> partition_indexes;

    bool operator==(const Topic&) const = default;
    static constexpr void fields(auto&& field) {
      field("name", &Topic::name);
      field("partition_indexes", &Topic::partition_indexes);
    }
  };

  std::vector<Topic> topics;

  bool operator==(const DescribeProducersRequest&) const = default;
  static constexpr void fields(auto&& field) { field("topics", &DescribeProducersRequest::topics); }
};

struct DescribeProducersResponse {
  static constexpr Api kApi = kDescribeProducers;

  struct Topic {
    struct Partition {
      struct Producer {
        std::int64_t producer_id = 0;
        std::int32_t producer_epoch = 0;
        std::int32_t last_sequence = -1;
        std::int64_t last_timestamp = -1;
        std::int32_t coordinator_epoch = 0;
        std::int64_t current_txn_start_offset = -1;

        bool operator==(const Producer&) const = default;
        static constexpr void fields(auto&& field) {
          field("producer_id", &Producer::producer_id);
          field("producer_epoch", &Producer::producer_epoch);
          field("last_sequence", &Producer::last_sequence);
          field("last_timestamp", &Producer::last_timestamp);
          field("coordinator_epoch", &Producer::coordinator_epoch);
          field("current_txn_start_offset", &Producer::current_txn_start_offset);
        }
      };

      std::int32_t partition_index = 0;
      ErrorCode error_code = ErrorCode::none;
      std::optional<std::string> error_message;
      std::vector<Producer> active_producers;

      bool operator==(const Partition&) const = default;
      static constexpr void fields(auto&& field) {
        field("partition_index", &Partition::partition_index);
        field("error_code", &Partition::error_code);
        field("error_message", &Partition::error_message);
        field("active_producers", &Partition::active_producers);
      }
    };

    std::string name;
    std::vector<Partition> partitions;

    bool operator==(const Topic&) const = default;
    static constexpr void fields(auto&& field) {
      field("name", &Topic::name);
      field("partitions", &Topic::partitions);
    }
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;

  bool operator==(const DescribeProducersResponse&) const = default;
  static constexpr void fields(auto&& field) {
    field("throttle_time_ms", &DescribeProducersResponse::throttle_time_ms);
    field("topics", &DescribeProducersResponse::topics);
  }
};

}  // namespace iolab::protocol
