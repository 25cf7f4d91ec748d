// One transactional id and its records: a failure here means that two producers write in one name, that a transaction
// ends in two ways, or that a restart reads something else than what was written.
#include "broker/core/transactions/transaction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace iolab::core {
namespace {

using protocol::ErrorCode;
using State = TransactionState;
using ::testing::HasSubstr;

constexpr std::int64_t kWallMs = 1'700'000'000'000;
constexpr Moment kNow{kWallMs, 5000};
constexpr ProducerIdentity kNobody{};
constexpr ProducerIdentity kOwner{7, 3};
constexpr std::int64_t kFreshId = 1000;
const TopicPartition kHere{"t", 0}, kThere{"t", 1};

TransactionValue value(State status, ProducerIdentity producer = kOwner, std::int64_t start_ms = kWallMs) {
  TransactionValue made{.producer_id = producer.id,
                        .producer_epoch = producer.epoch,
                        .timeout_ms = 60'000,
                        .status = status,
                        .partitions = std::nullopt,
                        .last_update_ms = kWallMs,
                        .start_ms = status == State::empty ? -1 : start_ms};
  if (status == State::complete_commit || status == State::complete_abort) made.partitions.emplace();
  if (status != State::empty && !made.partitions) made.partitions = by_topic({kHere});
  return made;
}

Transaction in(State status, ProducerIdentity producer = kOwner) {
  Transaction made;
  made.apply(value(status, producer), kNow);
  return made;
}

std::string said(const Transaction::Decision& decision) {
  if (!decision) return std::string(protocol::name(decision.error()));
  return *decision ? std::string(name_of((*decision)->status)) : "done";
}
std::string said(const std::expected<Transaction::Start, ErrorCode>& started) {
  if (!started) return std::string(protocol::name(started.error()));
  return std::string(name_of(started->value.status)) + " " + std::to_string(started->value.producer_id) + "/" +
         std::to_string(started->value.producer_epoch);
}

TEST(Transaction, EveryStateAnswersEveryRequest) {
  SCOPED_TRACE("a decision can be changed, or made without a transaction, or something is begun while another ends");
  struct Row {
    State state;
    const char *starts, *starts_again, *adds, *adds_known, *commits, *aborts;
  };
  const Row rows[] = {
      {State::empty, "Empty 7/4", "Empty 7/4", "Ongoing", "Ongoing", "INVALID_TXN_STATE", "INVALID_TXN_STATE"},
      {State::ongoing, "PrepareAbort 7/4", "PrepareAbort 7/4", "Ongoing", "done", "PrepareCommit", "PrepareAbort"},
      {State::prepare_commit, "CONCURRENT_TRANSACTIONS", "CONCURRENT_TRANSACTIONS", "CONCURRENT_TRANSACTIONS",
       "CONCURRENT_TRANSACTIONS", "CONCURRENT_TRANSACTIONS", "INVALID_TXN_STATE"},
      {State::prepare_abort, "CONCURRENT_TRANSACTIONS", "CONCURRENT_TRANSACTIONS", "CONCURRENT_TRANSACTIONS",
       "CONCURRENT_TRANSACTIONS", "INVALID_TXN_STATE", "CONCURRENT_TRANSACTIONS"},
      {State::complete_commit, "Empty 7/4", "Empty 7/4", "Ongoing", "Ongoing", "done", "INVALID_TXN_STATE"},
      {State::complete_abort, "Empty 7/4", "Empty 7/4", "Ongoing", "Ongoing", "INVALID_TXN_STATE", "done"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(name_of(row.state));
    const Transaction transaction = in(row.state);
    EXPECT_EQ(said(transaction.start(1000, kNobody, kFreshId, kWallMs)), row.starts);
    EXPECT_EQ(said(transaction.start(1000, kOwner, kFreshId, kWallMs)), row.starts_again);
    EXPECT_EQ(said(transaction.add(kOwner, {kThere}, kWallMs)), row.adds);
    EXPECT_EQ(said(transaction.add(kOwner, {kHere}, kWallMs)), row.adds_known);
    EXPECT_EQ(said(transaction.add(kOwner, {}, kWallMs)), transaction.is_prepared() ? row.adds : "done");
    EXPECT_EQ(said(transaction.end(kOwner, true, kWallMs)), row.commits);
    EXPECT_EQ(said(transaction.end(kOwner, false, kWallMs)), row.aborts);
  }
}

TEST(Transaction, StrangersAndZombiesAreRefusedInEveryState) {
  SCOPED_TRACE("somebody who never had the id, or has it no more, changes anything");
  for (const State state : {State::empty, State::ongoing, State::complete_commit, State::complete_abort}) {
    SCOPED_TRACE(name_of(state));
    const Transaction transaction = in(state);
    for (const std::int16_t epoch : {std::int16_t{2}, std::int16_t{4}}) {
      EXPECT_EQ(said(transaction.start(1000, {7, epoch}, kFreshId, kWallMs)), "PRODUCER_FENCED");
      EXPECT_EQ(said(transaction.add({7, epoch}, {kHere}, kWallMs)), "PRODUCER_FENCED");
      EXPECT_EQ(said(transaction.end({7, epoch}, true, kWallMs)), "PRODUCER_FENCED");
      EXPECT_EQ(transaction.verify({7, epoch}, kHere), ErrorCode::invalid_producer_epoch);
    }
    EXPECT_EQ(said(transaction.start(1000, {8, 3}, kFreshId, kWallMs)), "PRODUCER_FENCED");
    EXPECT_EQ(said(transaction.add({8, 3}, {kHere}, kWallMs)), "INVALID_PRODUCER_ID_MAPPING");
    EXPECT_EQ(said(transaction.end({8, 3}, true, kWallMs)), "INVALID_PRODUCER_ID_MAPPING");
    EXPECT_EQ(transaction.verify({8, 3}, kHere), ErrorCode::invalid_producer_id_mapping);
  }
}

TEST(Transaction, OnlyWhatWasAddedMayBeWrittenTo) {
  SCOPED_TRACE("a batch is let in that no marker would end");
  EXPECT_EQ(in(State::ongoing).verify(kOwner, kHere), ErrorCode::none);
  EXPECT_EQ(in(State::ongoing).verify(kOwner, kThere), ErrorCode::invalid_txn_state);
  EXPECT_EQ(in(State::empty).verify(kOwner, kHere), ErrorCode::invalid_txn_state);
  EXPECT_EQ(in(State::complete_commit).verify(kOwner, kHere), ErrorCode::invalid_txn_state);
  EXPECT_EQ(in(State::prepare_commit).verify(kOwner, kHere), ErrorCode::not_enough_replicas);
}

TEST(Transaction, AProducerThatLostItsAnswerGetsItOnceMore) {
  SCOPED_TRACE("a lost answer fences its producer, or who was replaced gets the identity of who replaced it");
  Transaction transaction = in(State::empty);
  const auto first = transaction.start(1000, kOwner, kFreshId, kWallMs);
  ASSERT_EQ(said(first), "Empty 7/4");
  transaction.apply(first->value, kNow, first->previous);
  EXPECT_EQ(said(transaction.start(1000, kOwner, kFreshId, kWallMs)), "Empty 7/4");
  EXPECT_EQ(said(transaction.start(1000, {7, 4}, kFreshId, kWallMs)), "Empty 7/5");

  const auto other = transaction.start(1000, kNobody, kFreshId, kWallMs);
  ASSERT_EQ(said(other), "Empty 7/5");
  transaction.apply(other->value, kNow, other->previous);
  EXPECT_EQ(said(transaction.start(1000, {7, 4}, kFreshId, kWallMs)), "PRODUCER_FENCED");
  EXPECT_EQ(said(transaction.start(1000, kOwner, kFreshId, kWallMs)), "PRODUCER_FENCED");
}

TEST(Transaction, WhoStartsOverInItsOwnTransactionComesAgain) {
  SCOPED_TRACE("a producer that was told to come again is taken for a zombie, or gets the epoch that fenced it");
  Transaction transaction = in(State::ongoing);
  const auto started = transaction.start(1000, kOwner, kFreshId, kWallMs);
  ASSERT_EQ(said(started), "PrepareAbort 7/4");
  transaction.apply(started->value, kNow, started->previous);
  EXPECT_EQ(said(transaction.start(1000, kOwner, kFreshId, kWallMs)), "CONCURRENT_TRANSACTIONS");
  transaction.apply(transaction.completed(kWallMs), kNow);
  EXPECT_EQ(transaction.state(), State::complete_abort);
  EXPECT_EQ(said(transaction.end(kOwner, false, kWallMs)), "PRODUCER_FENCED");
  EXPECT_EQ(said(transaction.start(1000, kOwner, kFreshId, kWallMs)), "Empty 7/5");
}

TEST(Transaction, ANewIdFollowsTheLastEpoch) {
  SCOPED_TRACE("an epoch wraps around, so that a zombie is taken for the producer of today");
  constexpr ProducerIdentity kLast{7, Transaction::kLastEpoch - 1};
  Transaction transaction = in(State::complete_commit, kLast);
  const auto started = transaction.start(1000, kLast, kFreshId, kWallMs);
  ASSERT_EQ(said(started), "Empty 1000/0");
  transaction.apply(started->value, kNow, started->previous);
  EXPECT_EQ(said(transaction.start(1000, kLast, 2000, kWallMs)), "Empty 1000/0") << "its answer was lost";

  transaction = in(State::ongoing, kLast);
  transaction.apply(transaction.fenced(kWallMs), kNow);
  EXPECT_EQ(transaction.producer().epoch, Transaction::kLastEpoch);
  transaction.apply(transaction.completed(kWallMs), kNow);
  EXPECT_EQ(said(transaction.start(1000, kNobody, kFreshId, kWallMs)), "Empty 1000/0");
}

TEST(Transaction, AnIdThatWasForgottenFencesNobody) {
  SCOPED_TRACE("a producer that slept longer than ids are remembered cannot go on");
  EXPECT_EQ(said(Transaction().start(1000, kNobody, kFreshId, kWallMs)), "Empty 1000/0");
  EXPECT_EQ(said(Transaction().start(1000, kOwner, kFreshId, kWallMs)), "Empty 1000/0");
}

TEST(Transaction, ItsTimeBeginsWithItsFirstPartition) {
  SCOPED_TRACE("a transaction lives longer because partitions are added, or because the broker is started anew");
  Transaction transaction = in(State::empty);
  EXPECT_EQ(transaction.deadline_ms(), Deadlines::kNever);
  transaction.apply(**transaction.add(kOwner, {kHere}, kWallMs), kNow);
  EXPECT_EQ(transaction.deadline_ms(), kNow.steady_ms + 60'000);
  transaction.apply(**transaction.add(kOwner, {kThere}, kWallMs + 10'000), {kWallMs + 10'000, 15'000});
  EXPECT_EQ(transaction.deadline_ms(), kNow.steady_ms + 60'000);
  EXPECT_EQ(transaction.start_ms(), kWallMs);
  EXPECT_EQ(transaction.partitions().size(), 2U);

  Transaction again;
  again.apply(value(State::ongoing), {kWallMs + 50'000, 100});
  EXPECT_EQ(again.deadline_ms(), 10'100);
  Transaction late;
  late.apply(value(State::ongoing), {kWallMs + 500'000, 100});
  EXPECT_EQ(late.deadline_ms(), 100);
  Transaction clock_was_set_back;
  clock_was_set_back.apply(value(State::ongoing), {kWallMs - 500'000, 100});
  EXPECT_EQ(clock_was_set_back.deadline_ms(), 60'100);
  transaction.apply(**transaction.end(kOwner, true, kWallMs), kNow);
  EXPECT_EQ(transaction.deadline_ms(), Deadlines::kNever);
}

std::vector<std::byte> bytes_of(std::initializer_list<int> values) {
  std::vector<std::byte> bytes;
  for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

TransactionRecord read_back(const InternalRecord& record) {
  protocol::Record read;
  read.key = base::Bytes(record.key);
  if (record.value) read.value = base::Bytes(*record.value);
  const auto found = read_transaction_record(read);
  EXPECT_TRUE(found) << found.error();
  return found ? *found : TransactionRecord{};
}

TEST(TransactionRecords, AreKafkasBytes) {
  SCOPED_TRACE("another reader of this topic would read something else, byte for byte");
  const TransactionValue ongoing{.producer_id = 0x0102030405060708,
                                 .producer_epoch = 3,
                                 .timeout_ms = 60'000,
                                 .status = State::ongoing,
                                 .partitions = by_topic({{"u", 5}, {"tt", 0}, {"tt", 1}}),
                                 .last_update_ms = 0x11,
                                 .start_ms = 0x10};
  const auto record = record_of(TransactionKey{"my-id"}, &ongoing);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->key, bytes_of({0, 0, 0, 5, 'm', 'y', '-', 'i', 'd'}));
  EXPECT_EQ(*record->value, bytes_of({0, 0,                                                     // version
                                      1, 2, 3,    4,    5, 6, 7, 8,                             // producer id
                                      0, 3,                                                     // epoch
                                      0, 0, 0xea, 0x60,                                         // timeout
                                      1,                                                        // ongoing
                                      0, 0, 0,    2,                                            // topics
                                      0, 2, 't',  't',  0, 0, 0, 2,    0, 0, 0, 0, 0, 0, 0, 1,  // two partitions of tt
                                      0, 1, 'u',  0,    0, 0, 1, 0,    0, 0, 5,                 // one of u
                                      0, 0, 0,    0,    0, 0, 0, 0x11,                          // last update
                                      0, 0, 0,    0,    0, 0, 0, 0x10}));                       // start
  const TransactionRecord read = read_back(*record);
  EXPECT_EQ(read.key.transactional_id, "my-id");
  EXPECT_EQ(read.value, ongoing);

  const TransactionValue empty{.producer_id = 1,
                               .producer_epoch = 0,
                               .timeout_ms = 1,
                               .status = State::empty,
                               .partitions = std::nullopt,
                               .last_update_ms = 2,
                               .start_ms = -1};
  const auto of_empty = record_of(TransactionKey{"i"}, &empty);
  ASSERT_TRUE(of_empty);
  EXPECT_EQ(*of_empty->value,
            bytes_of({0,    0,    0, 0, 0, 0, 0, 0, 0, 1, 0,    0,    0,    0,    0,    1,    0,    0xff, 0xff,
                      0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}));
  EXPECT_EQ(read_back(*of_empty).value, empty);

  const auto tombstone = record_of(TransactionKey{"i"}, nullptr);
  ASSERT_TRUE(tombstone);
  EXPECT_FALSE(tombstone->value);
  EXPECT_FALSE(read_back(*tombstone).value);
}

TEST(TransactionRecords, WhatIsUnknownIsSaidAndNotGuessed) {
  SCOPED_TRACE("the record of a newer broker, or a damaged one, is read as something that it is not");
  const auto error_of = [](std::vector<std::byte> key, std::optional<std::vector<std::byte>> value) {
    protocol::Record read;
    read.key = base::Bytes(key);
    if (value) read.value = base::Bytes(*value);
    const auto found = read_transaction_record(read);
    return found ? std::string() : found.error();
  };
  const TransactionValue value{};
  const InternalRecord good = *record_of(TransactionKey{"i"}, &value);
  EXPECT_EQ(error_of(good.key, good.value), "");
  EXPECT_EQ(error_of(bytes_of({0, 1, 0, 1, 'i'}), good.value), "its key has version 1");
  EXPECT_THAT(error_of(bytes_of({0, 0, 0, 9, 'i'}), good.value), HasSubstr("transactional_id"));
  auto newer = *good.value;
  newer[1] = std::byte{1};
  EXPECT_EQ(error_of(good.key, newer), "its value has version 1");
  for (const int status : {6, 7, 8, -1}) {
    auto strange = *good.value;
    strange[16] = static_cast<std::byte>(status);
    EXPECT_EQ(error_of(good.key, strange), "its state has the number " + std::to_string(status));
  }
  auto cut = *good.value;
  cut.pop_back();
  EXPECT_THAT(error_of(good.key, cut), HasSubstr("start_ms"));
  EXPECT_NE(error_of(good.key, std::vector<std::byte>{}), "");
}

TEST(TransactionStates, HaveKafkasNames) {
  SCOPED_TRACE("an operator cannot ask for a state by the name that he is told");
  for (int number = 0; number <= 7; ++number) {
    const auto state = static_cast<State>(number);
    EXPECT_EQ(transaction_state_of(name_of(state)), state);
  }
  EXPECT_EQ(name_of(State::prepare_commit), "PrepareCommit");
  EXPECT_FALSE(transaction_state_of("ongoing"));
}

}  // namespace
}  // namespace iolab::core
