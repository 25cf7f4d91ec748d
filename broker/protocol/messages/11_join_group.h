// JoinGroup: a member enters a group, or says that it is still there while the group is put together anew.
//
// What members say of themselves (`metadata`) and how the work is shared out is between them; the broker carries it.
// Only the leader is told who the members are.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/protocol/api.h"
#include "broker/protocol/error_code.h"
#include "broker/protocol/field.h"

namespace iolab::protocol {

inline constexpr Api kJoinGroup{.key = ApiKey::join_group, .name = "JoinGroup", .first = 0, .last = 9, .flexible = 6};

struct JoinGroupRequest {
  static constexpr Api kApi = kJoinGroup;

  struct Protocol {
    std::string name;
    Blob metadata;

    bool operator==(const Protocol&) const = default;
    static constexpr void fields(auto&& field) {
      field("name", &Protocol::name);
      field("metadata", &Protocol::metadata);
    }
  };

  std::string group_id;
  std::int32_t session_timeout_ms = 0;
  std::int32_t rebalance_timeout_ms = -1;
  std::string member_id;
  std::optional<std::string> group_instance_id;
  std::string protocol_type;
  std::vector<Protocol> protocols;
  std::optional<std::string> reason;

  bool operator==(const JoinGroupRequest&) const = default;
  static constexpr void fields(auto&& field) {
    field("group_id", &JoinGroupRequest::group_id);
    field("session_timeout_ms", &JoinGroupRequest::session_timeout_ms);
    field("rebalance_timeout_ms", &JoinGroupRequest::rebalance_timeout_ms, since(1));
    field("member_id", &JoinGroupRequest::member_id);
    field("group_instance_id", &JoinGroupRequest::group_instance_id, since(5));
    field("protocol_type", &JoinGroupRequest::protocol_type);
    field("protocols", &JoinGroupRequest::protocols);
    field("reason", &JoinGroupRequest::reason, since(8));
  }
};

struct JoinGroupResponse {
  static constexpr Api kApi = kJoinGroup;

  struct Member {
    std::string member_id;
    std::optional<std::string> group_instance_id;
    Blob metadata;

    bool operator==(const Member&) const = default;
    static constexpr void fields(auto&& field) {
      field("member_id", &Member::member_id);
      field("group_instance_id", &Member::group_instance_id, since(5));
      field("metadata", &Member::metadata);
    }
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::int32_t generation_id = -1;
  std::optional<std::string> protocol_type;
  std::optional<std::string> protocol_name = "";
  std::string leader;
  bool skip_assignment = false;
  std::string member_id;
  std::vector<Member> members;

  bool operator==(const JoinGroupResponse&) const = default;
  static constexpr void fields(auto&& field) {
    field("throttle_time_ms", &JoinGroupResponse::throttle_time_ms, since(2));
    field("error_code", &JoinGroupResponse::error_code);
    field("generation_id", &JoinGroupResponse::generation_id);
    field("protocol_type", &JoinGroupResponse::protocol_type, since(7));
    field("protocol_name", &JoinGroupResponse::protocol_name, nullable(7));
    field("leader", &JoinGroupResponse::leader);
    field("skip_assignment", &JoinGroupResponse::skip_assignment, since(9));
    field("member_id", &JoinGroupResponse::member_id);
    field("members", &JoinGroupResponse::members);
  }
};

}  // namespace iolab::protocol
