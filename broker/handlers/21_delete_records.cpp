// DeleteRecords, versions 0 to 2: everything below an offset, of partitions whose topic deletes records at all.
//
// Behaviour    -1 means all that is readable. The answer says where the partition starts now, which is on the disk by
//              then; files that hold nothing else are gone. An offset below the start changes nothing. A topic that is
//              only compacted is POLICY_VIOLATION.
// Not here     the timeout.
#include "broker/protocol/messages/21_delete_records.h"

#include <vector>

#include "broker/handlers/disk_request.h"
#include "broker/handlers/entries.h"

namespace iolab::handlers {
namespace {

using protocol::DeleteRecordsRequest;
using protocol::DeleteRecordsResponse;

Outcome handle(Request& request, DeleteRecordsRequest& wanted, base::GatherBuffer& out) {
  std::vector<core::Broker::RecordsBefore> all;
  for (const auto& topic : wanted.topics) {
    for (const auto& partition : topic.partitions)
      all.push_back({topic.name, partition.partition_index, partition.offset});
  }
  const auto starts = request.broker.delete_records(all, request.now);
  DeleteRecordsResponse response;
  auto start = starts.begin();
  for (const auto& topic : wanted.topics) {
    auto& answers = response.topics.emplace_back();
    answers.name = topic.name;
    for (const auto& partition : topic.partitions) {
      auto& answer = answers.partitions.emplace_back();
      answer.partition_index = partition.partition_index;
      answer.low_watermark = start->value_or(-1);
      if (!*start) answer.error_code = start->error();
      ++start;
    }
  }
  return answer(request, response, out);
}

}  // namespace

ApiEntry delete_records() {
  return {
      &protocol::kDeleteRecords, decode_and_handle<DeleteRecordsRequest, run_at_the_disk<DeleteRecordsRequest, handle>>,
      "Moves the start of partitions up to an offset or (-1) to the high watermark, durably. Not of topics that are "
      "only compacted. The timeout is not looked at."};
}

}  // namespace iolab::handlers
