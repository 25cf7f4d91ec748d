// OffsetFetch: how far a group has come, for some partitions or for all it has offsets of. One group up to version 7,
// any number of them from 8 on.
//
// Offset -1 without an error: nothing was committed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/protocol/api.h"
#include "broker/protocol/error_code.h"
#include "broker/protocol/field.h"

namespace iolab::protocol {

inline constexpr Api kOffsetFetch{
    .key = ApiKey::offset_fetch, .name = "OffsetFetch", .first = 1, .last = 9, .flexible = 6};

struct OffsetFetchRequest {
  static constexpr Api kApi = kOffsetFetch;

  struct Topic {
    std::string name;
    std::vector<std::int32_t> partition_indexes;

    bool operator==(const Topic&) const = default;
    static constexpr void fields(auto&& field) {
      field("name", &Topic::name, between(1, 7));
      field("partition_indexes", &Topic::partition_indexes, between(1, 7));
    }
  };

  struct Group {
    struct Topic {
      std::string name;
      std::vector<std::int32_t> partition_indexes;

      bool operator==(const Topic&) const = default;
      static constexpr void fields(auto&& field) {
        field("name", &Topic::name, since(8));
        field("partition_indexes", &Topic::partition_indexes, since(8));
      }
    };

    std::string group_id;
    std::optional<std::string> member_id;
    std::int32_t member_epoch = -1;
    std::optional<std::vector<Topic>> topics = std::vector<Topic>{};

    bool operator==(const Group&) const = default;
    static constexpr void fields(auto&& field) {
      field("group_id", &Group::group_id, since(8));
      field("member_id", &Group::member_id, since(9));
      field("member_epoch", &Group::member_epoch, since(9));
      field("topics", &Group::topics, since(8));
    }
  };

  std::string group_id;
  std::optional<std::vector<Topic>> topics = std::vector<Topic>{};
  std::vector<Group> groups;
  bool require_stable = false;

  bool operator==(const OffsetFetchRequest&) const = default;
  static constexpr void fields(auto&& field) {
    field("group_id", &OffsetFetchRequest::group_id, between(1, 7));
    field("topics", &OffsetFetchRequest::topics, between(1, 7).nullable(2));
    field("groups", &OffsetFetchRequest::groups, since(8));
    field("require_stable", &OffsetFetchRequest::require_stable, since(7));
  }
};

struct OffsetFetchResponse {
  static constexpr Api kApi = kOffsetFetch;

  struct Topic {
    struct Partition {
      std::int32_t partition_index = 0;
      std::int64_t committed_offset = 0;
      std::int32_t committed_leader_epoch = -1;
      std::optional<std::string> metadata = "";
      ErrorCode error_code = ErrorCode::none;

      bool operator==(const Partition&) const = default;
      static constexpr void fields(auto&& field) {
        field("partition_index", &Partition::partition_index, between(1, 7));
        field("committed_offset", &Partition::committed_offset, between(1, 7));
        field("committed_leader_epoch", &Partition::committed_leader_epoch, between(5, 7));
        field("metadata", &Partition::metadata, between(1, 7));
        field("error_code", &Partition::error_code, between(1, 7));
      }
    };

    std::string name;
    std::vector<Partition> partitions;

    bool operator==(const Topic&) const = default;
    static constexpr void fields(auto&& field) {
      field("name", &Topic::name, between(1, 7));
      field("partitions", &Topic::partitions, between(1, 7));
    }
  };

  struct Group {
    struct Topic {
      struct Partition {
        std::int32_t partition_index = 0;
        std::int64_t committed_offset = 0;
        std::int32_t committed_leader_epoch = -1;
        std::optional<std::string> metadata = "";
        ErrorCode error_code = ErrorCode::none;

        bool operator==(const Partition&) const = default;
        static constexpr void fields(auto&& field) {
          field("partition_index", &Partition::partition_index, since(8));
          field("committed_offset", &Partition::committed_offset, since(8));
          field("committed_leader_epoch", &Partition::committed_leader_epoch, since(8));
          field("metadata", &Partition::metadata, since(8));
          field("error_code", &Partition::error_code, since(8));
        }
      };

      std::string name;
      std::vector<Partition> partitions;

      bool operator==(const Topic&) const = default;
      static constexpr void fields(auto&& field) {
        field("name", &Topic::name, since(8));
        field("partitions", &Topic::partitions, since(8));
      }
    };

    std::string group_id;
    std::vector<Topic> topics;
    ErrorCode error_code = ErrorCode::none;

    bool operator==(const Group&) const = default;
    static constexpr void fields(auto&& field) {
      field("group_id", &Group::group_id, since(8));
      field("topics", &Group::topics, since(8));
      field("error_code", &Group::error_code, since(8));
    }
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;
  ErrorCode error_code = ErrorCode::none;
  std::vector<Group> groups;

  bool operator==(const OffsetFetchResponse&) const = default;
  static constexpr void fields(auto&& field) {
    field("throttle_time_ms", &OffsetFetchResponse::throttle_time_ms, since(3));
    field("topics", &OffsetFetchResponse::topics, between(1, 7));
    field("error_code", &OffsetFetchResponse::error_code, between(2, 7));
    field("groups", &OffsetFetchResponse::groups, since(8));
  }
};

}  // namespace iolab::protocol
