// Deadlines and waits: a failure here means a long poll that never ends, or a thread that wakes for nothing.
#include "broker/core/waits.h"

#include <gtest/gtest.h>

#include "broker/core/deadlines.h"
#include "tests/broker/core/test_broker.h"

namespace iolab::core {
namespace {

using test::CountingSleeper;

TEST(Deadlines, TheSleeperIsRungOnlyForAnEarlierOne) {
  // Fails if the timer thread oversleeps a deadline, or is woken for each long poll.
  Deadlines deadlines;
  const auto timer = std::make_shared<CountingSleeper>();
  deadlines.set_sleeper(timer);
  EXPECT_EQ(deadlines.next(), Deadlines::kNever);
  const auto first = deadlines.add(100, nullptr);
  EXPECT_EQ(timer->rings, 1);
  (void)deadlines.add(200, nullptr);
  EXPECT_EQ(timer->rings, 1) << "it will be awake before that";
  (void)deadlines.add(50, nullptr);
  EXPECT_EQ(timer->rings, 2);
  deadlines.remove(first);
  EXPECT_EQ(timer->rings, 2);
  EXPECT_EQ(deadlines.next(), 50);
}

TEST(Deadlines, WhatIsDueIsWokenOnceInItsTime) {
  // Fails if a wait ends early, twice, or never.
  Deadlines deadlines;
  const auto early = std::make_shared<CountingSleeper>();
  const auto late = std::make_shared<CountingSleeper>();
  const auto removed = std::make_shared<CountingSleeper>();
  (void)deadlines.add(100, early);
  (void)deadlines.add(101, late);
  deadlines.remove(deadlines.add(100, removed));
  const auto run = [&](std::int64_t now) {
    Wakeups due;
    deadlines.collect_due(now, due);
  };
  run(99);
  EXPECT_EQ(early->rings, 0);
  run(100);
  EXPECT_EQ(early->rings, 1);
  EXPECT_EQ(late->rings, 0);
  run(500);
  EXPECT_EQ(early->rings, 1);
  EXPECT_EQ(late->rings, 1);
  EXPECT_EQ(removed->rings, 0);
  EXPECT_EQ(deadlines.next(), Deadlines::kNever);
}

TEST(DataWait, RingsOnceWhenEnoughHasArrived) {
  // Fails if min_bytes is not waited for, or if every append rings.
  const auto sleeper = std::make_shared<CountingSleeper>();
  DataWait wait(sleeper);
  wait.arm(100);
  const auto arrive = [&](std::int64_t bytes) {
    Wakeups wakeups;
    wait.arrived(bytes, wakeups);
  };
  EXPECT_FALSE(wait.found(40)) << "40 of 100 were there";
  arrive(59);
  EXPECT_EQ(sleeper->rings, 0);
  arrive(1);
  EXPECT_EQ(sleeper->rings, 1);
  arrive(1000);
  EXPECT_EQ(sleeper->rings, 1);
  wait.arm(10);
  EXPECT_FALSE(wait.rung());
  EXPECT_TRUE(wait.found(10));
}

TEST(CommitWait, EndsWithTheLastPartition) {
  // Fails if an acknowledgement leaves before all of its partitions are on the disk.
  const auto sleeper = std::make_shared<CountingSleeper>();
  CommitWait wait(sleeper);
  wait.expect_one_more();
  wait.expect_one_more();
  EXPECT_FALSE(wait.one_done(true)) << "the maker's own";
  const auto done = [&](bool success) {
    Wakeups wakeups;
    wait.one_done(success, wakeups);
  };
  done(true);
  EXPECT_FALSE(wait.over());
  done(false);
  EXPECT_TRUE(wait.over());
  EXPECT_TRUE(wait.failed());
  EXPECT_EQ(sleeper->rings, 1);
}

}  // namespace
}  // namespace iolab::core
