// DeleteRecords: moves the start of partitions up, so that what is below cannot be read any more.
#pragma once

#include <string>
#include <vector>

#include "broker/protocol/api.h"
#include "broker/protocol/error_code.h"
#include "broker/protocol/field.h"

namespace iolab::protocol {

inline constexpr Api kDeleteRecords{
    .key = ApiKey::delete_records, .name = "DeleteRecords", .first = 0, .last = 2, .flexible = 2};

struct DeleteRecordsRequest {
  static constexpr Api kApi = kDeleteRecords;

  struct Topic {
    struct Partition {
      std::int32_t partition_index = 0;
      std::int64_t offset = 0;

      bool operator==(const Partition&) const = default;
      static constexpr void fields(auto&& field) {
        field("partition_index", &Partition::partition_index);
        field("offset", &Partition::offset);
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

  std::vector<Topic> topics;
  std::int32_t timeout_ms = 0;

  bool operator==(const DeleteRecordsRequest&) const = default;
  static constexpr void fields(auto&& field) {
    field("topics", &DeleteRecordsRequest::topics);
    field("timeout_ms", &DeleteRecordsRequest::timeout_ms);
  }
};

struct DeleteRecordsResponse {
  static constexpr Api kApi = kDeleteRecords;

  struct Topic {
    struct Partition {
      std::int32_t partition_index = 0;
      std::int64_t low_watermark = 0;
      ErrorCode error_code = ErrorCode::none;

      bool operator==(const Partition&) const = default;
      static constexpr void fields(auto&& field) {
        field("partition_index", &Partition::partition_index);
        field("low_watermark", &Partition::low_watermark);
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

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;

  bool operator==(const DeleteRecordsResponse&) const = default;
  static constexpr void fields(auto&& field) {
    field("throttle_time_ms", &DeleteRecordsResponse::throttle_time_ms);
    field("topics", &DeleteRecordsResponse::topics);
  }
};

}  // namespace iolab::protocol
