// ApiVersions: what does this broker speak? Sent before anything else is known, so two rules are its own: the response
// header is the old one in every version, and a request of an unknown version is answered in version 0, with the error
// UNSUPPORTED_VERSION and this API's range alone, without looking at its body (KIP-511).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/protocol/api.h"
#include "broker/protocol/error_code.h"
#include "broker/protocol/field.h"

namespace iolab::protocol {

inline constexpr Api kApiVersions{
    .key = ApiKey::api_versions, .name = "ApiVersions", .first = 0, .last = 4, .flexible = 3};

struct ApiVersionsRequest {
  static constexpr Api kApi = kApiVersions;

  std::string client_software_name;
  std::string client_software_version;

  bool operator==(const ApiVersionsRequest&) const = default;
  static constexpr void fields(auto&& field) {
    field("client_software_name", &ApiVersionsRequest::client_software_name, since(3));
    field("client_software_version", &ApiVersionsRequest::client_software_version, since(3));
  }
};

struct ApiVersionsResponse {
  static constexpr Api kApi = kApiVersions;

  struct ApiVersion {
    std::int16_t api_key = 0;
    std::int16_t min_version = 0;
    std::int16_t max_version = 0;

    bool operator==(const ApiVersion&) const = default;
    static constexpr void fields(auto&& field) {
      field("api_key", &ApiVersion::api_key);
      field("min_version", &ApiVersion::min_version);
      field("max_version", &ApiVersion::max_version);
    }
  };

  struct SupportedFeature {
    std::string name;
    std::int16_t min_version = 0;
    std::int16_t max_version = 0;

    bool operator==(const SupportedFeature&) const = default;
    static constexpr void fields(auto&& field) {
      field("name", &SupportedFeature::name, since(3));
      field("min_version", &SupportedFeature::min_version, since(3));
      field("max_version", &SupportedFeature::max_version, since(3));
    }
  };

  struct FinalizedFeature {
    std::string name;
    std::int16_t max_version_level = 0;
    std::int16_t min_version_level = 0;

    bool operator==(const FinalizedFeature&) const = default;
    static constexpr void fields(auto&& field) {
      field("name", &FinalizedFeature::name, since(3));
      field("max_version_level", &FinalizedFeature::max_version_level, since(3));
      field("min_version_level", &FinalizedFeature::min_version_level, since(3));
    }
  };

  ErrorCode error_code = ErrorCode::none;
  std::vector<ApiVersion> api_keys;
  std::int32_t throttle_time_ms = 0;
  std::vector<SupportedFeature> supported_features;
  std::int64_t finalized_features_epoch = -1;
  std::vector<FinalizedFeature> finalized_features;
  bool zk_migration_ready = false;

  bool operator==(const ApiVersionsResponse&) const = default;
  static constexpr void fields(auto&& field) {
    field("error_code", &ApiVersionsResponse::error_code);
    field("api_keys", &ApiVersionsResponse::api_keys);
    field("throttle_time_ms", &ApiVersionsResponse::throttle_time_ms, since(1));
    field("supported_features", &ApiVersionsResponse::supported_features, since(3).tagged(0));
    field("finalized_features_epoch", &ApiVersionsResponse::finalized_features_epoch, since(3).tagged(1));
    field("finalized_features", &ApiVersionsResponse::finalized_features, since(3).tagged(2));
    field("zk_migration_ready", &ApiVersionsResponse::zk_migration_ready, since(3).tagged(3));
  }
};

}  // namespace iolab::protocol
