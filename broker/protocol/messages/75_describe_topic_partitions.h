// DescribeTopicPartitions: topics and their partitions by name, a page at a time.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/protocol/api.h"
#include "broker/protocol/error_code.h"
#include "broker/protocol/field.h"

namespace iolab::protocol {

inline constexpr Api kDescribeTopicPartitions{
    .key = ApiKey::describe_topic_partitions, .name = "DescribeTopicPartitions", .first = 0, .last = 0, .flexible = 0};

struct DescribeTopicPartitionsRequest {
  static constexpr Api kApi = kDescribeTopicPartitions;

  struct Topic {
    std::string name;

    bool operator==(const Topic&) const = default;
    static constexpr void fields(auto&& field) { field("name", &Topic::name); }
  };

  struct Cursor {
    std::string topic_name;
    std::int32_t partition_index = 0;

    bool operator==(const Cursor&) const = default;
    static constexpr void fields(auto&& field) {
      field("topic_name", &Cursor::topic_name);
      field("partition_index", &Cursor::partition_index);
    }
  };

  std::vector<Topic> topics;
  std::int32_t response_partition_limit = 2000;
  std::optional<Cursor> cursor;

  bool operator==(const DescribeTopicPartitionsRequest&) const = default;
  static constexpr void fields(auto&& field) {
    field("topics", &DescribeTopicPartitionsRequest::topics);
    field("response_partition_limit", &DescribeTopicPartitionsRequest::response_partition_limit);
    field("cursor", &DescribeTopicPartitionsRequest::cursor);
  }
};

struct DescribeTopicPartitionsResponse {
  static constexpr Api kApi = kDescribeTopicPartitions;

  struct Topic {
    struct Partition {
      ErrorCode error_code = ErrorCode::none;
      std::int32_t partition_index = 0;
      std::int32_t leader_id = 0;
      std::int32_t leader_epoch = -1;
      std::vector<std::int32_t> replica_nodes;
      std::vector<std::int32_t> isr_nodes;
      std::optional<std::vector<std::int32_t>> eligible_leader_replicas;
      std::optional<std::vector<std::int32_t>> last_known_elr;
      std::vector<std::int32_t> offline_replicas;

      bool operator==(const Partition&) const = default;
      static constexpr void fields(auto&& field) {
        field("error_code", &Partition::error_code);
        field("partition_index", &Partition::partition_index);
        field("leader_id", &Partition::leader_id);
        field("leader_epoch", &Partition::leader_epoch);
        field("replica_nodes", &Partition::replica_nodes);
        field("isr_nodes", &Partition::isr_nodes);
        field("eligible_leader_replicas", &Partition::eligible_leader_replicas);
        field("last_known_elr", &Partition::last_known_elr);
        field("offline_replicas", &Partition::offline_replicas);
      }
    };

    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> name = "";
    Uuid topic_id{};
    bool is_internal = false;
    std::vector<Partition> partitions;
    std::int32_t topic_authorized_operations = kNoAuthorizedOperations;

    bool operator==(const Topic&) const = default;
    static constexpr void fields(auto&& field) {
      field("error_code", &Topic::error_code);
      field("name", &Topic::name);
      field("topic_id", &Topic::topic_id);
      field("is_internal", &Topic::is_internal);
      field("partitions", &Topic::partitions);
      field("topic_authorized_operations", &Topic::topic_authorized_operations);
    }
  };

  struct Cursor {
    std::string topic_name;
    std::int32_t partition_index = 0;

    bool operator==(const Cursor&) const = default;
    static constexpr void fields(auto&& field) {
      field("topic_name", &Cursor::topic_name);
      field("partition_index", &Cursor::partition_index);
    }
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;
  std::optional<Cursor> next_cursor;

  bool operator==(const DescribeTopicPartitionsResponse&) const = default;
  static constexpr void fields(auto&& field) {
    field("throttle_time_ms", &DescribeTopicPartitionsResponse::throttle_time_ms);
    field("topics", &DescribeTopicPartitionsResponse::topics);
    field("next_cursor", &DescribeTopicPartitionsResponse::next_cursor);
  }
};

}  // namespace iolab::protocol
