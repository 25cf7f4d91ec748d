// AlterPartitionReassignments: which brokers shall hold a partition; null ends a move that is under way.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/protocol/api.h"
#include "broker/protocol/error_code.h"
#include "broker/protocol/field.h"

namespace iolab::protocol {

inline constexpr Api kAlterPartitionReassignments{.key = ApiKey::alter_partition_reassignments,
                                                  .name = "AlterPartitionReassignments",
                                                  .first = 0,
                                                  .last = 0,
                                                  .flexible = 0};

struct AlterPartitionReassignmentsRequest {
  static constexpr Api kApi = kAlterPartitionReassignments;

  struct Topic {
    struct Partition {
      std::int32_t partition_index = 0;
      std::optional<std::vector<std::int32_t>> replicas;

      bool operator==(const Partition&) const = default;
      static constexpr void fields(auto&& field) {
        field("partition_index", &Partition::partition_index);
        field("replicas", &Partition::replicas);
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

  std::int32_t timeout_ms = 60000;
  std::vector<Topic> topics;

  bool operator==(const AlterPartitionReassignmentsRequest&) const = default;
  static constexpr void fields(auto&& field) {
    field("timeout_ms", &AlterPartitionReassignmentsRequest::timeout_ms);
    field("topics", &AlterPartitionReassignmentsRequest::topics);
  }
};

struct AlterPartitionReassignmentsResponse {
  static constexpr Api kApi = kAlterPartitionReassignments;

  struct Response {
    struct Partition {
      std::int32_t partition_index = 0;
      ErrorCode error_code = ErrorCode::none;
      std::optional<std::string> error_message = "";

      bool operator==(const Partition&) const = default;
      static constexpr void fields(auto&& field) {
        field("partition_index", &Partition::partition_index);
        field("error_code", &Partition::error_code);
        field("error_message", &Partition::error_message);
      }
    };

    std::string name;
    std::vector<Partition> partitions;

    bool operator==(const Response&) const = default;
    static constexpr void fields(auto&& field) {
      field("name", &Response::name);
      field("partitions", &Response::partitions);
    }
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string> error_message = "";
  std::vector<Response> responses;

  bool operator==(const AlterPartitionReassignmentsResponse&) const = default;
  static constexpr void fields(auto&& field) {
    field("throttle_time_ms", &AlterPartitionReassignmentsResponse::throttle_time_ms);
    field("error_code", &AlterPartitionReassignmentsResponse::error_code);
    field("error_message", &AlterPartitionReassignmentsResponse::error_message);
    field("responses", &AlterPartitionReassignmentsResponse::responses);
  }
};

}  // namespace iolab::protocol
