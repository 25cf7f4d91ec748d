// DeleteTopics: by name up to version 5, by name or by id from 6 on.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/protocol/api.h"
#include "broker/protocol/error_code.h"
#include "broker/protocol/field.h"

namespace iolab::protocol {

inline constexpr Api kDeleteTopics{
    .key = ApiKey::delete_topics, .name = "DeleteTopics", .first = 1, .last = 6, .flexible = 4};

struct DeleteTopicsRequest {
  static constexpr Api kApi = kDeleteTopics;

  struct Topic {
    std::optional<std::string> name;
    Uuid topic_id{};

    bool operator==(const Topic&) const = default;
    static constexpr void fields(auto&& field) {
      field("name", &Topic::name, since(6));
      field("topic_id", &Topic::topic_id, since(6));
    }
  };

  std::vector<Topic> topics;
  std::vector<std::string> topic_names;
  std::int32_t timeout_ms = 0;

  bool operator==(const DeleteTopicsRequest&) const = default;
  static constexpr void fields(auto&& field) {
    field("topics", &DeleteTopicsRequest::topics, since(6));
    field("topic_names", &DeleteTopicsRequest::topic_names, between(1, 5));
    field("timeout_ms", &DeleteTopicsRequest::timeout_ms);
  }
};

struct DeleteTopicsResponse {
  static constexpr Api kApi = kDeleteTopics;

  struct Topic {
    std::optional<std::string> name = "";
    Uuid topic_id{};
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> error_message;

    bool operator==(const Topic&) const = default;
    static constexpr void fields(auto&& field) {
      field("name", &Topic::name, nullable(6));
      field("topic_id", &Topic::topic_id, since(6));
      field("error_code", &Topic::error_code);
      field("error_message", &Topic::error_message, since(5));
    }
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> responses;

  bool operator==(const DeleteTopicsResponse&) const = default;
  static constexpr void fields(auto&& field) {
    field("throttle_time_ms", &DeleteTopicsResponse::throttle_time_ms);
    field("responses", &DeleteTopicsResponse::responses);
  }
};

}  // namespace iolab::protocol
