// ElectLeaders: another leader for partitions, the preferred one or, in an emergency, any.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/protocol/api.h"
#include "broker/protocol/error_code.h"
#include "broker/protocol/field.h"

namespace iolab::protocol {

inline constexpr Api kElectLeaders{
    .key = ApiKey::elect_leaders, .name = "ElectLeaders", .first = 0, .last = 2, .flexible = 2};

struct ElectLeadersRequest {
  static constexpr Api kApi = kElectLeaders;

  struct TopicPartitions {
    std::string topic;
    std::vector<std::int32_t> partitions;

    bool operator==(const TopicPartitions&) const = default;
    static constexpr void fields(auto&& field) {
      field("topic", &TopicPartitions::topic);
      field("partitions", &TopicPartitions::partitions);
    }
  };

  std::int8_t election_type = 0;
  std::optional<std::vector<TopicPartitions>> topic_partitions = std::vector<TopicPartitions>{};
  std::int32_t timeout_ms = 60000;

  bool operator==(const ElectLeadersRequest&) const = default;
  static constexpr void fields(auto&& field) {
    field("election_type", &ElectLeadersRequest::election_type, since(1));
    field("topic_partitions", &ElectLeadersRequest::topic_partitions);
    field("timeout_ms", &ElectLeadersRequest::timeout_ms);
  }
};

struct ElectLeadersResponse {
  static constexpr Api kApi = kElectLeaders;

  struct Result {
    struct Partition {
      std::int32_t partition_id = 0;
      ErrorCode error_code = ErrorCode::none;
      std::optional<std::string> error_message = "";

      bool operator==(const Partition&) const = default;
      static constexpr void fields(auto&& field) {
        field("partition_id", &Partition::partition_id);
        field("error_code", &Partition::error_code);
        field("error_message", &Partition::error_message);
      }
    };

    std::string topic;
    std::vector<Partition> partition_result;

    bool operator==(const Result&) const = default;
    static constexpr void fields(auto&& field) {
      field("topic", &Result::topic);
      field("partition_result", &Result::partition_result);
    }
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::vector<Result> replica_election_results;

  bool operator==(const ElectLeadersResponse&) const = default;
  static constexpr void fields(auto&& field) {
    field("throttle_time_ms", &ElectLeadersResponse::throttle_time_ms);
    field("error_code", &ElectLeadersResponse::error_code, since(1));
    field("replica_election_results", &ElectLeadersResponse::replica_election_results);
  }
};

}  // namespace iolab::protocol
