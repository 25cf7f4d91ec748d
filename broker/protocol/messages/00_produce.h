// Produce: a client hands over record batches, one per partition. Records are views into the request, never copied.
//
// Versions below 3 carry message sets of an older format and are refused. They are advertised all the same: librdkafka
// up to 2.11.0 takes "0 is not in the range" for "the broker cannot read compressed batches", and silently stops
// compressing. With acks=0 there is no response at all.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/protocol/api.h"
#include "broker/protocol/error_code.h"
#include "broker/protocol/field.h"

namespace iolab::protocol {

inline constexpr Api kProduce{
    .key = ApiKey::produce, .name = "Produce", .first = 3, .last = 11, .flexible = 9, .advertised_first = 0};

struct ProduceRequest {
  static constexpr Api kApi = kProduce;

  struct Topic {
    struct Partition {
      std::int32_t index = 0;
      std::optional<Records> records = Records{};

      bool operator==(const Partition&) const = default;
      static constexpr void fields(auto&& field) {
        field("index", &Partition::index);
        field("records", &Partition::records);
      }
    };

    std::string name;
    std::vector<Partition> partition_data;

    bool operator==(const Topic&) const = default;
    static constexpr void fields(auto&& field) {
      field("name", &Topic::name);
      field("partition_data", &Topic::partition_data);
    }
  };

  std::optional<std::string> transactional_id;
  std::int16_t acks = 0;
  std::int32_t timeout_ms = 0;
  std::vector<Topic> topic_data;

  bool operator==(const ProduceRequest&) const = default;
  static constexpr void fields(auto&& field) {
    field("transactional_id", &ProduceRequest::transactional_id);
    field("acks", &ProduceRequest::acks);
    field("timeout_ms", &ProduceRequest::timeout_ms);
    field("topic_data", &ProduceRequest::topic_data);
  }
};

struct ProduceResponse {
  static constexpr Api kApi = kProduce;

  struct Topic {
    struct Partition {
      struct RecordError {
        std::int32_t batch_index = 0;
        std::optional<std::string> batch_index_error_message;

        bool operator==(const RecordError&) const = default;
        static constexpr void fields(auto&& field) {
          field("batch_index", &RecordError::batch_index, since(8));
          field("batch_index_error_message", &RecordError::batch_index_error_message, since(8));
        }
      };

      struct LeaderIdAndEpoch {
        std::int32_t leader_id = -1;
        std::int32_t leader_epoch = -1;

        bool operator==(const LeaderIdAndEpoch&) const = default;
        static constexpr void fields(auto&& field) {
          field("leader_id", &LeaderIdAndEpoch::leader_id, since(10));
          field("leader_epoch", &LeaderIdAndEpoch::leader_epoch, since(10));
        }
      };

      std::int32_t index = 0;
      ErrorCode error_code = ErrorCode::none;
      std::int64_t base_offset = 0;
      std::int64_t log_append_time_ms = -1;
      std::int64_t log_start_offset = -1;
      std::vector<RecordError> record_errors;
      std::optional<std::string> error_message;
      LeaderIdAndEpoch current_leader;

      bool operator==(const Partition&) const = default;
      static constexpr void fields(auto&& field) {
        field("index", &Partition::index);
        field("error_code", &Partition::error_code);
        field("base_offset", &Partition::base_offset);
        field("log_append_time_ms", &Partition::log_append_time_ms);
        field("log_start_offset", &Partition::log_start_offset, since(5));
        field("record_errors", &Partition::record_errors, since(8));
        field("error_message", &Partition::error_message, since(8));
        field("current_leader", &Partition::current_leader, since(10).tagged(0));
      }
    };

    std::string name;
    std::vector<Partition> partition_responses;

    bool operator==(const Topic&) const = default;
    static constexpr void fields(auto&& field) {
      field("name", &Topic::name);
      field("partition_responses", &Topic::partition_responses);
    }
  };

  struct NodeEndpoint {
    std::int32_t node_id = 0;
    std::string host;
    std::int32_t port = 0;
    std::optional<std::string> rack;

    bool operator==(const NodeEndpoint&) const = default;
    static constexpr void fields(auto&& field) {
      field("node_id", &NodeEndpoint::node_id, since(10));
      field("host", &NodeEndpoint::host, since(10));
      field("port", &NodeEndpoint::port, since(10));
      field("rack", &NodeEndpoint::rack, since(10));
    }
  };

  std::vector<Topic> responses;
  std::int32_t throttle_time_ms = 0;
  std::vector<NodeEndpoint> node_endpoints;

  bool operator==(const ProduceResponse&) const = default;
  static constexpr void fields(auto&& field) {
    field("responses", &ProduceResponse::responses);
    field("throttle_time_ms", &ProduceResponse::throttle_time_ms);
    field("node_endpoints", &ProduceResponse::node_endpoints, since(10).tagged(0));
  }
};

}  // namespace iolab::protocol
