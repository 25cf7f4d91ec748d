// ListPartitionReassignments: the moves of partitions that are under way.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/protocol/api.h"
#include "broker/protocol/error_code.h"
#include "broker/protocol/field.h"

namespace iolab::protocol {

inline constexpr Api kListPartitionReassignments{.key = ApiKey::list_partition_reassignments,
                                                 .name = "ListPartitionReassignments",
                                                 .first = 0,
                                                 .last = 0,
                                                 .flexible = 0};

struct ListPartitionReassignmentsRequest {
  static constexpr Api kApi = kListPartitionReassignments;

  struct Topic {
    std::string name;
    std::vector<std::int32_t> partition_indexes;

    bool operator==(const Topic&) const = default;
    static constexpr void fields(auto&& field) {
      field("name", &Topic::name);
      field("partition_indexes", &Topic::partition_indexes);
    }
  };

  std::int32_t timeout_ms = 60000;
  std::optional<std::vector<Topic>> topics;

  bool operator==(const ListPartitionReassignmentsRequest&) const = default;
  static constexpr void fields(auto&& field) {
    field("timeout_ms", &ListPartitionReassignmentsRequest::timeout_ms);
    field("topics", &ListPartitionReassignmentsRequest::topics);
  }
};

struct ListPartitionReassignmentsResponse {
  static constexpr Api kApi = kListPartitionReassignments;

  struct Topic {
    struct Partition {
      std::int32_t partition_index = 0;
      std::vector<std::int32_t> replicas;
      std::vector<std::int32_t> adding_replicas;
      std::vector<std::int32_t> removing_replicas;

      bool operator==(const Partition&) const = default;
      static constexpr void fields(auto&& field) {
        field("partition_index", &Partition::partition_index);
        field("replicas", &Partition::replicas);
        field("adding_replicas", &Partition::adding_replicas);
        field("removing_replicas", &Partition::removing_replicas);
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
  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string> error_message = "";
  std::vector<Topic> topics;

  bool operator==(const ListPartitionReassignmentsResponse&) const = default;
  static constexpr void fields(auto&& field) {
    field("throttle_time_ms", &ListPartitionReassignmentsResponse::throttle_time_ms);
    field("error_code", &ListPartitionReassignmentsResponse::error_code);
    field("error_message", &ListPartitionReassignmentsResponse::error_message);
    field("topics", &ListPartitionReassignmentsResponse::topics);
  }
};

}  // namespace iolab::protocol
