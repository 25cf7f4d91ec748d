// DescribeLogDirs: how many bytes each partition has on the disk, and how much room there is.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/protocol/api.h"
#include "broker/protocol/error_code.h"
#include "broker/protocol/field.h"

namespace iolab::protocol {

inline constexpr Api kDescribeLogDirs{
    .key = ApiKey::describe_log_dirs, .name = "DescribeLogDirs", .first = 1, .last = 4, .flexible = 2};

struct DescribeLogDirsRequest {
  static constexpr Api kApi = kDescribeLogDirs;

  struct Topic {
    std::string topic;
    std::vector<std::int32_t> partitions;

    bool operator==(const Topic&) const = default;
    static constexpr void fields(auto&& field) {
      field("topic", &Topic::topic);
      field("partitions", &Topic::partitions);
    }
  };

  std::optional<std::vector<Topic>> topics = std::vector<Topic>{};

  bool operator==(const DescribeLogDirsRequest&) const = default;
  static constexpr void fields(auto&& field) { field("topics", &DescribeLogDirsRequest::topics); }
};

struct DescribeLogDirsResponse {
  static constexpr Api kApi = kDescribeLogDirs;

  struct Result {
    struct Topic {
      struct Partition {
        std::int32_t partition_index = 0;
        std::int64_t partition_size = 0;
        std::int64_t offset_lag = 0;
        bool is_future_key = false;

        bool operator==(const Partition&) const = default;
        static constexpr void fields(auto&& field) {
          field("partition_index", &Partition::partition_index);
          field("partition_size", &Partition::partition_size);
          field("offset_lag", &Partition::offset_lag);
          field("is_future_key", &Partition::is_future_key);
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

    ErrorCode error_code = ErrorCode::none;
    std::string log_dir;
    std::vector<Topic> topics;
    std::int64_t total_bytes = -1;
    std::int64_t usable_bytes = -1;

    bool operator==(const Result&) const = default;
    static constexpr void fields(auto&& field) {
      field("error_code", &Result::error_code);
      field("log_dir", &Result::log_dir);
      field("topics", &Result::topics);
      field("total_bytes", &Result::total_bytes, since(4));
      field("usable_bytes", &Result::usable_bytes, since(4));
    }
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::vector<Result> results;

  bool operator==(const DescribeLogDirsResponse&) const = default;
  static constexpr void fields(auto&& field) {
    field("throttle_time_ms", &DescribeLogDirsResponse::throttle_time_ms);
    field("error_code", &DescribeLogDirsResponse::error_code, since(3));
    field("results", &DescribeLogDirsResponse::results);
  }
};

}  // namespace iolab::protocol
