// Heartbeat: a member is alive; the answer says whether it has to join again.
#pragma once

#include <optional>
#include <string>

#include "broker/protocol/api.h"
#include "broker/protocol/error_code.h"
#include "broker/protocol/field.h"

namespace iolab::protocol {

inline constexpr Api kHeartbeat{.key = ApiKey::heartbeat, .name = "Heartbeat", .first = 0, .last = 4, .flexible = 4};

struct HeartbeatRequest {
  static constexpr Api kApi = kHeartbeat;

  std::string group_id;
  std::int32_t generation_id = 0;
  std::string member_id;
  std::optional<std::string> group_instance_id;

  bool operator==(const HeartbeatRequest&) const = default;
  static constexpr void fields(auto&& field) {
    field("group_id", &HeartbeatRequest::group_id);
    field("generation_id", &HeartbeatRequest::generation_id);
    field("member_id", &HeartbeatRequest::member_id);
    field("group_instance_id", &HeartbeatRequest::group_instance_id, since(3));
  }
};

struct HeartbeatResponse {
  static constexpr Api kApi = kHeartbeat;

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;

  bool operator==(const HeartbeatResponse&) const = default;
  static constexpr void fields(auto&& field) {
    field("throttle_time_ms", &HeartbeatResponse::throttle_time_ms, since(1));
    field("error_code", &HeartbeatResponse::error_code);
  }
};

}  // namespace iolab::protocol
