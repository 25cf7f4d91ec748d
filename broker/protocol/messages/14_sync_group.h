// SyncGroup: the leader hands in who does what, and every member learns its part.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/protocol/api.h"
#include "broker/protocol/error_code.h"
#include "broker/protocol/field.h"

namespace iolab::protocol {

inline constexpr Api kSyncGroup{.key = ApiKey::sync_group, .name = "SyncGroup", .first = 0, .last = 5, .flexible = 4};

struct SyncGroupRequest {
  static constexpr Api kApi = kSyncGroup;

  struct Assignment {
    std::string member_id;
    Blob assignment;

    bool operator==(const Assignment&) const = default;
    static constexpr void fields(auto&& field) {
      field("member_id", &Assignment::member_id);
      field("assignment", &Assignment::assignment);
    }
  };

  std::string group_id;
  std::int32_t generation_id = 0;
  std::string member_id;
  std::optional<std::string> group_instance_id;
  std::optional<std::string> protocol_type;
  std::optional<std::string> protocol_name;
  std::vector<Assignment> assignments;

  bool operator==(const SyncGroupRequest&) const = default;
  static constexpr void fields(auto&& field) {
    field("group_id", &SyncGroupRequest::group_id);
    field("generation_id", &SyncGroupRequest::generation_id);
    field("member_id", &SyncGroupRequest::member_id);
    field("group_instance_id", &SyncGroupRequest::group_instance_id, since(3));
    field("protocol_type", &SyncGroupRequest::protocol_type, since(5));
    field("protocol_name", &SyncGroupRequest::protocol_name, since(5));
    field("assignments", &SyncGroupRequest::assignments);
  }
};

struct SyncGroupResponse {
  static constexpr Api kApi = kSyncGroup;

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string> protocol_type;
  std::optional<std::string> protocol_name;
  Blob assignment;

  bool operator==(const SyncGroupResponse&) const = default;
  static constexpr void fields(auto&& field) {
    field("throttle_time_ms", &SyncGroupResponse::throttle_time_ms, since(1));
    field("error_code", &SyncGroupResponse::error_code);
    field("protocol_type", &SyncGroupResponse::protocol_type, since(5));
    field("protocol_name", &SyncGroupResponse::protocol_name, since(5));
    field("assignment", &SyncGroupResponse::assignment);
  }
};

}  // namespace iolab::protocol
