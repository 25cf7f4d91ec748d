// LeaveGroup: a member leaves for good, up to version 2; from 3 on any number of them, also by their instance ids,
// which is how an operator removes static members.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/protocol/api.h"
#include "broker/protocol/error_code.h"
#include "broker/protocol/field.h"

namespace iolab::protocol {

inline constexpr Api kLeaveGroup{
    .key = ApiKey::leave_group, .name = "LeaveGroup", .first = 0, .last = 5, .flexible = 4};

struct LeaveGroupRequest {
  static constexpr Api kApi = kLeaveGroup;

  struct Member {
    std::string member_id;
    std::optional<std::string> group_instance_id;
    std::optional<std::string> reason;

    bool operator==(const Member&) const = default;
    static constexpr void fields(auto&& field) {
      field("member_id", &Member::member_id, since(3));
      field("group_instance_id", &Member::group_instance_id, since(3));
      field("reason", &Member::reason, since(5));
    }
  };

  std::string group_id;
  std::string member_id;
  std::vector<Member> members;

  bool operator==(const LeaveGroupRequest&) const = default;
  static constexpr void fields(auto&& field) {
    field("group_id", &LeaveGroupRequest::group_id);
    field("member_id", &LeaveGroupRequest::member_id, between(0, 2));
    field("members", &LeaveGroupRequest::members, since(3));
  }
};

struct LeaveGroupResponse {
  static constexpr Api kApi = kLeaveGroup;

  struct Member {
    std::string member_id;
    std::optional<std::string> group_instance_id = "";
    ErrorCode error_code = ErrorCode::none;

    bool operator==(const Member&) const = default;
    static constexpr void fields(auto&& field) {
      field("member_id", &Member::member_id, since(3));
      field("group_instance_id", &Member::group_instance_id, since(3));
      field("error_code", &Member::error_code, since(3));
    }
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::vector<Member> members;

  bool operator==(const LeaveGroupResponse&) const = default;
  static constexpr void fields(auto&& field) {
    field("throttle_time_ms", &LeaveGroupResponse::throttle_time_ms, since(1));
    field("error_code", &LeaveGroupResponse::error_code);
    field("members", &LeaveGroupResponse::members, since(3));
  }
};

}  // namespace iolab::protocol
