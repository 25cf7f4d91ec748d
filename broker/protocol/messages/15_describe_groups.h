// DescribeGroups: state, protocol and members of groups. A group that is not known is Dead, which is no error.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/protocol/api.h"
#include "broker/protocol/error_code.h"
#include "broker/protocol/field.h"

namespace iolab::protocol {

inline constexpr Api kDescribeGroups{
    .key = ApiKey::describe_groups, .name = "DescribeGroups", .first = 0, .last = 5, .flexible = 5};

struct DescribeGroupsRequest {
  static constexpr Api kApi = kDescribeGroups;

  std::vector<std::string> groups;
  bool include_authorized_operations = false;

  bool operator==(const DescribeGroupsRequest&) const = default;
  static constexpr void fields(auto&& field) {
    field("groups", &DescribeGroupsRequest::groups);
    field("include_authorized_operations", &DescribeGroupsRequest::include_authorized_operations, since(3));
  }
};

struct DescribeGroupsResponse {
  static constexpr Api kApi = kDescribeGroups;

  struct Group {
    struct Member {
      std::string member_id;
      std::optional<std::string> group_instance_id;
      std::string client_id;
      std::string client_host;
      Blob member_metadata;
      Blob member_assignment;

      bool operator==(const Member&) const = default;
      static constexpr void fields(auto&& field) {
        field("member_id", &Member::member_id);
        field("group_instance_id", &Member::group_instance_id, since(4));
        field("client_id", &Member::client_id);
        field("client_host", &Member::client_host);
        field("member_metadata", &Member::member_metadata);
        field("member_assignment", &Member::member_assignment);
      }
    };

    ErrorCode error_code = ErrorCode::none;
    std::string group_id;
    std::string group_state;
    std::string protocol_type;
    std::string protocol_data;
    std::vector<Member> members;
    std::int32_t authorized_operations = kNoAuthorizedOperations;

    bool operator==(const Group&) const = default;
    static constexpr void fields(auto&& field) {
      field("error_code", &Group::error_code);
      field("group_id", &Group::group_id);
      field("group_state", &Group::group_state);
      field("protocol_type", &Group::protocol_type);
      field("protocol_data", &Group::protocol_data);
      field("members", &Group::members);
      field("authorized_operations", &Group::authorized_operations, since(3));
    }
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Group> groups;

  bool operator==(const DescribeGroupsResponse&) const = default;
  static constexpr void fields(auto&& field) {
    field("throttle_time_ms", &DescribeGroupsResponse::throttle_time_ms, since(1));
    field("groups", &DescribeGroupsResponse::groups);
  }
};

}  // namespace iolab::protocol
