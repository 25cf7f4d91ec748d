// DeleteGroups: groups without members, and with them everything they have committed.
#pragma once

#include <string>
#include <vector>

#include "broker/protocol/api.h"
#include "broker/protocol/error_code.h"
#include "broker/protocol/field.h"

namespace iolab::protocol {

inline constexpr Api kDeleteGroups{
    .key = ApiKey::delete_groups, .name = "DeleteGroups", .first = 0, .last = 2, .flexible = 2};

struct DeleteGroupsRequest {
  static constexpr Api kApi = kDeleteGroups;

  std::vector<std::string> groups_names;

  bool operator==(const DeleteGroupsRequest&) const = default;
  static constexpr void fields(auto&& field) { field("groups_names", &DeleteGroupsRequest::groups_names); }
};

struct DeleteGroupsResponse {
  static constexpr Api kApi = kDeleteGroups;

  struct Result {
    std::string group_id;
    ErrorCode error_code = ErrorCode::none;

    bool operator==(const Result&) const = default;
    static constexpr void fields(auto&& field) {
      field("group_id", &Result::group_id);
      field("error_code", &Result::error_code);
    }
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Result> results;

  bool operator==(const DeleteGroupsResponse&) const = default;
  static constexpr void fields(auto&& field) {
    field("throttle_time_ms", &DeleteGroupsResponse::throttle_time_ms);
    field("results", &DeleteGroupsResponse::results);
  }
};

}  // namespace iolab::protocol
