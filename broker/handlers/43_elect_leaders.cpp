// ElectLeaders, versions 0 to 2: there is one broker, which leads every partition: no election is ever needed.
//
// Behaviour    A partition that exists is ELECTION_NOT_NEEDED. Where all partitions are asked for, only those that get
// a
//              new leader are answered, as Kafka does: none.
#include "broker/protocol/messages/43_elect_leaders.h"

#include "broker/handlers/entries.h"

namespace iolab::handlers {
namespace {

using protocol::ElectLeadersRequest;
using protocol::ElectLeadersResponse;
using protocol::ErrorCode;

Outcome handle(Request& request, ElectLeadersRequest& wanted, base::GatherBuffer& out) {
  ElectLeadersResponse response;
  if (!wanted.topic_partitions) return answer(request, response, out);
  for (const auto& asked : *wanted.topic_partitions) {
    const core::TopicPointer topic = request.broker.topics().find(asked.topic);
    auto& answers = response.replica_election_results.emplace_back();
    answers.topic = asked.topic;
    for (const std::int32_t index : asked.partitions) {
      const bool known = topic && topic->partition(index) != nullptr;
      answers.partition_result.push_back(
          {.partition_id = index,
           .error_code = known ? ErrorCode::election_not_needed : ErrorCode::unknown_topic_or_partition,
           .error_message = known ? "this broker leads it, and there is no other" : "there is no such partition"});
    }
  }
  return answer(request, response, out);
}

}  // namespace

ApiEntry elect_leaders() {
  return {&protocol::kElectLeaders, decode_and_handle<ElectLeadersRequest, handle>,
          "Answers ELECTION_NOT_NEEDED: this broker leads every partition."};
}

}  // namespace iolab::handlers
