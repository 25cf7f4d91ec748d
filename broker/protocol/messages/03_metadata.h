// Metadata: which brokers and topics are there, and who leads which partition? The first thing every client asks.
//
// Null topics mean all of them; in version 0, which cannot say null, an empty array does.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/protocol/api.h"
#include "broker/protocol/error_code.h"
#include "broker/protocol/field.h"

namespace iolab::protocol {

inline constexpr Api kMetadata{.key = ApiKey::metadata, .name = "Metadata", .first = 0, .last = 12, .flexible = 9};

struct MetadataRequest {
  static constexpr Api kApi = kMetadata;

  struct Topic {
    Uuid topic_id{};
    std::optional<std::string> name = "";

    bool operator==(const Topic&) const = default;
    static constexpr void fields(auto&& field) {
      field("topic_id", &Topic::topic_id, since(10));
      field("name", &Topic::name, nullable(10));
    }
  };

  std::optional<std::vector<Topic>> topics = std::vector<Topic>{};
  bool allow_auto_topic_creation = true;
  bool include_cluster_authorized_operations = false;
  bool include_topic_authorized_operations = false;

  bool operator==(const MetadataRequest&) const = default;
  static constexpr void fields(auto&& field) {
    field("topics", &MetadataRequest::topics, nullable(1));
    field("allow_auto_topic_creation", &MetadataRequest::allow_auto_topic_creation, since(4));
    field("include_cluster_authorized_operations", &MetadataRequest::include_cluster_authorized_operations,
          between(8, 10));
    field("include_topic_authorized_operations", &MetadataRequest::include_topic_authorized_operations, since(8));
  }
};

struct MetadataResponse {
  static constexpr Api kApi = kMetadata;

  struct Broker {
    std::int32_t node_id = 0;
    std::string host;
    std::int32_t port = 0;
    std::optional<std::string> rack;

    bool operator==(const Broker&) const = default;
    static constexpr void fields(auto&& field) {
      field("node_id", &Broker::node_id);
      field("host", &Broker::host);
      field("port", &Broker::port);
      field("rack", &Broker::rack, since(1));
    }
  };

  struct Topic {
    struct Partition {
      ErrorCode error_code = ErrorCode::none;
      std::int32_t partition_index = 0;
      std::int32_t leader_id = 0;
      std::int32_t leader_epoch = -1;
      std::vector<std::int32_t> replica_nodes;
      std::vector<std::int32_t> isr_nodes;
      std::vector<std::int32_t> offline_replicas;

      bool operator==(const Partition&) const = default;
      static constexpr void fields(auto&& field) {
        field("error_code", &Partition::error_code);
        field("partition_index", &Partition::partition_index);
        field("leader_id", &Partition::leader_id);
        field("leader_epoch", &Partition::leader_epoch, since(7));
        field("replica_nodes", &Partition::replica_nodes);
        field("isr_nodes", &Partition::isr_nodes);
        field("offline_replicas", &Partition::offline_replicas, since(5));
      }
    };

    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> name = "";
    Uuid topic_id{};
    bool is_internal = false;
    std::vector<Partition> partitions;
    std::int32_t topic_authorized_operations = kNoAuthorizedOperations;

    bool operator==(const Topic&) const = default;
    static constexpr void fields(auto&& field) {
      field("error_code", &Topic::error_code);
      field("name", &Topic::name, nullable(12));
      field("topic_id", &Topic::topic_id, since(10));
      field("is_internal", &Topic::is_internal, since(1));
      field("partitions", &Topic::partitions);
      field("topic_authorized_operations", &Topic::topic_authorized_operations, since(8));
    }
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Broker> brokers;
  std::optional<std::string> cluster_id;
  std::int32_t controller_id = -1;
  std::vector<Topic> topics;
  std::int32_t cluster_authorized_operations = kNoAuthorizedOperations;

  bool operator==(const MetadataResponse&) const = default;
  static constexpr void fields(auto&& field) {
    field("throttle_time_ms", &MetadataResponse::throttle_time_ms, since(3));
    field("brokers", &MetadataResponse::brokers);
    field("cluster_id", &MetadataResponse::cluster_id, since(2));
    field("controller_id", &MetadataResponse::controller_id, since(1));
    field("topics", &MetadataResponse::topics);
    field("cluster_authorized_operations", &MetadataResponse::cluster_authorized_operations, between(8, 10));
  }
};

}  // namespace iolab::protocol
