// CreatePartitions, versions 0 to 3: more partitions for topics that exist.
//
// Behaviour    `count` is how many there shall be; only more is possible. An assignment may only name this broker, once
//              for each new partition. validate_only checks and changes nothing.
// Not here     the timeout.
#include "broker/protocol/messages/37_create_partitions.h"

#include <algorithm>
#include <vector>

#include "broker/handlers/disk_request.h"
#include "broker/handlers/entries.h"

namespace iolab::handlers {
namespace {

using protocol::CreatePartitionsRequest;
using protocol::CreatePartitionsResponse;
using protocol::ErrorCode;
using Asked = CreatePartitionsRequest::Topic;
using Answer = CreatePartitionsResponse::Result;

bool fits(const Asked& asked, std::size_t had, std::int32_t node) {
  if (!asked.assignments) return true;
  const bool here = std::ranges::all_of(*asked.assignments, [&](const auto& assignment) {
    return assignment.broker_ids == std::vector<std::int32_t>{node};
  });
  return here && static_cast<std::int64_t>(asked.assignments->size()) == asked.count - static_cast<std::int64_t>(had);
}

void grow(Request& request, const Asked& asked, bool validate_only, Answer& answer) {
  answer.name = asked.name;
  const core::TopicPointer topic = request.broker.topics().find(asked.name);
  if (topic && asked.count > static_cast<std::int64_t>(topic->partitions.size()) &&
      !fits(asked, topic->partitions.size(), request.broker.node_id())) {
    answer.error_code = ErrorCode::invalid_replica_assignment;
    answer.error_message = "each new partition is on this broker alone";
    return;
  }
  const auto grown = request.broker.grow_topic(asked.name, asked.count, validate_only, request.now);
  if (grown) return;
  answer.error_code = grown.error().code;
  answer.error_message = grown.error().message;
}

Outcome handle(Request& request, CreatePartitionsRequest& wanted, base::GatherBuffer& out) {
  CreatePartitionsResponse response;
  for (const Asked& asked : wanted.topics) grow(request, asked, wanted.validate_only, response.results.emplace_back());
  return answer(request, response, out);
}

}  // namespace

ApiEntry create_partitions() {
  return {&protocol::kCreatePartitions,
          decode_and_handle<CreatePartitionsRequest, run_at_the_disk<CreatePartitionsRequest, handle>>,
          "More partitions, never fewer; assignment to this broker; `validate_only`. The timeout is not looked at."};
}

}  // namespace iolab::handlers
