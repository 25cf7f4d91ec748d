// ListTransactions, versions 0 to 1: all transactional ids, or those in some states, of some producers, or (version 1
// on) whose transaction has been open for longer than a time.
//
// Behaviour    Names of states that do not exist are handed back; if only such were asked for, nothing is found.
#include "broker/protocol/messages/66_list_transactions.h"

#include <algorithm>

#include "broker/handlers/entries.h"
#include "broker/handlers/transaction_answers.h"

namespace iolab::handlers {
namespace {

using protocol::ErrorCode;
using protocol::ListTransactionsRequest;
using protocol::ListTransactionsResponse;

void refuse(ListTransactionsResponse& response) {
  response.error_code = ErrorCode::coordinator_not_available;
  response.transaction_states.clear();
}

bool is_wanted(const ListTransactionsRequest& wanted, const core::Transaction& transaction, std::int64_t wall_ms) {
  const auto has = [](const auto& filter, const auto& value) {
    return filter.empty() || std::ranges::find(filter, value) != filter.end();
  };
  if (!has(wanted.state_filters, core::name_of(transaction.state()))) return false;
  if (!has(wanted.producer_id_filters, transaction.producer().id)) return false;
  if (wanted.duration_filter < 0) return true;
  return !transaction.is_idle() && wall_ms - transaction.start_ms() > wanted.duration_filter;
}

Outcome handle(Request& request, ListTransactionsRequest& wanted, base::GatherBuffer& out) {
  core::TransactionCoordinator& coordinator = request.broker.transactions();
  ListTransactionsResponse response;
  const ErrorCode code = coordinator.availability();
  if (code == ErrorCode::coordinator_not_available) response.error_code = code;  // before the first one there are none
  for (const std::string& name : wanted.state_filters) {
    if (!core::transaction_state_of(name)) response.unknown_state_filters.push_back(name);
  }
  for (auto& [id, transaction] : coordinator.all()) {
    if (!is_wanted(wanted, transaction, request.now.wall_ms)) continue;
    response.transaction_states.push_back({.transactional_id = std::move(id),
                                           .producer_id = transaction.producer().id,
                                           .transaction_state = std::string(core::name_of(transaction.state()))});
  }
  return tell_after_sync(request, coordinator, std::move(response), refuse, out);
}

}  // namespace

ApiEntry list_transactions() {
  return {&protocol::kListTransactions, decode_and_handle<ListTransactionsRequest, handle>,
          "All transactional ids, or by state, producer and (version 1 on) duration."};
}

}  // namespace iolab::handlers
