// Fetch: a client asks for records from an offset on, and may wait for them. Records are attached to the response, not
// copied; the owner in `records` keeps them alive until they are sent.
//
// Version 4 must stay: without it librdkafka falls back to the message format of before 2017. From 13 on topics go by
// id instead of by name, which is why the range ends at 12.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/protocol/api.h"
#include "broker/protocol/error_code.h"
#include "broker/protocol/field.h"

namespace iolab::protocol {

inline constexpr Api kFetch{.key = ApiKey::fetch, .name = "Fetch", .first = 4, .last = 12, .flexible = 12};

struct FetchRequest {
  static constexpr Api kApi = kFetch;

  struct Topic {
    struct Partition {
      std::int32_t partition = 0;
      std::int32_t current_leader_epoch = -1;
      std::int64_t fetch_offset = 0;
      std::int32_t last_fetched_epoch = -1;
      std::int64_t log_start_offset = -1;
      std::int32_t partition_max_bytes = 0;

      bool operator==(const Partition&) const = default;
      static constexpr void fields(auto&& field) {
        field("partition", &Partition::partition);
        field("current_leader_epoch", &Partition::current_leader_epoch, since(9));
        field("fetch_offset", &Partition::fetch_offset);
        field("last_fetched_epoch", &Partition::last_fetched_epoch, since(12));
        field("log_start_offset", &Partition::log_start_offset, since(5));
        field("partition_max_bytes", &Partition::partition_max_bytes);
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

  struct ForgottenTopic {
    std::string topic;
    std::vector<std::int32_t> partitions;

    bool operator==(const ForgottenTopic&) const = default;
    static constexpr void fields(auto&& field) {
      field("topic", &ForgottenTopic::topic, since(7));
      field("partitions", &ForgottenTopic::partitions, since(7));
    }
  };

  std::optional<std::string> cluster_id;
  std::int32_t replica_id = -1;
  std::int32_t max_wait_ms = 0;
  std::int32_t min_bytes = 0;
  std::int32_t max_bytes = 0x7fffffff;
  std::int8_t isolation_level = 0;
  std::int32_t session_id = 0;
  std::int32_t session_epoch = -1;
  std::vector<Topic> topics;
  std::vector<ForgottenTopic> forgotten_topics_data;
  std::string rack_id;

  bool operator==(const FetchRequest&) const = default;
  static constexpr void fields(auto&& field) {
    field("cluster_id", &FetchRequest::cluster_id, since(12).tagged(0));
    field("replica_id", &FetchRequest::replica_id);
    field("max_wait_ms", &FetchRequest::max_wait_ms);
    field("min_bytes", &FetchRequest::min_bytes);
    field("max_bytes", &FetchRequest::max_bytes);
    field("isolation_level", &FetchRequest::isolation_level);
    field("session_id", &FetchRequest::session_id, since(7));
    field("session_epoch", &FetchRequest::session_epoch, since(7));
    field("topics", &FetchRequest::topics);
    field("forgotten_topics_data", &FetchRequest::forgotten_topics_data, since(7));
    field("rack_id", &FetchRequest::rack_id, since(11));
  }
};

struct FetchResponse {
  static constexpr Api kApi = kFetch;

  struct Topic {
    struct Partition {
      struct EpochEndOffset {
        std::int32_t epoch = -1;
        std::int64_t end_offset = -1;

        bool operator==(const EpochEndOffset&) const = default;
        static constexpr void fields(auto&& field) {
          field("epoch", &EpochEndOffset::epoch, since(12));
          field("end_offset", &EpochEndOffset::end_offset, since(12));
        }
      };

      struct LeaderIdAndEpoch {
        std::int32_t leader_id = -1;
        std::int32_t leader_epoch = -1;

        bool operator==(const LeaderIdAndEpoch&) const = default;
        static constexpr void fields(auto&& field) {
          field("leader_id", &LeaderIdAndEpoch::leader_id, since(12));
          field("leader_epoch", &LeaderIdAndEpoch::leader_epoch, since(12));
        }
      };

      struct SnapshotId {
        std::int64_t end_offset = -1;
        std::int32_t epoch = -1;

        bool operator==(const SnapshotId&) const = default;
        static constexpr void fields(auto&& field) {
          field("end_offset", &SnapshotId::end_offset, since(12));
          field("epoch", &SnapshotId::epoch, since(12));
        }
      };

      struct AbortedTransaction {
        std::int64_t producer_id = 0;
        std::int64_t first_offset = 0;

        bool operator==(const AbortedTransaction&) const = default;
        static constexpr void fields(auto&& field) {
          field("producer_id", &AbortedTransaction::producer_id);
          field("first_offset", &AbortedTransaction::first_offset);
        }
      };

      std::int32_t partition_index = 0;
      ErrorCode error_code = ErrorCode::none;
      std::int64_t high_watermark = 0;
      std::int64_t last_stable_offset = -1;
      std::int64_t log_start_offset = -1;
      EpochEndOffset diverging_epoch;
      LeaderIdAndEpoch current_leader;
      SnapshotId snapshot_id;
      std::optional<std::vector<AbortedTransaction>> aborted_transactions = std::vector<AbortedTransaction>{};
      std::int32_t preferred_read_replica = -1;
      std::optional<Records> records = Records{};

      bool operator==(const Partition&) const = default;
      static constexpr void fields(auto&& field) {
        field("partition_index", &Partition::partition_index);
        field("error_code", &Partition::error_code);
        field("high_watermark", &Partition::high_watermark);
        field("last_stable_offset", &Partition::last_stable_offset);
        field("log_start_offset", &Partition::log_start_offset, since(5));
        field("diverging_epoch", &Partition::diverging_epoch, since(12).tagged(0));
        field("current_leader", &Partition::current_leader, since(12).tagged(1));
        field("snapshot_id", &Partition::snapshot_id, since(12).tagged(2));
        field("aborted_transactions", &Partition::aborted_transactions);
        field("preferred_read_replica", &Partition::preferred_read_replica, since(11));
        field("records", &Partition::records);
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
  ErrorCode error_code = ErrorCode::none;
  std::int32_t session_id = 0;
  std::vector<Topic> responses;

  bool operator==(const FetchResponse&) const = default;
  static constexpr void fields(auto&& field) {
    field("throttle_time_ms", &FetchResponse::throttle_time_ms);
    field("error_code", &FetchResponse::error_code, since(7));
    field("session_id", &FetchResponse::session_id, since(7));
    field("responses", &FetchResponse::responses);
  }
};

}  // namespace iolab::protocol
