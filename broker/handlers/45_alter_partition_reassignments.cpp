// AlterPartitionReassignments, version 0: where partitions shall be: here, because there is one broker.
//
// Behaviour    This broker alone is fine and changes nothing; anybody else is INVALID_REPLICA_ASSIGNMENT. To end a move
//              (null) is NO_REASSIGNMENT_IN_PROGRESS.
// Not here     the timeout.
#include "broker/protocol/messages/45_alter_partition_reassignments.h"

#include <vector>

#include "broker/handlers/entries.h"

namespace iolab::handlers {
namespace {

using protocol::AlterPartitionReassignmentsRequest;
using protocol::AlterPartitionReassignmentsResponse;
using protocol::ErrorCode;
using Asked = AlterPartitionReassignmentsRequest::Topic::Partition;
using Answer = AlterPartitionReassignmentsResponse::Response::Partition;

void refuse(Answer& answer, ErrorCode code, const char* why) {
  answer.error_code = code;
  answer.error_message = why;
}

void reassign(const core::Broker& broker, const core::TopicPointer& topic, const Asked& asked, Answer& answer) {
  answer.partition_index = asked.partition_index;
  answer.error_message.reset();
  if (!topic || topic->partition(asked.partition_index) == nullptr) {
    refuse(answer, ErrorCode::unknown_topic_or_partition, "there is no such partition");
  } else if (!asked.replicas) {
    refuse(answer, ErrorCode::no_reassignment_in_progress, "nothing is being moved");
  } else if (*asked.replicas != std::vector{broker.node_id()}) {
    refuse(answer, ErrorCode::invalid_replica_assignment, "there is one broker, and each partition is on it alone");
  }
}

Outcome handle(Request& request, AlterPartitionReassignmentsRequest& wanted, base::GatherBuffer& out) {
  AlterPartitionReassignmentsResponse response;
  response.error_message.reset();
  for (const auto& asked : wanted.topics) {
    const core::TopicPointer topic = request.broker.topics().find(asked.name);
    auto& answers = response.responses.emplace_back();
    answers.name = asked.name;
    for (const Asked& partition : asked.partitions) {
      reassign(request.broker, topic, partition, answers.partitions.emplace_back());
    }
  }
  return answer(request, response, out);
}

}  // namespace

ApiEntry alter_partition_reassignments() {
  return {&protocol::kAlterPartitionReassignments, decode_and_handle<AlterPartitionReassignmentsRequest, handle>,
          "Accepts where everything is: this broker. The timeout is not looked at."};
}

}  // namespace iolab::handlers
