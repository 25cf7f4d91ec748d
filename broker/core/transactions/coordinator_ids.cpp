// Transactional ids as a whole: what is told of them, and what age takes.
#include "broker/core/transactions/coordinator.h"

namespace iolab::core {

using protocol::ErrorCode;

std::optional<Transaction> TransactionCoordinator::find(std::string_view transactional_id) const {
  const std::scoped_lock lock(mutex_);
  const Entry* found = find_entry(transactional_id);
  return found == nullptr ? std::nullopt : std::optional(found->transaction);
}

std::vector<std::pair<std::string, Transaction>> TransactionCoordinator::all() const {
  std::vector<std::pair<std::string, Transaction>> all;
  const std::scoped_lock lock(mutex_);
  all.reserve(entries_.size());
  for (const auto& [id, entry] : entries_) all.emplace_back(id, entry->transaction);
  return all;
}

void TransactionCoordinator::expire(TransactionCall call) {
  if (availability() != ErrorCode::none) return;
  const std::scoped_lock lock(mutex_);
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const Transaction& transaction = entry->second->transaction;
    const std::int64_t unused_ms = call.now.wall_ms - transaction.last_update_ms();
    const bool ends = transaction.is_idle() && unused_ms >= settings_.transactional_id_expiration_ms &&
                      append(entry->first, nullptr, nullptr, call) == ErrorCode::none;
    entry = ends ? erase(entry) : std::next(entry);
  }
}

}  // namespace iolab::core
