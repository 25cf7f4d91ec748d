// OffsetDelete: forgets the offsets of a group for some partitions, as long as nobody in it reads their topic.
#pragma once

#include <string>
#include <vector>

#include "broker/protocol/api.h"
#include "broker/protocol/error_code.h"
#include "broker/protocol/field.h"

namespace iolab::protocol {

inline constexpr Api kOffsetDelete{.key = ApiKey::offset_delete, .name = "OffsetDelete", .first = 0, .last = 0};

struct OffsetDeleteRequest {
  static constexpr Api kApi = kOffsetDelete;

  struct Topic {
    struct Partition {
      std::int32_t partition_index = 0;

      bool operator==(const Partition&) const = default;
      static constexpr void fields(auto&& field) { field("partition_index", &Partition::partition_index); }
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
  std::vector<Topic> topics;

  bool operator==(const OffsetDeleteRequest&) const = default;
  static constexpr void fields(auto&& field) {
    field("group_id", &OffsetDeleteRequest::group_id);
    field("topics", &OffsetDeleteRequest::topics);
  }
};

struct OffsetDeleteResponse {
  static constexpr Api kApi = kOffsetDelete;

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

  ErrorCode error_code = ErrorCode::none;
  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;

  bool operator==(const OffsetDeleteResponse&) const = default;
  static constexpr void fields(auto&& field) {
    field("error_code", &OffsetDeleteResponse::error_code);
    field("throttle_time_ms", &OffsetDeleteResponse::throttle_time_ms);
    field("topics", &OffsetDeleteResponse::topics);
  }
};

}  // namespace iolab::protocol
