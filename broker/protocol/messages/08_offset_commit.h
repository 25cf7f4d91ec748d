// OffsetCommit: how far a consumer has come, kept by the group's coordinator.
//
// A simple consumer, without a group protocol, commits with generation -1 and an empty member id.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/protocol/api.h"
#include "broker/protocol/error_code.h"
#include "broker/protocol/field.h"

namespace iolab::protocol {

inline constexpr Api kOffsetCommit{
    .key = ApiKey::offset_commit, .name = "OffsetCommit", .first = 2, .last = 9, .flexible = 8};

struct OffsetCommitRequest {
  static constexpr Api kApi = kOffsetCommit;

  struct Topic {
    struct Partition {
      std::int32_t partition_index = 0;
      std::int64_t committed_offset = 0;
      std::int32_t committed_leader_epoch = -1;
      std::optional<std::string> committed_metadata = "";

      bool operator==(const Partition&) const = default;
      static constexpr void fields(auto&& field) {
        field("partition_index", &Partition::partition_index);
        field("committed_offset", &Partition::committed_offset);
        field("committed_leader_epoch", &Partition::committed_leader_epoch, since(6));
        field("committed_metadata", &Partition::committed_metadata);
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

  std::string group_id;
  std::int32_t generation_id_or_member_epoch = -1;
  std::string member_id;
  std::optional<std::string> group_instance_id;
  std::int64_t retention_time_ms = -1;
  std::vector<Topic> topics;

  bool operator==(const OffsetCommitRequest&) const = default;
  static constexpr void fields(auto&& field) {
    field("group_id", &OffsetCommitRequest::group_id);
    field("generation_id_or_member_epoch", &OffsetCommitRequest::generation_id_or_member_epoch);
    field("member_id", &OffsetCommitRequest::member_id);
    field("group_instance_id", &OffsetCommitRequest::group_instance_id, since(7));
    field("retention_time_ms", &OffsetCommitRequest::retention_time_ms, between(2, 4));
    field("topics", &OffsetCommitRequest::topics);
  }
};

struct OffsetCommitResponse {
  static constexpr Api kApi = kOffsetCommit;

  struct Topic {
    struct Partition {
      std::int32_t partition_index = 0;
      ErrorCode error_code = ErrorCode::none;

      bool operator==(const Partition&) const = default;
      static constexpr void fields(auto&& field) {
        field("partition_index", &Partition::partition_index);
        field("error_code", &Partition::error_code);
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

  bool operator==(const OffsetCommitResponse&) const = default;
  static constexpr void fields(auto&& field) {
    field("throttle_time_ms", &OffsetCommitResponse::throttle_time_ms, since(3));
    field("topics", &OffsetCommitResponse::topics);
  }
};

}  // namespace iolab::protocol
