#include "broker/core/partition_transactions.h"

#include <algorithm>

namespace iolab::core {

void PartitionTransactions::end(std::int64_t producer_id, std::int64_t first_offset, std::int64_t marker_offset,
                                bool aborted) {
  open_.erase(first_offset);
  ending_.push_back({marker_offset, first_offset});
  if (!aborted) return;
  const std::int64_t stable = open_.empty() ? marker_offset + 1 : *open_.begin();
  aborted_.push_back({producer_id, first_offset, marker_offset, stable});
}

void PartitionTransactions::settle(std::int64_t high_watermark) {
  while (!ending_.empty() && ending_.front().marker_offset < high_watermark) ending_.pop_front();
}

std::int64_t PartitionTransactions::last_stable_offset(std::int64_t high_watermark) const {
  std::int64_t stable = high_watermark;
  if (!open_.empty()) stable = std::min(stable, *open_.begin());
  for (const Ending& ending : ending_) stable = std::min(stable, ending.first_offset);
  return stable;
}

std::vector<AbortedTransaction> PartitionTransactions::aborted_in(std::int64_t from, std::int64_t to) const {
  std::vector<AbortedTransaction> found;
  auto next = std::ranges::lower_bound(aborted_, from, {}, &AbortedTransaction::last_offset);
  for (; next != aborted_.end(); ++next) {
    if (next->first_offset < to) found.push_back(*next);
    if (next->last_stable_offset >= to) break;  // what follows begins behind it
  }
  return found;
}

void PartitionTransactions::forget_before(std::int64_t log_start) {
  while (!aborted_.empty() && aborted_.front().last_offset < log_start) aborted_.pop_front();
}

}  // namespace iolab::core
