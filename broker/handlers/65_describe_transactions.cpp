// DescribeTransactions, version 0: what the coordinator knows of some transactional ids, each on its own.
#include "broker/protocol/messages/65_describe_transactions.h"

#include "broker/handlers/entries.h"
#include "broker/handlers/transaction_answers.h"

namespace iolab::handlers {
namespace {

using protocol::DescribeTransactionsRequest;
using protocol::DescribeTransactionsResponse;
using protocol::ErrorCode;
using Told = DescribeTransactionsResponse::Transaction;

void refuse(DescribeTransactionsResponse& response) {
  for (Told& told : response.transaction_states) {
    told = Told{.error_code = ErrorCode::not_coordinator,
                .transactional_id = std::move(told.transactional_id),
                .transaction_state = {},
                .topics = {}};
  }
}

Told describe(const core::TransactionCoordinator& coordinator, std::string id) {
  Told told;
  told.transactional_id = std::move(id);
  if (told.transactional_id.empty()) {
    told.error_code = ErrorCode::invalid_request;
    return told;
  }
  told.error_code = coordinator.availability();
  if (told.error_code != ErrorCode::none) return told;
  const auto found = coordinator.find(told.transactional_id);
  if (!found) {
    told.error_code = ErrorCode::transactional_id_not_found;
    return told;
  }
  told.transaction_state = core::name_of(found->state());
  told.transaction_timeout_ms = found->timeout_ms();
  told.transaction_start_time_ms = found->start_ms();
  told.producer_id = found->producer().id;
  told.producer_epoch = found->producer().epoch;
  for (auto& topic : core::by_topic(found->partitions())) {
    told.topics.push_back({.topic = std::move(topic.topic), .partitions = std::move(topic.partition_ids)});
  }
  return told;
}

Outcome handle(Request& request, DescribeTransactionsRequest& wanted, base::GatherBuffer& out) {
  core::TransactionCoordinator& coordinator = request.broker.transactions();
  DescribeTransactionsResponse response;
  for (std::string& id : wanted.transactional_ids) {
    response.transaction_states.push_back(describe(coordinator, std::move(id)));
  }
  return tell_after_sync(request, coordinator, std::move(response), refuse, out);
}

}  // namespace

ApiEntry describe_transactions() {
  return {&protocol::kDescribeTransactions, decode_and_handle<DescribeTransactionsRequest, handle>,
          "State, producer, timeout, and the partitions of an open transaction."};
}

}  // namespace iolab::handlers
