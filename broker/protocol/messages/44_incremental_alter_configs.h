// IncrementalAlterConfigs: changes of settings one by one: set, take back, add to a list, take from a list.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/protocol/api.h"
#include "broker/protocol/error_code.h"
#include "broker/protocol/field.h"

namespace iolab::protocol {

inline constexpr Api kIncrementalAlterConfigs{
    .key = ApiKey::incremental_alter_configs, .name = "IncrementalAlterConfigs", .first = 0, .last = 1, .flexible = 1};

struct IncrementalAlterConfigsRequest {
  static constexpr Api kApi = kIncrementalAlterConfigs;

  struct Resource {
    struct Config {
      std::string name;
      std::int8_t config_operation = 0;
      std::optional<std::string> value = "";

      bool operator==(const Config&) const = default;
      static constexpr void fields(auto&& field) {
        field("name", &Config::name);
        field("config_operation", &Config::config_operation);
        field("value", &Config::value);
      }
    };

    std::int8_t resource_type = 0;
    std::string resource_name;
    std::vector<Config> configs;

    bool operator==(const Resource&) const = default;
    static constexpr void fields(auto&& field) {
      field("resource_type", &Resource::resource_type);
      field("resource_name", &Resource::resource_name);
      field("configs", &Resource::configs);
    }
  };

  std::vector<Resource> resources;
  bool validate_only = false;

  bool operator==(const IncrementalAlterConfigsRequest&) const = default;
  static constexpr void fields(auto&& field) {
    field("resources", &IncrementalAlterConfigsRequest::resources);
    field("validate_only", &IncrementalAlterConfigsRequest::validate_only);
  }
};

struct IncrementalAlterConfigsResponse {
  static constexpr Api kApi = kIncrementalAlterConfigs;

  struct Response {
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> error_message = "";
    std::int8_t resource_type = 0;
    std::string resource_name;

    bool operator==(const Response&) const = default;
    static constexpr void fields(auto&& field) {
      field("error_code", &Response::error_code);
      field("error_message", &Response::error_message);
      field("resource_type", &Response::resource_type);
      field("resource_name", &Response::resource_name);
    }
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Response> responses;

  bool operator==(const IncrementalAlterConfigsResponse&) const = default;
  static constexpr void fields(auto&& field) {
    field("throttle_time_ms", &IncrementalAlterConfigsResponse::throttle_time_ms);
    field("responses", &IncrementalAlterConfigsResponse::responses);
  }
};

}  // namespace iolab::protocol
