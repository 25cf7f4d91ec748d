// CreateTopics: either a number of partitions and a replication factor (-1: the broker's default), or an assignment of
// every partition to brokers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/protocol/api.h"
#include "broker/protocol/error_code.h"
#include "broker/protocol/field.h"

namespace iolab::protocol {

inline constexpr Api kCreateTopics{
    .key = ApiKey::create_topics, .name = "CreateTopics", .first = 2, .last = 7, .flexible = 5};

struct CreateTopicsRequest {
  static constexpr Api kApi = kCreateTopics;

  struct Topic {
    struct Assignment {
      std::int32_t partition_index = 0;
      std::vector<std::int32_t> broker_ids;

      bool operator==(const Assignment&) const = default;
      static constexpr void fields(auto&& field) {
        field("partition_index", &Assignment::partition_index);
        field("broker_ids", &Assignment::broker_ids);
      }
    };

    struct Config {
      std::string name;
      std::optional<std::string> value = "";

      bool operator==(const Config&) const = default;
      static constexpr void fields(auto&& field) {
        field("name", &Config::name);
        field("value", &Config::value);
      }
    };

    std::string name;
    std::int32_t num_partitions = 0;
    std::int16_t replication_factor = 0;
    std::vector<Assignment> assignments;
    std::vector<Config> configs;

    bool operator==(const Topic&) const = default;
    static constexpr void fields(auto&& field) {
      field("name", &Topic::name);
      field("num_partitions", &Topic::num_partitions);
      field("replication_factor", &Topic::replication_factor);
      field("assignments", &Topic::assignments);
      field("configs", &Topic::configs);
    }
  };

  std::vector<Topic> topics;
  std::int32_t timeout_ms = 60000;
  bool validate_only = false;

  bool operator==(const CreateTopicsRequest&) const = default;
  static constexpr void fields(auto&& field) {
    field("topics", &CreateTopicsRequest::topics);
    field("timeout_ms", &CreateTopicsRequest::timeout_ms);
    field("validate_only", &CreateTopicsRequest::validate_only);
  }
};

struct CreateTopicsResponse {
  static constexpr Api kApi = kCreateTopics;

  struct Topic {
    struct Config {
      std::string name;
      std::optional<std::string> value = "";
      bool read_only = false;
      std::int8_t config_source = -1;
      bool is_sensitive = false;

      bool operator==(const Config&) const = default;
      static constexpr void fields(auto&& field) {
        field("name", &Config::name, since(5));
        field("value", &Config::value, since(5));
        field("read_only", &Config::read_only, since(5));
        field("config_source", &Config::config_source, since(5));
        field("is_sensitive", &Config::is_sensitive, since(5));
      }
    };

    std::string name;
    Uuid topic_id{};
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> error_message = "";
    ErrorCode topic_config_error_code = ErrorCode::none;
    std::int32_t num_partitions = -1;
    std::int16_t replication_factor = -1;
    std::optional<std::vector<Config>> configs = std::vector<Config>{};

    bool operator==(const Topic&) const = default;
    static constexpr void fields(auto&& field) {
      field("name", &Topic::name);
      field("topic_id", &Topic::topic_id, since(7));
      field("error_code", &Topic::error_code);
      field("error_message", &Topic::error_message);
      field("topic_config_error_code", &Topic::topic_config_error_code, since(5).tagged(0));
      field("num_partitions", &Topic::num_partitions, since(5));
      field("replication_factor", &Topic::replication_factor, since(5));
      field("configs", &Topic::configs, since(5));
    }
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;

  bool operator==(const CreateTopicsResponse&) const = default;
  static constexpr void fields(auto&& field) {
    field("throttle_time_ms", &CreateTopicsResponse::throttle_time_ms);
    field("topics", &CreateTopicsResponse::topics);
  }
};

}  // namespace iolab::protocol
