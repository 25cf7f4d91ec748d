// Idempotent producers: a failure here means that a record is stored twice, or that a healthy producer is refused.
#include "broker/core/producer_states.h"

#include <gtest/gtest.h>

#include <limits>

#include "broker/core/producer_snapshot.h"

namespace iolab::core {
namespace {

using protocol::ErrorCode;

constexpr std::int32_t kLast = std::numeric_limits<std::int32_t>::max();

ProducerBatch batch(std::int32_t first, std::int32_t records = 1, std::int16_t epoch = 0, std::int64_t id = 1) {
  return {.producer_id = id, .epoch = epoch, .first_sequence = first, .records = records};
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
  states.apply({}, 2, 3000);
  EXPECT_EQ(states.size(), 2U) << "a batch without a producer left something behind";
  states.expire(2000);
  EXPECT_EQ(states.size(), 1U);
  EXPECT_EQ(states.check(batch(5, 1, 0, 1)).value(), std::nullopt);
  EXPECT_EQ(states.check(batch(0, 1, 0, 2)).value(), 1);
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
  const std::string whole = write_producer_snapshot(states, 14);
  for (std::size_t at = 0; at + 1 < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    EXPECT_FALSE(read_producer_snapshot(damaged)) << "byte " << at << " was changed: " << damaged;
    EXPECT_FALSE(read_producer_snapshot(whole.substr(0, at))) << "cut after " << at;
  }
}

}  // namespace
}  // namespace iolab::core
