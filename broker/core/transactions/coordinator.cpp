#include "broker/core/transactions/coordinator.h"

#include "broker/base/log.h"

namespace iolab::core {

using protocol::ErrorCode;

namespace {

// Kafka's translation of what a log answers into what producers understand.
ErrorCode for_producers(ErrorCode code) {
  switch (code) {
    case ErrorCode::message_too_large: return ErrorCode::unknown_server_error;
    default: return ErrorCode::not_coordinator;
  }
}

}  // namespace

TransactionCoordinator::TransactionCoordinator(const BrokerSettings& settings, RandomSource& random,
                                               Deadlines& deadlines, FlushQueue& flushes, const TopicTable& topics,
                                               GroupCoordinator& groups)
    : settings_(settings),
      random_(random),
      deadlines_(deadlines),
      flushes_(flushes),
      topics_(topics),
      groups_(groups) {}

ErrorCode TransactionCoordinator::availability() const {
  switch (loading_.load()) {
    case Loading::not_yet: return ErrorCode::not_coordinator;
    case Loading::failed: return ErrorCode::coordinator_not_available;
    case Loading::done: return ErrorCode::none;
  }
  return ErrorCode::none;
}

std::expected<void, ErrorCode> TransactionCoordinator::await_sync(const std::shared_ptr<CommitWait>& wait) {
  return log_.await_sync(wait);
}

bool TransactionCoordinator::load(const TopicPointer& topic, base::BufferPool& buffers, Moment now) {
  Wakeups nobody_waits_yet;
  return change([&] {
    if (loading_.load() != Loading::not_yet) return loading_.load() == Loading::done;
    log_.attach(topic->partitions.at(0), topic->settings.max_message_bytes);
    const auto done = log_.replay(
        buffers, [&](const protocol::BatchView& batch, const protocol::Record& record) { apply(batch, record, now); });
    if (!done) {
      base::log::error(done.error(), {{"state", "no transaction is coordinated"}});
      loading_.store(Loading::failed);
      return false;
    }
    TransactionCall call{now, nobody_waits_yet};
    for (const auto& [id, found] : entries_) {
      if (found->transaction.is_prepared()) {
        base::log::info("a transaction that was being ended is finished", {{"transactional_id", id}});
        found->unmarked = found->transaction.partitions();
        mark(*found, call);
      }
      schedule(*found);
    }
    loading_.store(Loading::done);
    return true;
  });
}

void TransactionCoordinator::apply(const protocol::BatchView& batch, const protocol::Record& record, Moment now) {
  if (batch.is_control()) return;
  const auto read = read_transaction_record(record);
  if (!read) {
    base::log::warning("a record of the topic of transactions was passed over",
                       {{"offset", record.offset}, {"why", read.error()}});
  } else if (read->value) {
    find_or_make(read->key.transactional_id).transaction.apply(*read->value, now);
  } else if (const auto found = entries_.find(read->key.transactional_id); found != entries_.end()) {
    erase(found);
  }
}

TransactionCoordinator::Entry* TransactionCoordinator::find_entry(std::string_view id) const {
  const auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : found->second.get();
}

TransactionCoordinator::Entry& TransactionCoordinator::find_or_make(const std::string& id) {
  auto& found = entries_[id];
  if (!found) found = std::make_unique<Entry>(id);
  return *found;
}

TransactionCoordinator::Entries::iterator TransactionCoordinator::erase(Entries::iterator entry) {
  agenda_.remove(*entry->second);
  return entries_.erase(entry);
}

ErrorCode TransactionCoordinator::append(const std::string& id, const TransactionValue* value,
                                         const std::shared_ptr<CommitWait>& wait, TransactionCall& call) {
  const auto record = record_of(TransactionKey{id}, value);
  if (!record) return ErrorCode::unknown_server_error;
  const auto done = log_.append({&*record, 1}, call.now, wait, call.wakeups);
  if (done) return ErrorCode::none;
  base::log::error("a transaction's state could not be stored",
                   {{"transactional_id", id}, {"error", static_cast<std::int16_t>(done.error())}});
  return for_producers(done.error());
}

ErrorCode TransactionCoordinator::store(Entry& entry, const TransactionValue& value,
                                        const std::shared_ptr<CommitWait>& wait, TransactionCall& call,
                                        const ProducerIdentity& previous) {
  if (const ErrorCode code = append(entry.name, &value, wait, call); code != ErrorCode::none) return code;
  entry.transaction.apply(value, call.now, previous);
  schedule(entry);
  return ErrorCode::none;
}

std::expected<ProducerIdentity, ErrorCode> TransactionCoordinator::start(const TransactionClaim& claim,
                                                                         std::int32_t timeout_ms,
                                                                         const std::shared_ptr<CommitWait>& wait,
                                                                         TransactionCall call) {
  if (claim.transactional_id.empty()) return std::unexpected(ErrorCode::invalid_request);
  if ((claim.producer.id < 0) != (claim.producer.epoch < 0)) return std::unexpected(ErrorCode::invalid_request);
  if (const ErrorCode code = availability(); code != ErrorCode::none) return std::unexpected(code);
  if (timeout_ms <= 0 || timeout_ms > settings_.transaction_max_timeout_ms) {
    return std::unexpected(ErrorCode::invalid_transaction_timeout);
  }
  const auto fresh_id = static_cast<std::int64_t>(random_.next() >> 1);
  return change([&]() -> std::expected<ProducerIdentity, ErrorCode> {
    Entry& entry = find_or_make(claim.transactional_id);
    const auto decide = [&] { return entry.transaction.start(timeout_ms, claim.producer, fresh_id, call.now.wall_ms); };
    auto decided = decide();
    if (decided && decided->value.status == TransactionState::prepare_abort) {
      const ErrorCode code = prepare(entry, decided->value, call, decided->previous);
      if (code != ErrorCode::none) return std::unexpected(code);
      decided = decide();  // it may be over already
    }
    if (!decided) return std::unexpected(decided.error());
    const ErrorCode code = store(entry, decided->value, wait, call, decided->previous);
    if (code == ErrorCode::none) return entry.transaction.producer();
    if (entry.transaction.producer().epoch < 0) erase(entries_.find(claim.transactional_id));
    return std::unexpected(code);
  });
}

ErrorCode TransactionCoordinator::add(const TransactionClaim& claim, const std::vector<TopicPartition>& partitions,
                                      const std::shared_ptr<CommitWait>& wait, TransactionCall call) {
  if (claim.transactional_id.empty()) return ErrorCode::invalid_request;
  if (const ErrorCode code = availability(); code != ErrorCode::none) return code;
  return change([&] {
    Entry* found = find_entry(claim.transactional_id);
    if (found == nullptr) return ErrorCode::invalid_producer_id_mapping;
    const auto decided = found->transaction.add(claim.producer, partitions, call.now.wall_ms);
    if (!decided) return decided.error();
    if (*decided) return store(*found, **decided, wait, call);
    if (wait && !log_.await_sync(wait)) return ErrorCode::not_coordinator;  // it may not be on the disk yet
    return ErrorCode::none;
  });
}

ErrorCode TransactionCoordinator::end(const TransactionClaim& claim, bool commit, const PendingEnd& pending,
                                      TransactionCall call) {
  if (claim.transactional_id.empty()) return ErrorCode::invalid_request;
  if (const ErrorCode code = availability(); code != ErrorCode::none) return code;
  return change([&] {
    Entry* found = find_entry(claim.transactional_id);
    if (found == nullptr) return ErrorCode::invalid_producer_id_mapping;
    const auto decided = found->transaction.end(claim.producer, commit, call.now.wall_ms);
    if (!decided) return decided.error();
    if (!*decided) {
      pending->give({}, call.wakeups);
      return ErrorCode::none;
    }
    found->asked = pending;
    const ErrorCode code = prepare(*found, **decided, call);
    if (code != ErrorCode::none) found->asked.reset();
    return code;
  });
}

ErrorCode TransactionCoordinator::verify(std::string_view transactional_id, std::int64_t producer_id,
                                         std::int16_t epoch, const TopicPartition& where) const {
  if (availability() != ErrorCode::none) return ErrorCode::not_enough_replicas;  // which a producer tries again
  const std::scoped_lock lock(mutex_);
  const Entry* found = find_entry(transactional_id);
  return found == nullptr ? ErrorCode::invalid_producer_id_mapping
                          : found->transaction.verify({producer_id, epoch}, where);
}

}  // namespace iolab::core
