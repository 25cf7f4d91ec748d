// DescribeConfigs: the settings of topics and brokers, where each comes from, and what it overrides.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/protocol/api.h"
#include "broker/protocol/error_code.h"
#include "broker/protocol/field.h"

namespace iolab::protocol {

inline constexpr Api kDescribeConfigs{
    .key = ApiKey::describe_configs, .name = "DescribeConfigs", .first = 1, .last = 4, .flexible = 4};

struct DescribeConfigsRequest {
  static constexpr Api kApi = kDescribeConfigs;

  struct Resource {
    std::int8_t resource_type = 0;
    std::string resource_name;
    std::optional<std::vector<std::string>> configuration_keys = std::vector<std::string>{};

    bool operator==(const Resource&) const = default;
    static constexpr void fields(auto&& field) {
      field("resource_type", &Resource::resource_type);
      field("resource_name", &Resource::resource_name);
      field("configuration_keys", &Resource::configuration_keys);
    }
  };

  std::vector<Resource> resources;
  bool include_synonyms = false;
  bool include_documentation = false;

  bool operator==(const DescribeConfigsRequest&) const = default;
  static constexpr void fields(auto&& field) {
    field("resources", &DescribeConfigsRequest::resources);
    field("include_synonyms", &DescribeConfigsRequest::include_synonyms);
    field("include_documentation", &DescribeConfigsRequest::include_documentation, since(3));
  }
};

struct DescribeConfigsResponse {
  static constexpr Api kApi = kDescribeConfigs;

  struct Result {
    struct Config {
      struct Synonym {
        std::string name;
        std::optional<std::string> value = "";
        std::int8_t source = 0;

        bool operator==(const Synonym&) const = default;
        static constexpr void fields(auto&& field) {
          field("name", &Synonym::name);
          field("value", &Synonym::value);
          field("source", &Synonym::source);
        }
      };

      std::string name;
      std::optional<std::string> value = "";
      bool read_only = false;
      std::int8_t config_source = -1;
      bool is_sensitive = false;
      std::vector<Synonym> synonyms;
      std::int8_t config_type = 0;
      std::optional<std::string> documentation = "";

      bool operator==(const Config&) const = default;
      static constexpr void fields(auto&& field) {
        field("name", &Config::name);
        field("value", &Config::value);
        field("read_only", &Config::read_only);
        field("config_source", &Config::config_source);
        field("is_sensitive", &Config::is_sensitive);
        field("synonyms", &Config::synonyms);
        field("config_type", &Config::config_type, since(3));
        field("documentation", &Config::documentation, since(3));
      }
    };

    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> error_message = "";
    std::int8_t resource_type = 0;
    std::string resource_name;
    std::vector<Config> configs;

    bool operator==(const Result&) const = default;
    static constexpr void fields(auto&& field) {
      field("error_code", &Result::error_code);
      field("error_message", &Result::error_message);
      field("resource_type", &Result::resource_type);
      field("resource_name", &Result::resource_name);
      field("configs", &Result::configs);
    }
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Result> results;

  bool operator==(const DescribeConfigsResponse&) const = default;
  static constexpr void fields(auto&& field) {
    field("throttle_time_ms", &DescribeConfigsResponse::throttle_time_ms);
    field("results", &DescribeConfigsResponse::results);
  }
};

}  // namespace iolab::protocol
