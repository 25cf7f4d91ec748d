// WriteTxnMarkers: ends transactions in partitions. Brokers tell it to each other; an operator uses it to end what
// hangs (Admin.abortTransaction).
#pragma once

#include <string>
#include <vector>

#include "broker/protocol/api.h"
#include "broker/protocol/error_code.h"
#include "broker/protocol/field.h"

namespace iolab::protocol {

inline constexpr Api kWriteTxnMarkers{
    .key = ApiKey::write_txn_markers, .name = "WriteTxnMarkers", .first = 1, .last = 1, .flexible = 1};

struct WriteTxnMarkersRequest {
  static constexpr Api kApi = kWriteTxnMarkers;

  struct Marker {
    struct Topic {
      std::string name;
      std::vector<std::int32_t> partition_indexes;

      bool operator==(const Topic&) const = default;
      static constexpr void fields(auto&& field) {
        field("name", &Topic::name);
        field("partition_indexes", &Topic::partition_indexes);
      }
    };

    std::int64_t producer_id = 0;
    std::int16_t producer_epoch = 0;
    bool transaction_result = false;  // true: committed
    std::vector<Topic> topics;
    std::int32_t coordinator_epoch = 0;

    bool operator==(const Marker&) const = default;
    static constexpr void fields(auto&& field) {
      field("producer_id", &Marker::producer_id);
      field("producer_epoch", &Marker::producer_epoch);
      field("transaction_result", &Marker::transaction_result);
      field("topics", &Marker::topics);
      field("coordinator_epoch", &Marker::coordinator_epoch);
    }
  };

  std::vector<Marker> markers;

  bool operator==(const WriteTxnMarkersRequest&) const = default;
  static constexpr void fields(auto&& field) { field("markers", &WriteTxnMarkersRequest::markers); }
};

struct WriteTxnMarkersResponse {
  static constexpr Api kApi = kWriteTxnMarkers;

  struct Marker {
    struct Topic {
      struct Partition {
        std::int32_t partition_index = 0;
        ErrorCode error_code = ErrorCode::none;

        bool operator==(const Partition&) const = default;
        static constexpr void fields(auto&& field) {
          field("partition_index", &Partition::partition_index);
          field("error_code", &Partition::error_code);
        }
      };

      std::string name;
      std::vector<Partition> partitions;

      bool operator==(const Topic&) const = default;
      static constexpr void fields(auto&& field) {
        field("name", &Topic::name);
        field("partitions", &Topic::partitions);
      }
    };

    std::int64_t producer_id = 0;
    std::vector<Topic> topics;

    bool operator==(const Marker&) const = default;
    static constexpr void fields(auto&& field) {
      field("producer_id", &Marker::producer_id);
      field("topics", &Marker::topics);
    }
  };

  std::vector<Marker> markers;

  bool operator==(const WriteTxnMarkersResponse&) const = default;
  static constexpr void fields(auto&& field) { field("markers", &WriteTxnMarkersResponse::markers); }
};

}  // namespace iolab::protocol
