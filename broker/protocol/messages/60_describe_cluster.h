// DescribeCluster: the brokers and the cluster's name, without the topics. Flexible from its first version on.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/protocol/api.h"
#include "broker/protocol/error_code.h"
#include "broker/protocol/field.h"

namespace iolab::protocol {

inline constexpr Api kDescribeCluster{
    .key = ApiKey::describe_cluster, .name = "DescribeCluster", .first = 0, .last = 1, .flexible = 0};

struct DescribeClusterRequest {
  static constexpr Api kApi = kDescribeCluster;

  bool include_cluster_authorized_operations = false;
  std::int8_t endpoint_type = 1;

  bool operator==(const DescribeClusterRequest&) const = default;
  static constexpr void fields(auto&& field) {
    field("include_cluster_authorized_operations", &DescribeClusterRequest::include_cluster_authorized_operations);
    field("endpoint_type", &DescribeClusterRequest::endpoint_type, since(1));
  }
};

struct DescribeClusterResponse {
  static constexpr Api kApi = kDescribeCluster;

  struct Broker {
    std::int32_t broker_id = 0;
    std::string host;
    std::int32_t port = 0;
    std::optional<std::string> rack;

    bool operator==(const Broker&) const = default;
    static constexpr void fields(auto&& field) {
      field("broker_id", &Broker::broker_id);
      field("host", &Broker::host);
      field("port", &Broker::port);
      field("rack", &Broker::rack);
    }
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string> error_message;
  std::int8_t endpoint_type = 1;
  std::string cluster_id;
  std::int32_t controller_id = -1;
  std::vector<Broker> brokers;
  std::int32_t cluster_authorized_operations = kNoAuthorizedOperations;

  bool operator==(const DescribeClusterResponse&) const = default;
  static constexpr void fields(auto&& field) {
    field("throttle_time_ms", &DescribeClusterResponse::throttle_time_ms);
    field("error_code", &DescribeClusterResponse::error_code);
    field("error_message", &DescribeClusterResponse::error_message);
    field("endpoint_type", &DescribeClusterResponse::endpoint_type, since(1));
    field("cluster_id", &DescribeClusterResponse::cluster_id);
    field("controller_id", &DescribeClusterResponse::controller_id);
    field("brokers", &DescribeClusterResponse::brokers);
    field("cluster_authorized_operations", &DescribeClusterResponse::cluster_authorized_operations);
  }
};

}  // namespace iolab::protocol
