#include "broker/storage/transaction_outcomes.h"

#include <algorithm>
#include <limits>

#include "broker/protocol/transaction_marker.h"

namespace iolab::storage {
void TransactionOutcomes::see(const protocol::BatchView& batch) {
  if (!batch.is_transactional() || !batch.has_producer()) return;
  if (!batch.is_control()) {
    open_.try_emplace(batch.producer_id(), batch.base_offset());
    return;
  }
  const auto marker = protocol::marker_of(batch);
  const auto ended = open_.find(batch.producer_id());
  if (ended == open_.end() || !marker) return;
  if (!marker->commit) aborted_[batch.producer_id()].push_back({ended->second, batch.base_offset()});
  open_.erase(ended);
}

std::int64_t TransactionOutcomes::open_from() const {
  std::int64_t first = std::numeric_limits<std::int64_t>::max();
  for (const auto& [producer_id, offset] : open_) first = std::min(first, offset);
  return first;
}

bool TransactionOutcomes::was_aborted(const protocol::BatchView& batch) const {
  if (!batch.is_transactional() || batch.is_control()) return false;
  const auto found = aborted_.find(batch.producer_id());
  if (found == aborted_.end()) return false;
  const auto ended = std::ranges::upper_bound(found->second, batch.base_offset(), {}, &Aborted::marker_offset);
  return ended != found->second.end() && batch.base_offset() >= ended->first_offset;
}

}  // namespace iolab::storage
