// Committed offsets: taken, told, deleted, and the end of transactions that have some.
#include <algorithm>

#include "broker/core/groups/coordinator.h"

namespace iolab::core {

using protocol::ErrorCode;

namespace {

// Kafka's translation of what a log answers into what whoever commits understands.
ErrorCode for_committer(ErrorCode code) {
  switch (code) {
    case ErrorCode::message_too_large: return ErrorCode::invalid_commit_offset_size;
    case ErrorCode::invalid_producer_epoch:
    case ErrorCode::invalid_txn_state: return code;  // of a transaction: its producer is told
    default: return ErrorCode::not_coordinator;
  }
}

void refuse_rest(std::vector<OffsetToCommit>& offsets, ErrorCode code) {
  for (OffsetToCommit& offset : offsets) {
    if (offset.error == ErrorCode::none) offset.error = code;
  }
}

}  // namespace

void GroupCoordinator::commit(const CommitAsk& ask, std::vector<OffsetToCommit>& offsets,
                              const std::shared_ptr<CommitWait>& wait, GroupCall call) {
  if (const ErrorCode code = availability(); code != ErrorCode::none) return refuse_rest(offsets, code);
  const bool transactional = ask.producer.id >= 0;
  const std::scoped_lock lock(mutex_);
  Entry* entry = find(ask.group);
  if (entry == nullptr && ask.generation >= 0) return refuse_rest(offsets, ErrorCode::illegal_generation);
  if (entry != nullptr) {
    const ErrorCode code = entry->group.check_commit(ask.who, ask.generation, transactional, call.now.steady_ms);
    if (code != ErrorCode::none) return refuse_rest(offsets, code);
  }
  std::vector<InternalRecord> records;
  std::vector<OffsetToCommit*> written;
  for (OffsetToCommit& offset : offsets) {
    if (offset.error != ErrorCode::none) continue;
    auto record = record_of(OffsetCommitKey{ask.group, offset.where.topic, offset.where.partition}, &offset.value);
    if (!record) {
      offset.error = ErrorCode::invalid_commit_offset_size;
      continue;
    }
    records.push_back(std::move(*record));
    written.push_back(&offset);
  }
  if (records.empty()) return;
  const auto first = log_.append(records, call.now, wait, call.wakeups, ask.producer);
  if (!first) return refuse_rest(offsets, for_committer(first.error()));
  if (entry == nullptr) entry = &find_or_make(ask.group);
  for (std::size_t i = 0; i < written.size(); ++i) {
    const std::int64_t log_offset = *first + static_cast<std::int64_t>(i);
    if (transactional) {
      entry->offsets.apply_pending(ask.producer.id, written[i]->where, written[i]->value, log_offset);
    } else {
      entry->offsets.apply(written[i]->where, written[i]->value, log_offset);
    }
  }
  if (transactional) transactions_[ask.producer.id].insert(entry->name);
}

std::vector<FetchedOffset> GroupCoordinator::fetch(const std::string& group,
                                                   const std::optional<std::vector<TopicPartition>>& wanted,
                                                   bool require_stable) const {
  std::vector<FetchedOffset> found;
  const std::scoped_lock lock(mutex_);
  const Entry* entry = find(group);
  const auto add = [&](const TopicPartition& where) {
    FetchedOffset& offset = found.emplace_back();
    offset.where = where;
    if (entry == nullptr) return;
    if (require_stable && entry->offsets.is_pending(where)) {
      offset.error = ErrorCode::unstable_offset_commit;
      return;
    }
    const OffsetTable::Committed* known = entry->offsets.find(where);
    if (known == nullptr) return;
    offset.offset = known->value.offset;
    offset.leader_epoch = known->value.leader_epoch;
    offset.metadata = known->value.metadata;
  };
  if (wanted) {
    for (const TopicPartition& where : *wanted) add(where);
  } else if (entry != nullptr) {
    for (const auto& [where, offset] : entry->offsets.all()) add(where);
    for (const TopicPartition& where : entry->offsets.pending()) {
      if (entry->offsets.find(where) == nullptr) add(where);
    }
  }
  return found;
}

ErrorCode GroupCoordinator::delete_offsets(const std::string& group, std::vector<OffsetToCommit>& offsets,
                                           const std::shared_ptr<CommitWait>& wait, GroupCall call) {
  if (const ErrorCode code = availability(); code != ErrorCode::none) return code;
  const std::scoped_lock lock(mutex_);
  Entry* entry = find(group);
  if (entry == nullptr) return ErrorCode::group_id_not_found;
  std::set<std::string> subscribed;
  if (!entry->group.members().empty()) {
    if (entry->group.protocol_type() != "consumer") return ErrorCode::non_empty_group;
    for (const auto& [id, member] : entry->group.members()) {
      for (const GroupProtocol& protocol : member.protocols) {
        const auto topics = subscribed_topics(protocol.metadata);
        if (!topics) return ErrorCode::non_empty_group;  // it cannot be known what it reads
        subscribed.insert(topics->begin(), topics->end());
      }
    }
  }
  std::vector<TopicPartition> gone;
  for (OffsetToCommit& offset : offsets) {
    if (offset.error != ErrorCode::none) continue;
    if (subscribed.contains(offset.where.topic)) {
      offset.error = ErrorCode::group_subscribed_to_topic;
    } else if (entry->offsets.find(offset.where) != nullptr) {
      gone.push_back(offset.where);
    }
  }
  if (!gone.empty() && !forget(*entry, gone, false, wait, call)) return ErrorCode::not_coordinator;
  return ErrorCode::none;
}

std::expected<void, ErrorCode> GroupCoordinator::end_transaction(
    std::int64_t producer_id, bool commit, const std::function<std::expected<void, ErrorCode>()>& append_marker) {
  if (const ErrorCode code = availability(); code != ErrorCode::none) return std::unexpected(code);
  const std::scoped_lock lock(mutex_);
  if (auto done = append_marker(); !done) return done;
  end(producer_id, commit);
  return {};
}

}  // namespace iolab::core
