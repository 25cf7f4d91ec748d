#include "broker/core/groups/offset_table.h"

#include <algorithm>
#include <set>

namespace iolab::core {

void OffsetTable::apply(const TopicPartition& where, const OffsetCommitValue& value, std::int64_t log_offset) {
  Committed& entry = committed_[where];
  if (log_offset >= entry.log_offset) entry = {value, log_offset};
}

void OffsetTable::forget(const TopicPartition& where) {
  committed_.erase(where);
  for (auto entry = pending_.begin(); entry != pending_.end();) {
    entry->second.erase(where);
    entry = entry->second.empty() ? pending_.erase(entry) : std::next(entry);
  }
}

void OffsetTable::apply_pending(std::int64_t producer_id, const TopicPartition& where, const OffsetCommitValue& value,
                                std::int64_t log_offset) {
  pending_[producer_id][where] = {value, log_offset};
}

void OffsetTable::end(std::int64_t producer_id, bool commit) {
  const auto found = pending_.find(producer_id);
  if (found == pending_.end()) return;
  if (commit) {
    for (const auto& [where, entry] : found->second) apply(where, entry.value, entry.log_offset);
  }
  pending_.erase(found);
}

const OffsetTable::Committed* OffsetTable::find(const TopicPartition& where) const {
  const auto found = committed_.find(where);
  return found == committed_.end() ? nullptr : &found->second;
}

bool OffsetTable::is_pending(const TopicPartition& where) const {
  return std::ranges::any_of(pending_, [&](const auto& producer) { return producer.second.contains(where); });
}

std::vector<TopicPartition> OffsetTable::pending() const {
  std::set<TopicPartition> found;
  for (const auto& [producer, offsets] : pending_) {
    for (const auto& [where, entry] : offsets) found.insert(where);
  }
  return {found.begin(), found.end()};
}

}  // namespace iolab::core
