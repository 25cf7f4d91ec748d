// CreatePartitions: `count` is the number of partitions that the topic is to have, not how many are added.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/protocol/api.h"
#include "broker/protocol/error_code.h"
#include "broker/protocol/field.h"

namespace iolab::protocol {

inline constexpr Api kCreatePartitions{
    .key = ApiKey::create_partitions, .name = "CreatePartitions", .first = 0, .last = 3, .flexible = 2};

struct CreatePartitionsRequest {
  static constexpr Api kApi = kCreatePartitions;

  struct Topic {
    struct Assignment {
      std::vector<std::int32_t> broker_ids;

      bool operator==(const Assignment&) const = default;
      static constexpr void fields(auto&& field) { field("broker_ids", &Assignment::broker_ids); }
    };

    std::string name;
    std::int32_t count = 0;
    std::optional<std::vector<Assignment>> assignments = std::vector<Assignment>{};

    bool operator==(const Topic&) const = default;
    static constexpr void fields(auto&& field) {
      field("name", &Topic::name);
      field("count", &Topic::count);
      field("assignments", &Topic::assignments);
    }
  };

  std::vector<Topic> topics;
  std::int32_t timeout_ms = 0;
  bool validate_only = false;

  bool operator==(const CreatePartitionsRequest&) const = default;
  static constexpr void fields(auto&& field) {
    field("topics", &CreatePartitionsRequest::topics);
    field("timeout_ms", &CreatePartitionsRequest::timeout_ms);
    field("validate_only", &CreatePartitionsRequest::validate_only);
  }
};

struct CreatePartitionsResponse {
  static constexpr Api kApi = kCreatePartitions;

  struct Result {
    std::string name;
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> error_message;

    bool operator==(const Result&) const = default;
    static constexpr void fields(auto&& field) {
      field("name", &Result::name);
      field("error_code", &Result::error_code);
      field("error_message", &Result::error_message);
    }
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Result> results;

  bool operator==(const CreatePartitionsResponse&) const = default;
  static constexpr void fields(auto&& field) {
    field("throttle_time_ms", &CreatePartitionsResponse::throttle_time_ms);
    field("results", &CreatePartitionsResponse::results);
  }
};

}  // namespace iolab::protocol
