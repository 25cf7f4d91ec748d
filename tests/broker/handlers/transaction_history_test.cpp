// Random histories of several transactional ids, with zombies, timeouts, crashes and clean stops in between, held
// against what the producers were told: a failure here names the seed and the step.
#include <gtest/gtest.h>

#include <array>
#include <random>
#include <set>

#include "tests/broker/handlers/transaction_requests.h"

namespace iolab::handlers {
namespace {

using protocol::ErrorCode;
using test::TestBroker;
using test::TransactionalProducer;

constexpr std::int32_t kPartitions = 2;
constexpr std::int64_t kTimeoutMs = 10'000;

// One transactional id: who uses it now, who did before, and what it has written and not yet ended.
struct Writer {
  explicit Writer(TestBroker& broker, const std::string& id) : current(broker, id), zombie(broker, id) {}

  TransactionalProducer current, zombie;
  bool started = false;
  std::int64_t open_since_ms = -1;  // -1: it has no transaction
  std::vector<std::pair<std::int32_t, std::int64_t>> open = {};
  std::int64_t offset = -1;  // committed within it; -1: none
};

class History {
 public:
  explicit History(std::uint64_t seed) : random_(seed) {
    broker_.create("t", kPartitions);
    test::find_coordinators(broker_);
  }

  void step() {
    Writer& writer = writers_.at(random_() % writers_.size());
    switch (random_() % 16) {
      case 0: return restart();
      case 1: return start(writer);
      case 2: return try_zombie(writer);
      case 3: return pass_time(static_cast<std::int64_t>(random_() % 8000));
      case 4:
      case 5:
      case 6: return end(writer, random_() % 3 != 0);
      case 7: return commit_offset(writer);
      default: return write(writer, static_cast<std::int32_t>(random_() % kPartitions));
    }
  }

  // What readers of committed records see is what was committed, no more and no less, as far as they may read.
  void check() {
    for (std::int32_t partition = 0; partition < kPartitions; ++partition) {
      std::int64_t end = std::numeric_limits<std::int64_t>::max();
      for (const Writer& writer : writers_) {
        for (const auto& [where, offset] : writer.open) {
          if (where == partition) end = std::min(end, offset);
        }
      }
      std::vector<std::int64_t> expected;
      for (const std::int64_t offset : committed_[static_cast<std::size_t>(partition)]) {
        if (offset < end) expected.push_back(offset);
      }
      ASSERT_EQ(test::committed_in(broker_, "t", partition), expected) << "partition " << partition;
    }
    ASSERT_EQ(test::fetch_offset(broker_, "t", 0).committed_offset, group_offset_);
  }

  void end_all() {
    pass_time(kTimeoutMs);
    for (Writer& writer : writers_) EXPECT_TRUE(writer.open.empty());
    for (std::int32_t i = 0; i < kPartitions; ++i) EXPECT_FALSE(test::has_open_transaction(broker_, "t", i));
  }
  std::size_t committed() const { return committed_[0].size() + committed_[1].size(); }

 private:
  void restart() {
    if (random_() % 2 == 0) {
      broker_.crash_and_reopen();
    } else {
      broker_.close_and_reopen();
    }
  }

  void start(Writer& writer) {
    writer.zombie = writer.started ? writer.current : writer.zombie;
    const bool again = writer.started && random_() % 2 == 0;
    ASSERT_EQ(writer.current.init(again, kTimeoutMs), ErrorCode::none);
    writer.started = true;
    forget_open(writer);
  }

  void write(Writer& writer, std::int32_t partition) {
    if (!writer.started) return;
    ASSERT_EQ(writer.current.add("t", partition), ErrorCode::none);
    ASSERT_EQ(writer.current.produce("t", partition), ErrorCode::none);
    if (writer.open_since_ms < 0) writer.open_since_ms = broker_.clock.steady_ms;
    writer.open.emplace_back(partition, writer.current.last_offset);
  }

  void commit_offset(Writer& writer) {
    if (!writer.started) return;
    ASSERT_EQ(writer.current.add_offsets(), ErrorCode::none);
    writer.offset = ++offsets_;
    ASSERT_EQ(writer.current.commit_offset("t", writer.offset), ErrorCode::none);
    if (writer.open_since_ms < 0) writer.open_since_ms = broker_.clock.steady_ms;
  }

  void end(Writer& writer, bool commit) {
    if (writer.open_since_ms < 0) return;
    ASSERT_EQ(writer.current.end(commit), ErrorCode::none);
    ASSERT_EQ(writer.current.end(commit), ErrorCode::none) << "asked once more";
    if (commit) {
      for (const auto& [partition, offset] : writer.open) {
        committed_[static_cast<std::size_t>(partition)].insert(offset);
      }
      // Of two commits the one that came later to the log counts, whenever its transaction ended.
      group_offset_ = std::max(group_offset_, writer.offset);
    }
    forget_open(writer);
  }

  void try_zombie(Writer& writer) {
    if (writer.zombie.producer.epoch < 0 || writer.zombie.producer == writer.current.producer) return;
    ASSERT_NE(writer.zombie.add("t", 0), ErrorCode::none);
    ASSERT_NE(writer.zombie.produce("t", 0), ErrorCode::none);
    ASSERT_NE(writer.zombie.commit_offset("t", 1'000'000), ErrorCode::none);
    ASSERT_NE(writer.zombie.end(true), ErrorCode::none);
  }

  // Who has been open for too long is fenced, and has to start over as one who does not say what it had.
  void pass_time(std::int64_t milliseconds) {
    broker_.clock.advance(milliseconds);
    test::settle(broker_);
    for (Writer& writer : writers_) {
      if (writer.open_since_ms < 0 || broker_.clock.steady_ms - writer.open_since_ms < kTimeoutMs) continue;
      ASSERT_EQ(writer.current.end(true), ErrorCode::producer_fenced);
      writer.zombie = writer.current;
      writer.started = false;
      forget_open(writer);
    }
  }

  static void forget_open(Writer& writer) {
    writer.open_since_ms = writer.offset = -1;
    writer.open.clear();
  }

  std::mt19937_64 random_;
  TestBroker broker_;
  std::vector<Writer> writers_ = make_writers();
  std::array<std::set<std::int64_t>, kPartitions> committed_;
  std::int64_t offsets_ = 0, group_offset_ = -1;

  std::vector<Writer> make_writers() {
    std::vector<Writer> writers;
    for (const char* id : {"a", "b", "c"}) writers.emplace_back(broker_, id);
    return writers;
  }
};

TEST(TransactionHistory, WhatProducersWereToldIsWhatReadersSee) {
  SCOPED_TRACE("some order of transactions, zombies, timeouts and restarts shows readers too much or too little");
  std::size_t committed = 0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    History history(seed);
    for (int step = 1; step <= 200; ++step) {
      SCOPED_TRACE("seed " + std::to_string(seed) + ", step " + std::to_string(step));
      history.step();
      if (step % 4 == 0) history.check();
      if (::testing::Test::HasFailure()) return;
    }
    history.end_all();
    history.check();
    committed += history.committed();
  }
  EXPECT_GT(committed, 200U) << "hardly anything was committed, so this test proves little";
}

}  // namespace
}  // namespace iolab::handlers
