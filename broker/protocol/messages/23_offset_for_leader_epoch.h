// OffsetForLeaderEpoch: where did the records of a leader end? A consumer asks after a change of leaders, to learn
// whether something that it has read is gone. librdkafka sends version 2, Java's consumer 3 and up.
#pragma once

#include <string>
#include <vector>

#include "broker/protocol/api.h"
#include "broker/protocol/error_code.h"
#include "broker/protocol/field.h"

namespace iolab::protocol {

inline constexpr Api kOffsetForLeaderEpoch{
    .key = ApiKey::offset_for_leader_epoch, .name = "OffsetForLeaderEpoch", .first = 2, .last = 4, .flexible = 4};

struct OffsetForLeaderEpochRequest {
  static constexpr Api kApi = kOffsetForLeaderEpoch;

  struct Topic {
    struct Partition {
      std::int32_t partition = 0;
      std::int32_t current_leader_epoch = -1;
      std::int32_t leader_epoch = 0;

      bool operator==(const Partition&) const = default;
      static constexpr void fields(auto&& field) {
        field("partition", &Partition::partition);
        field("current_leader_epoch", &Partition::current_leader_epoch);
        field("leader_epoch", &Partition::leader_epoch);
      }
    };

    std::string topic;
    std::vector<Partition> partitions;

    bool operator==(const Topic&) const = default;
    static constexpr void fields(auto&& field) {
      field("topic", &Topic::topic);
      field("partitions", &Topic::partitions);
    }
  };

  std::int32_t replica_id = -2;
  std::vector<Topic> topics;

  bool operator==(const OffsetForLeaderEpochRequest&) const = default;
  static constexpr void fields(auto&& field) {
    field("replica_id", &OffsetForLeaderEpochRequest::replica_id, since(3));
    field("topics", &OffsetForLeaderEpochRequest::topics);
  }
};

struct OffsetForLeaderEpochResponse {
  static constexpr Api kApi = kOffsetForLeaderEpoch;

  struct Topic {
    struct Partition {
      ErrorCode error_code = ErrorCode::none;
      std::int32_t partition = 0;
      std::int32_t leader_epoch = -1;
      std::int64_t end_offset = -1;

      bool operator==(const Partition&) const = default;
      static constexpr void fields(auto&& field) {
        field("error_code", &Partition::error_code);
        field("partition", &Partition::partition);
        field("leader_epoch", &Partition::leader_epoch);
        field("end_offset", &Partition::end_offset);
      }
    };

    std::string topic;
    std::vector<Partition> partitions;

    bool operator==(const Topic&) const = default;
    static constexpr void fields(auto&& field) {
      field("topic", &Topic::topic);
      field("partitions", &Topic::partitions);
    }
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;

  bool operator==(const OffsetForLeaderEpochResponse&) const = default;
  static constexpr void fields(auto&& field) {
    field("throttle_time_ms", &OffsetForLeaderEpochResponse::throttle_time_ms);
    field("topics", &OffsetForLeaderEpochResponse::topics);
  }
};

}  // namespace iolab::protocol
