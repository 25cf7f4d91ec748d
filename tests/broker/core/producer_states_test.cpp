// Idempotent and transactional producers: a failure here means that a record is stored twice, that a healthy producer
// is refused, or that one that was replaced is not.
#include "broker/core/producer_states.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "broker/core/producer_snapshot.h"

namespace iolab::core {
namespace {

using protocol::ErrorCode;

constexpr std::int32_t kLast = std::numeric_limits<std::int32_t>::max();

ProducerBatch batch(std::int32_t first, std::int32_t records = 1, std::int16_t epoch = 0, std::int64_t id = 1) {
  return {.producer_id = id, .epoch = epoch, .first_sequence = first, .records = records};
}

ProducerBatch transactional(std::int32_t first, std::int32_t records = 1, std::int16_t epoch = 0, std::int64_t id = 1) {
  ProducerBatch made = batch(first, records, epoch, id);
  made.transactional = true;
  return made;
}

protocol::TransactionMarker marker(bool commit, std::int16_t epoch = 0, std::int64_t id = 1,
                                   std::int32_t coordinator_epoch = 0) {
  return {id, epoch, coordinator_epoch, commit};
}

TEST(ProducerStates, ABatchOfTheLastFiveIsFoundAgain) {
  // Fails if a retry is appended a second time, or is answered with another offset than the first one.
  ProducerStates states;
  for (int i = 0; i < 7; ++i) {
    ASSERT_EQ(states.check(batch(i * 3, 3)).value(), std::nullopt) << "the next batch was not accepted";
    states.apply(batch(i * 3, 3), 100 + i * 3, 0);
  }
  for (int i = 2; i < 7; ++i) EXPECT_EQ(states.check(batch(i * 3, 3)).value(), 100 + i * 3);
  EXPECT_EQ(states.check(batch(3, 3)).error(), ErrorCode::out_of_order_sequence_number) << "the sixth is forgotten";
  EXPECT_EQ(states.check(batch(18, 2)).error(), ErrorCode::out_of_order_sequence_number)
      << "the same start with another length is another batch";
}

TEST(ProducerStates, TheOrderOfTheChecks) {
  // Fails if epoch and sequence are judged in another order than Kafka's.
  ProducerStates states;
  EXPECT_EQ(states.check(batch(77)).value(), std::nullopt) << "an unknown producer may begin anywhere";
  states.apply(batch(0, 10, 5), 0, 0);
  EXPECT_EQ(states.check(batch(10, 1, 4)).error(), ErrorCode::invalid_producer_epoch);
  EXPECT_EQ(states.check(batch(0, 10, 4)).error(), ErrorCode::invalid_producer_epoch)
      << "a duplicate of an older epoch is none";
  EXPECT_EQ(states.check(batch(10, 1, 6)).error(), ErrorCode::out_of_order_sequence_number)
      << "a new epoch begins at 0";
  EXPECT_EQ(states.check(batch(0, 1, 6)).value(), std::nullopt);
  EXPECT_EQ(states.check(batch(11, 1, 5)).error(), ErrorCode::out_of_order_sequence_number) << "a gap";
  EXPECT_EQ(states.check(batch(10, 1, 5)).value(), std::nullopt);
  states.apply(batch(0, 1, 6), 10, 0);
  EXPECT_EQ(states.check(batch(10, 1, 5)).error(), ErrorCode::invalid_producer_epoch);
}

TEST(ProducerStates, SequencesWrap) {
  // Fails if a producer is refused after its two-thousand-millionth record.
  ProducerStates states;
  states.apply(batch(kLast - 1, 4), 0, 0);  // kLast-1, kLast, 0, 1
  EXPECT_EQ(batch(kLast - 1, 4).last_sequence(), 1);
  EXPECT_EQ(states.check(batch(2)).value(), std::nullopt);
  EXPECT_EQ(states.check(batch(kLast - 1, 4)).value(), 0);
  ProducerStates at_the_end;
  at_the_end.apply(batch(kLast), 0, 0);
  EXPECT_EQ(at_the_end.check(batch(0)).value(), std::nullopt);
}

TEST(ProducerStates, SilentProducersAreForgotten) {
  // Fails if memory grows with every producer that ever was.
  ProducerStates states;
  states.apply(batch(0, 1, 0, 1), 0, 1000);
  states.apply(batch(0, 1, 0, 2), 1, 2000);
  states.apply(ProducerBatch{}, 2, 3000);
  EXPECT_EQ(states.size(), 2U) << "a batch without a producer left something behind";
  states.expire(2000);
  EXPECT_EQ(states.size(), 1U);
  EXPECT_EQ(states.check(batch(5, 1, 0, 1)).value(), std::nullopt);
  EXPECT_EQ(states.check(batch(0, 1, 0, 2)).value(), 1);
}

TEST(ProducerStates, SequencesGoOnAfterAMarker) {
  SCOPED_TRACE("fails if the second transaction of a producer is refused, or a retry from the first is stored again");
  ProducerStates states;
  states.apply(transactional(0, 2), 0, 0);
  states.apply(transactional(2, 2), 2, 0);
  states.apply(marker(true), 4, 0);
  EXPECT_EQ(states.check(transactional(2, 2)).value(), 2);
  EXPECT_EQ(states.check(transactional(0)).error(), ErrorCode::out_of_order_sequence_number);
  EXPECT_EQ(states.check(transactional(4)).value(), std::nullopt);
}

TEST(ProducerStates, AMarkerOfAHigherEpochFences) {
  SCOPED_TRACE("fails if a producer that was replaced can still write, or its successor cannot begin");
  ProducerStates states;
  states.apply(transactional(0, 2, 5), 0, 0);
  EXPECT_EQ(states.check(marker(false, 4)).error(), ErrorCode::invalid_producer_epoch);
  EXPECT_TRUE(states.check(marker(false, 6)));
  states.apply(marker(false, 6), 2, 0);
  EXPECT_EQ(states.check(transactional(2, 1, 5)).error(), ErrorCode::invalid_producer_epoch);
  EXPECT_EQ(states.check(transactional(0, 2, 5)).error(), ErrorCode::invalid_producer_epoch)
      << "a retry of a replaced producer is none";
  EXPECT_EQ(states.check(marker(false, 5)).error(), ErrorCode::invalid_producer_epoch);
  for (const auto epoch : {std::int16_t{6}, std::int16_t{7}}) {
    EXPECT_EQ(states.check(transactional(2, 1, epoch)).error(), ErrorCode::out_of_order_sequence_number);
    EXPECT_EQ(states.check(transactional(0, 1, epoch)).value(), std::nullopt);
  }
}

TEST(ProducerStates, AnOlderCoordinatorIsFenced) {
  SCOPED_TRACE("fails if a coordinator that was replaced can still end transactions");
  ProducerStates states;
  EXPECT_TRUE(states.check(marker(true, 0, 1, 3))) << "of a producer that has not been here";
  states.apply(marker(true, 0, 1, 3), 0, 0);
  EXPECT_EQ(states.check(marker(true, 0, 1, 2)).error(), ErrorCode::transaction_coordinator_fenced);
  EXPECT_TRUE(states.check(marker(true, 0, 1, 3)));
}

TEST(ProducerStates, InsideATransactionEverythingBelongsToIt) {
  SCOPED_TRACE("fails if a batch outside of the open transaction is taken, or one after it is refused");
  ProducerStates states;
  states.apply(transactional(0), 10, 0);
  EXPECT_EQ(states.check(batch(1)).error(), ErrorCode::invalid_txn_state);
  EXPECT_EQ(states.check(batch(2)).error(), ErrorCode::out_of_order_sequence_number) << "the sequence comes first";
  EXPECT_EQ(states.check(batch(0)).value(), 10) << "a retry comes before everything";
  EXPECT_EQ(states.check(transactional(1)).value(), std::nullopt);
  states.apply(marker(true), 11, 0);
  EXPECT_EQ(states.check(batch(1)).value(), std::nullopt);
}

TEST(ProducerStates, WhatACoordinatorWritesHasNoSequence) {
  SCOPED_TRACE("fails if offsets that a transaction commits are taken for retries, or are not part of it");
  ProducerStates states;
  const ProducerBatch offsets{.producer_id = 1, .epoch = 2, .first_sequence = -1, .records = 3, .transactional = true};
  for (std::int64_t offset : {0, 3}) {
    EXPECT_EQ(states.check(offsets).value(), std::nullopt);
    states.apply(offsets, offset, 0);
  }
  EXPECT_EQ(states.find(1)->transaction_offset, 0);
  EXPECT_EQ(states.find(1)->last_sequence(), -1);
  states.apply(marker(false, 3), 6, 0);
  EXPECT_EQ(states.check(offsets).error(), ErrorCode::invalid_producer_epoch);
  EXPECT_EQ(states.transactions().aborted().size(), 1U);
}

TEST(ProducerStates, AnOpenTransactionIsNotForgotten) {
  SCOPED_TRACE("fails if a transaction hangs for ever because nobody knows its producer any more");
  ProducerStates states;
  states.apply(transactional(0, 1, 0, 1), 0, 1000);
  states.apply(transactional(0, 1, 0, 2), 1, 1000);
  states.apply(marker(true, 0, 2), 2, 1000);
  states.expire(5000);
  EXPECT_NE(states.find(1), nullptr);
  EXPECT_EQ(states.find(2), nullptr);
  EXPECT_EQ(states.transactions().last_stable_offset(9), 0);
}

TEST(PartitionTransactions, StableIsWhatIsDecidedBelowTheHighWatermark) {
  SCOPED_TRACE("fails if a reader of committed records gets ahead of a decision, or waits for one that has been made");
  PartitionTransactions transactions;
  EXPECT_EQ(transactions.last_stable_offset(5), 5);
  transactions.begin(5);
  transactions.begin(8);
  EXPECT_EQ(transactions.last_stable_offset(5), 5);
  EXPECT_EQ(transactions.last_stable_offset(10), 5);
  transactions.end(1, 5, 10, false);
  transactions.settle(10);
  EXPECT_EQ(transactions.last_stable_offset(10), 5) << "a power cut may still take the marker back";
  transactions.settle(11);
  EXPECT_EQ(transactions.last_stable_offset(11), 8);
  transactions.end(2, 8, 11, true);
  transactions.settle(12);
  EXPECT_EQ(transactions.last_stable_offset(12), 12);
}

TEST(PartitionTransactions, AbortedOnesAreFoundByWhatTheyOverlap) {
  SCOPED_TRACE("fails if a reader is not told of an aborted transaction that it meets, or the search goes on for ever");
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    PartitionTransactions transactions;
    std::vector<AbortedTransaction> all;
    std::vector<std::pair<std::int64_t, std::int64_t>> open;  // producer id and first offset
    std::int64_t offset = 0;
    for (; offset < 200; ++offset) {
      if (random() % 2 == 0) {
        open.emplace_back(offset, offset);
        transactions.begin(offset);
      } else if (!open.empty()) {
        const auto ended = open.begin() + static_cast<std::ptrdiff_t>(random() % open.size());
        const bool aborted = random() % 2 == 0;
        transactions.end(ended->first, ended->second, offset, aborted);
        if (aborted) all.push_back({ended->first, ended->second, offset, 0});
        open.erase(ended);
      }
    }
    for (int i = 0; i < 100; ++i) {
      const auto from = static_cast<std::int64_t>(random() % 200);
      const std::int64_t to = from + static_cast<std::int64_t>(random() % 60);
      std::vector<std::int64_t> expected;
      for (const AbortedTransaction& one : all) {
        if (one.last_offset >= from && one.first_offset < to) expected.push_back(one.producer_id);
      }
      std::vector<std::int64_t> found;
      for (const AbortedTransaction& one : transactions.aborted_in(from, to)) found.push_back(one.producer_id);
      ASSERT_EQ(found, expected) << "in " << from << " to " << to;
    }
    transactions.forget_before(100);
    EXPECT_TRUE(transactions.aborted().empty() || transactions.aborted().front().last_offset >= 100);
  }
}

TEST(ProducerSnapshot, SaysWhichTransactionsAreOpenAndWhichWereAborted) {
  SCOPED_TRACE("fails if a restart forgets a transaction, a marker or a coordinator");
  ProducerStates states;
  states.apply(transactional(0, 2, 0, 1), 0, 5);
  states.apply(transactional(0, 1, 3, 2), 2, 6);
  states.apply(marker(false, 4, 2, 7), 3, 8);
  const auto read = read_producer_snapshot(write_producer_snapshot(states, 4));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->states.find(1)->transaction_offset, 0);
  EXPECT_EQ(read->states.transactions().last_stable_offset(4), 0);
  EXPECT_EQ(read->states.transactions().aborted(), states.transactions().aborted());
  EXPECT_EQ(read->states.find(2)->marker_offset, 3);
  EXPECT_EQ(read->states.check(marker(false, 4, 2, 6)).error(), ErrorCode::transaction_coordinator_fenced);
  EXPECT_EQ(read->states.check(transactional(1, 1, 3, 2)).error(), ErrorCode::invalid_producer_epoch);
  EXPECT_EQ(read->states.find(2)->wall_ms, 8);
}

TEST(ProducerSnapshot, SaysWhatWasKnown) {
  // Fails if a restart forgets a producer, or remembers its batches in another order.
  ProducerStates states;
  for (int i = 0; i < 8; ++i) states.apply(batch(i, 1, 3, 42), i, 5);
  states.apply(batch(0, 9, 0, 43), 8, 6);
  const auto read = read_producer_snapshot(write_producer_snapshot(states, 17));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->offset, 17);
  EXPECT_EQ(read->states.check(batch(3, 1, 3, 42)).value(), 3);
  EXPECT_EQ(read->states.check(batch(8, 1, 3, 42)).value(), std::nullopt);
  EXPECT_EQ(read->states.check(batch(2, 1, 3, 42)).error(), ErrorCode::out_of_order_sequence_number);
  EXPECT_EQ(read->states.check(batch(9, 1, 0, 43)).value(), std::nullopt);
}

TEST(ProducerSnapshot, DamageIsNoticed) {
  // Fails if a snapshot with any wrong byte is believed.
  ProducerStates states;
  states.apply(batch(7, 3), 11, 5);
  states.apply(transactional(0, 3, 0, 2), 14, 5);
  states.apply(marker(false, 0, 2), 17, 5);
  const std::string whole = write_producer_snapshot(states, 18);
  for (std::size_t at = 0; at + 1 < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    EXPECT_FALSE(read_producer_snapshot(damaged)) << "byte " << at << " was changed: " << damaged;
    EXPECT_FALSE(read_producer_snapshot(whole.substr(0, at))) << "cut after " << at;
  }
}

}  // namespace
}  // namespace iolab::core
