// ListPartitionReassignments, version 0: with one broker nothing is ever being moved.
#include "broker/protocol/messages/46_list_partition_reassignments.h"

#include "broker/handlers/entries.h"

namespace iolab::handlers {
namespace {

using protocol::ListPartitionReassignmentsRequest;
using protocol::ListPartitionReassignmentsResponse;

Outcome handle(Request& request, ListPartitionReassignmentsRequest&, base::GatherBuffer& out) {
  ListPartitionReassignmentsResponse response;
  response.error_message.reset();
  return answer(request, response, out);
}

}  // namespace

ApiEntry list_partition_reassignments() {
  return {&protocol::kListPartitionReassignments, decode_and_handle<ListPartitionReassignmentsRequest, handle>,
          "Answers that nothing is being moved."};
}

}  // namespace iolab::handlers
