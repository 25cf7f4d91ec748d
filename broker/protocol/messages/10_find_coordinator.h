// FindCoordinator: which broker keeps the offsets of a group, or the state of a transactional id? One key up to version
// 3, any number of them from 4 on.
//
// librdkafka looks for version 0 of it in the advertised ranges before it compresses with lz4: without it, batches
// arrive uncompressed, and nothing says so.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/protocol/api.h"
#include "broker/protocol/error_code.h"
#include "broker/protocol/field.h"

namespace iolab::protocol {

inline constexpr Api kFindCoordinator{
    .key = ApiKey::find_coordinator, .name = "FindCoordinator", .first = 0, .last = 4, .flexible = 3};

// What a key names.
inline constexpr std::int8_t kGroupKey = 0;
inline constexpr std::int8_t kTransactionKey = 1;

struct FindCoordinatorRequest {
  static constexpr Api kApi = kFindCoordinator;

  std::string key;
  std::int8_t key_type = 0;
  std::vector<std::string> coordinator_keys;

  bool operator==(const FindCoordinatorRequest&) const = default;
  static constexpr void fields(auto&& field) {
    field("key", &FindCoordinatorRequest::key, between(0, 3));
    field("key_type", &FindCoordinatorRequest::key_type, since(1));
    field("coordinator_keys", &FindCoordinatorRequest::coordinator_keys, since(4));
  }
};

struct FindCoordinatorResponse {
  static constexpr Api kApi = kFindCoordinator;

  struct Coordinator {
    std::string key;
    std::int32_t node_id = 0;
    std::string host;
    std::int32_t port = 0;
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> error_message = "";

    bool operator==(const Coordinator&) const = default;
    static constexpr void fields(auto&& field) {
      field("key", &Coordinator::key, since(4));
      field("node_id", &Coordinator::node_id, since(4));
      field("host", &Coordinator::host, since(4));
      field("port", &Coordinator::port, since(4));
      field("error_code", &Coordinator::error_code, since(4));
      field("error_message", &Coordinator::error_message, since(4));
    }
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string> error_message = "";
  std::int32_t node_id = 0;
  std::string host;
  std::int32_t port = 0;
  std::vector<Coordinator> coordinators;

  bool operator==(const FindCoordinatorResponse&) const = default;
  static constexpr void fields(auto&& field) {
    field("throttle_time_ms", &FindCoordinatorResponse::throttle_time_ms, since(1));
    field("error_code", &FindCoordinatorResponse::error_code, between(0, 3));
    field("error_message", &FindCoordinatorResponse::error_message, between(1, 3));
    field("node_id", &FindCoordinatorResponse::node_id, between(0, 3));
    field("host", &FindCoordinatorResponse::host, between(0, 3));
    field("port", &FindCoordinatorResponse::port, between(0, 3));
    field("coordinators", &FindCoordinatorResponse::coordinators, since(4));
  }
};

}  // namespace iolab::protocol
