// TxnOffsetCommit: how far a consumer has come, counted only if the producer's transaction is committed. Sent to the
// group's coordinator; up to version 2 the producer does not say which member of the group it works for.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/protocol/api.h"
#include "broker/protocol/error_code.h"
#include "broker/protocol/field.h"

namespace iolab::protocol {

inline constexpr Api kTxnOffsetCommit{
    .key = ApiKey::txn_offset_commit, .name = "TxnOffsetCommit", .first = 0, .last = 3, .flexible = 3};

struct TxnOffsetCommitRequest {
  static constexpr Api kApi = kTxnOffsetCommit;

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
        field("committed_leader_epoch", &Partition::committed_leader_epoch, since(2));
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

  std::string transactional_id;
  std::string group_id;
  std::int64_t producer_id = 0;
  std::int16_t producer_epoch = 0;
  std::int32_t generation_id_or_member_epoch = -1;
  std::string member_id;
  std::optional<std::string> group_instance_id;
  std::vector<Topic> topics;

  bool operator==(const TxnOffsetCommitRequest&) const = default;
  static constexpr void fields(auto&& field) {
    field("transactional_id", &TxnOffsetCommitRequest::transactional_id);
    field("group_id", &TxnOffsetCommitRequest::group_id);
    field("producer_id", &TxnOffsetCommitRequest::producer_id);
    field("producer_epoch", &TxnOffsetCommitRequest::producer_epoch);
    field("generation_id_or_member_epoch", &TxnOffsetCommitRequest::generation_id_or_member_epoch, since(3));
    field("member_id", &TxnOffsetCommitRequest::member_id, since(3));
    field("group_instance_id", &TxnOffsetCommitRequest::group_instance_id, since(3));
    field("topics", &TxnOffsetCommitRequest::topics);
  }
};

struct TxnOffsetCommitResponse {
  static constexpr Api kApi = kTxnOffsetCommit;

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

  bool operator==(const TxnOffsetCommitResponse&) const = default;
  static constexpr void fields(auto&& field) {
    field("throttle_time_ms", &TxnOffsetCommitResponse::throttle_time_ms);
    field("topics", &TxnOffsetCommitResponse::topics);
  }
};

}  // namespace iolab::protocol
