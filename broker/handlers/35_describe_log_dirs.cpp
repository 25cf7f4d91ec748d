// DescribeLogDirs, versions 1 to 4: the one data directory, the bytes of partitions in it, and the room on its disk.
//
// Behaviour    All partitions, or those named; those that do not exist are left out, as are those that are offline.
#include "broker/protocol/messages/35_describe_log_dirs.h"

#include <vector>

#include "broker/handlers/disk_request.h"
#include "broker/handlers/entries.h"

namespace iolab::handlers {
namespace {

using protocol::DescribeLogDirsRequest;
using protocol::DescribeLogDirsResponse;
using protocol::ErrorCode;
using Answer = DescribeLogDirsResponse::Result;

void add(const core::Partition& partition, Answer::Topic& topic) {
  const auto bytes = partition.size_bytes();
  if (!bytes) return;
  topic.partitions.push_back(
      {.partition_index = partition.index(), .partition_size = *bytes, .offset_lag = 0, .is_future_key = false});
}

void list(const core::Broker& broker, const DescribeLogDirsRequest& wanted, Answer& answer) {
  if (!wanted.topics) {
    for (const core::TopicPointer& topic : broker.topics().all()) {
      auto& answers = answer.topics.emplace_back(Answer::Topic{.name = topic->name, .partitions = {}});
      for (const auto& partition : topic->partitions) add(*partition, answers);
    }
    return;
  }
  for (const auto& asked : *wanted.topics) {
    const core::TopicPointer topic = broker.topics().find(asked.topic);
    if (!topic) continue;
    auto& answers = answer.topics.emplace_back(Answer::Topic{.name = topic->name, .partitions = {}});
    for (const std::int32_t index : asked.partitions) {
      if (const core::Partition* partition = topic->partition(index)) add(*partition, answers);
    }
  }
}

Outcome handle(Request& request, DescribeLogDirsRequest& wanted, base::GatherBuffer& out) {
  DescribeLogDirsResponse response;
  Answer& answer_of_directory = response.results.emplace_back();
  answer_of_directory.log_dir = request.broker.data_directory().string();
  if (const auto space = request.broker.disk_space()) {
    answer_of_directory.total_bytes = space->total_bytes;
    answer_of_directory.usable_bytes = space->usable_bytes;
  } else {
    answer_of_directory.error_code = ErrorCode::kafka_storage_error;
  }
  list(request.broker, wanted, answer_of_directory);
  return answer(request, response, out);
}

}  // namespace

ApiEntry describe_log_dirs() {
  return {&protocol::kDescribeLogDirs,
          decode_and_handle<DescribeLogDirsRequest, run_at_the_disk<DescribeLogDirsRequest, handle>>,
          "The one data directory: bytes of each partition, room on the disk."};
}

}  // namespace iolab::handlers
