// ListOffsets: which offset stands at a time? `timestamp` is a time in ms, or one of the special values below.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/protocol/api.h"
#include "broker/protocol/error_code.h"
#include "broker/protocol/field.h"

namespace iolab::protocol {

inline constexpr Api kListOffsets{
    .key = ApiKey::list_offsets, .name = "ListOffsets", .first = 1, .last = 7, .flexible = 6};

inline constexpr std::int64_t kLatestTimestamp = -1;    // the next offset to be written
inline constexpr std::int64_t kEarliestTimestamp = -2;  // the first offset still there
inline constexpr std::int64_t kMaxTimestamp = -3;       // of the record with the largest timestamp; from version 7 on

struct ListOffsetsRequest {
  static constexpr Api kApi = kListOffsets;

  struct Topic {
    struct Partition {
      std::int32_t partition_index = 0;
      std::int32_t current_leader_epoch = -1;
      std::int64_t timestamp = 0;

      bool operator==(const Partition&) const = default;
      static constexpr void fields(auto&& field) {
        field("partition_index", &Partition::partition_index);
        field("current_leader_epoch", &Partition::current_leader_epoch, since(4));
        field("timestamp", &Partition::timestamp);
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

  std::int32_t replica_id = 0;
  std::int8_t isolation_level = 0;
  std::vector<Topic> topics;

  bool operator==(const ListOffsetsRequest&) const = default;
  static constexpr void fields(auto&& field) {
    field("replica_id", &ListOffsetsRequest::replica_id);
    field("isolation_level", &ListOffsetsRequest::isolation_level, since(2));
    field("topics", &ListOffsetsRequest::topics);
  }
};

struct ListOffsetsResponse {
  static constexpr Api kApi = kListOffsets;

  struct Topic {
    struct Partition {
      std::int32_t partition_index = 0;
      ErrorCode error_code = ErrorCode::none;
      std::int64_t timestamp = -1;
      std::int64_t offset = -1;
      std::int32_t leader_epoch = -1;

      bool operator==(const Partition&) const = default;
      static constexpr void fields(auto&& field) {
        field("partition_index", &Partition::partition_index);
        field("error_code", &Partition::error_code);
        field("timestamp", &Partition::timestamp);
        field("offset", &Partition::offset);
        field("leader_epoch", &Partition::leader_epoch, since(4));
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

  bool operator==(const ListOffsetsResponse&) const = default;
  static constexpr void fields(auto&& field) {
    field("throttle_time_ms", &ListOffsetsResponse::throttle_time_ms, since(2));
    field("topics", &ListOffsetsResponse::topics);
  }
};

}  // namespace iolab::protocol
