#include "broker/core/transactions/transaction.h"

#include <algorithm>

namespace iolab::core {

using protocol::ErrorCode;
using State = TransactionState;

namespace {

bool is_exhausted(std::int16_t epoch) {
  return epoch >= Transaction::kLastEpoch - 1;
}

std::int16_t next(std::int16_t epoch) {
  return static_cast<std::int16_t>(epoch + 1);
}

}  // namespace

TransactionValue Transaction::value_of(State status, std::int64_t wall_ms) const {
  TransactionValue value{.producer_id = producer_.id,
                         .producer_epoch = producer_.epoch,
                         .timeout_ms = timeout_ms_,
                         .status = status,
                         .partitions = std::nullopt,
                         .last_update_ms = wall_ms,
                         .start_ms = start_ms_};
  if (status != State::empty) value.partitions = by_topic(partitions_);
  return value;
}

std::expected<Transaction::Start, ErrorCode> Transaction::start(std::int32_t timeout_ms, const ProducerIdentity& had,
                                                                std::int64_t fresh_id, std::int64_t wall_ms) const {
  const bool is_unused = producer_.epoch < 0;
  const bool says_what_it_had = had.id >= 0 && !is_unused;  // an id that was forgotten fences nobody
  const bool is_current = had == producer_;
  const bool asks_again = had == previous_;  // it never got the answer
  if (is_prepared()) return std::unexpected(ErrorCode::concurrent_transactions);
  if (says_what_it_had && !is_current && !asks_again) return std::unexpected(ErrorCode::producer_fenced);
  if (state_ == State::ongoing) return Start{fenced(wall_ms), says_what_it_had ? had : ProducerIdentity{}};

  Start started{value_of(State::empty, wall_ms), {}};
  started.value.timeout_ms = timeout_ms;
  started.value.start_ms = -1;
  if (says_what_it_had) started.previous = had;
  if (says_what_it_had && asks_again && state_ == State::empty) return started;
  if (is_unused || is_exhausted(producer_.epoch)) {
    started.value.producer_id = fresh_id;
    started.value.producer_epoch = 0;
  } else {
    started.value.producer_epoch = next(producer_.epoch);
  }
  return started;
}

ErrorCode Transaction::check(const ProducerIdentity& who) const {
  if (who.id != producer_.id) return ErrorCode::invalid_producer_id_mapping;
  return who.epoch == producer_.epoch ? ErrorCode::none : ErrorCode::producer_fenced;
}

Transaction::Decision Transaction::add(const ProducerIdentity& who, const std::vector<TopicPartition>& more,
                                       std::int64_t wall_ms) const {
  if (const ErrorCode code = check(who); code != ErrorCode::none) return std::unexpected(code);
  if (is_prepared()) return std::unexpected(ErrorCode::concurrent_transactions);
  const bool begins = state_ != State::ongoing;
  const bool has_all = std::ranges::all_of(more, [&](const auto& where) { return partitions_.contains(where); });
  if (more.empty() || (!begins && has_all)) return std::nullopt;
  std::set<TopicPartition> partitions = partitions_;
  partitions.insert(more.begin(), more.end());
  TransactionValue value = value_of(State::ongoing, wall_ms);
  value.partitions = by_topic(partitions);
  if (begins) value.start_ms = wall_ms;
  return value;
}

Transaction::Decision Transaction::end(const ProducerIdentity& who, bool commit, std::int64_t wall_ms) const {
  if (const ErrorCode code = check(who); code != ErrorCode::none) return std::unexpected(code);
  const State prepared = commit ? State::prepare_commit : State::prepare_abort;
  const State complete = commit ? State::complete_commit : State::complete_abort;
  if (state_ == State::ongoing) return value_of(prepared, wall_ms);
  if (state_ == prepared) return std::unexpected(ErrorCode::concurrent_transactions);
  if (state_ == complete) return std::nullopt;  // it asks again: the answer was lost
  return std::unexpected(ErrorCode::invalid_txn_state);
}

TransactionValue Transaction::fenced(std::int64_t wall_ms) const {
  TransactionValue value = value_of(State::prepare_abort, wall_ms);
  value.producer_epoch = next(producer_.epoch);
  return value;
}

TransactionValue Transaction::completed(std::int64_t wall_ms) const {
  const bool commit = state_ == State::prepare_commit;
  TransactionValue value = value_of(commit ? State::complete_commit : State::complete_abort, wall_ms);
  value.partitions.emplace();
  return value;
}

void Transaction::apply(const TransactionValue& value, Moment now, const ProducerIdentity& previous) {
  if (value.status != State::ongoing) {
    deadline_ms_ = Deadlines::kNever;
  } else if (state_ != State::ongoing) {  // after a restart it goes on from when it began
    const std::int64_t left_ms = value.start_ms + value.timeout_ms - now.wall_ms;
    deadline_ms_ = Deadlines::after(now.steady_ms, std::clamp<std::int64_t>(left_ms, 0, value.timeout_ms));
  }
  state_ = value.status;
  producer_ = {value.producer_id, value.producer_epoch};
  const bool was_completed = is_idle() && state_ != State::empty;
  if (!was_completed) previous_ = previous;
  timeout_ms_ = value.timeout_ms;
  partitions_ = partitions_of(value);
  last_update_ms_ = value.last_update_ms;
  start_ms_ = value.start_ms;
}

ErrorCode Transaction::verify(const ProducerIdentity& who, const TopicPartition& where) const {
  if (who.id != producer_.id) return ErrorCode::invalid_producer_id_mapping;
  if (who.epoch != producer_.epoch) return ErrorCode::invalid_producer_epoch;
  // It is being ended, and the batch comes late: whoever retries it will be told what became of it.
  if (is_prepared()) return ErrorCode::not_enough_replicas;
  return state_ == State::ongoing && partitions_.contains(where) ? ErrorCode::none : ErrorCode::invalid_txn_state;
}

}  // namespace iolab::core
