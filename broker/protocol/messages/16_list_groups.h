// ListGroups: every group that this broker coordinates, from version 4 on only those in the states that are named.
#pragma once

#include <string>
#include <vector>

#include "broker/protocol/api.h"
#include "broker/protocol/error_code.h"
#include "broker/protocol/field.h"

namespace iolab::protocol {

inline constexpr Api kListGroups{
    .key = ApiKey::list_groups, .name = "ListGroups", .first = 0, .last = 5, .flexible = 3};

struct ListGroupsRequest {
  static constexpr Api kApi = kListGroups;

  std::vector<std::string> states_filter;
  std::vector<std::string> types_filter;

  bool operator==(const ListGroupsRequest&) const = default;
  static constexpr void fields(auto&& field) {
    field("states_filter", &ListGroupsRequest::states_filter, since(4));
    field("types_filter", &ListGroupsRequest::types_filter, since(5));
  }
};

struct ListGroupsResponse {
  static constexpr Api kApi = kListGroups;

  struct Group {
    std::string group_id;
    std::string protocol_type;
    std::string group_state;
    std::string group_type;

    bool operator==(const Group&) const = default;
    static constexpr void fields(auto&& field) {
      field("group_id", &Group::group_id);
      field("protocol_type", &Group::protocol_type);
      field("group_state", &Group::group_state, since(4));
      field("group_type", &Group::group_type, since(5));
    }
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::vector<Group> groups;

  bool operator==(const ListGroupsResponse&) const = default;
  static constexpr void fields(auto&& field) {
    field("throttle_time_ms", &ListGroupsResponse::throttle_time_ms, since(1));
    field("error_code", &ListGroupsResponse::error_code);
    field("groups", &ListGroupsResponse::groups);
  }
};

}  // namespace iolab::protocol
