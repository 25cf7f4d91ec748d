// AlterConfigs: the settings that topics and brokers shall have set for themselves, all others being taken back.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/protocol/api.h"
#include "broker/protocol/error_code.h"
#include "broker/protocol/field.h"

namespace iolab::protocol {

inline constexpr Api kAlterConfigs{
    .key = ApiKey::alter_configs, .name = "AlterConfigs", .first = 0, .last = 2, .flexible = 2};

struct AlterConfigsRequest {
  static constexpr Api kApi = kAlterConfigs;

  struct Resource {
    struct Config {
      std::string name;
      std::optional<std::string> value = "";

      bool operator==(const Config&) const = default;
      static constexpr void fields(auto&& field) {
        field("name", &Config::name);
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

  bool operator==(const AlterConfigsRequest&) const = default;
  static constexpr void fields(auto&& field) {
    field("resources", &AlterConfigsRequest::resources);
    field("validate_only", &AlterConfigsRequest::validate_only);
  }
};

struct AlterConfigsResponse {
  static constexpr Api kApi = kAlterConfigs;

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

  bool operator==(const AlterConfigsResponse&) const = default;
  static constexpr void fields(auto&& field) {
    field("throttle_time_ms", &AlterConfigsResponse::throttle_time_ms);
    field("responses", &AlterConfigsResponse::responses);
  }
};

}  // namespace iolab::protocol
