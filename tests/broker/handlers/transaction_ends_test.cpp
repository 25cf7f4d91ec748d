// The end of a transaction, step by step: a failure here means that a crash, a power cut or a failing disk commits one
// half of a transaction and aborts the other, forgets an end that was acknowledged, or leaves one undone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <map>

#include "tests/broker/handlers/transaction_requests.h"

namespace iolab::handlers {
namespace {

namespace fs = std::filesystem;
using protocol::ErrorCode;
using test::Asked;
using test::committed_in;
using test::describe_transaction;
using test::fetch_offset;
using test::find_coordinators;
using test::has_open_transaction;
using test::TestBroker;
using test::TransactionalProducer;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Sizes = std::map<fs::path, std::uintmax_t>;

Sizes log_sizes(const TestBroker& broker) {
  Sizes sizes;
  for (const auto& file : fs::recursive_directory_iterator(broker.directory())) {
    if (file.path().extension() == ".log") sizes[file.path()] = file.file_size();
  }
  return sizes;
}

// A broker that syncs, and a producer in the middle of a transaction over two partitions and a group's offsets.
// Whatever has to be synced so far is.
struct Durable {
  explicit Durable(storage::FileHooks hooks = {}) : broker(core::Overrides{{"iolab.flush", "commit"}}, hooks) {
    broker.create("t", 2);
    find_coordinators(broker);
    EXPECT_EQ(producer.init(), ErrorCode::none);
    producer.write("t", 0);
    producer.write("t", 1);
    EXPECT_EQ(producer.add_offsets(), ErrorCode::none);
    EXPECT_EQ(producer.commit_offset("t", 5), ErrorCode::none);
    broker->run_flushes(broker.clock.now());
    synced = log_sizes(broker);
  }

  Asked send_end(bool commit) { return broker.send(producer.end_request(commit), 3); }
  // The next step without the syncs that it asks for; then those syncs.
  void take_step() {
    for (const auto& work : broker->flushes().take_work()) work->run(broker.clock.now());
  }
  void sync() {
    for (const auto& partition : broker->flushes().take_due(broker.clock.now().steady_ms)) {
      core::Wakeups wakeups;
      partition->flush(wakeups);
    }
    synced = log_sizes(broker);
  }
  // Which logs hold something that no sync has covered.
  std::vector<fs::path> unsynced() const {
    std::vector<fs::path> found;
    for (const auto& [path, bytes] : log_sizes(broker)) {
      if (bytes > synced.at(path)) found.push_back(path);
    }
    return found;
  }

  TestBroker broker;
  TransactionalProducer producer{broker};
  Sizes synced;
};

TEST(TransactionEnds, AStepWaitsForTheSyncOfTheOneBefore) {
  SCOPED_TRACE("a power cut can keep a marker and lose the decision, or keep the completion and lose a marker");
  Durable one;
  Asked ending = one.send_end(true);
  ASSERT_EQ(ending.outcome.kind, Outcome::Kind::parked);
  const auto grown = [&] {
    std::vector<std::string> names;
    for (const fs::path& path : one.unsynced()) names.push_back(path.parent_path().filename());
    return names;
  };
  EXPECT_THAT(grown(), ElementsAre("__transaction_state-0"));
  one.take_step();
  EXPECT_THAT(grown(), ElementsAre("__transaction_state-0")) << "nothing has been synced, so nothing may follow";
  one.sync();
  EXPECT_TRUE(grown().empty());
  EXPECT_EQ(describe_transaction(one.broker).transaction_state, "PrepareCommit");
  EXPECT_EQ(one.producer.add("t", 0), ErrorCode::concurrent_transactions);
}

TEST(TransactionEnds, TheAnswerComesWhenEverythingIsMarked) {
  SCOPED_TRACE("nobody takes the next step when the disk is done, or a producer is told before readers see its end");
  Durable one;
  Asked ending = one.send_end(true);
  EXPECT_TRUE(ending.outcome.parked->holds_back());
  one.sync();
  one.take_step();
  EXPECT_EQ(one.unsynced().size(), 3U) << "two partitions and the offsets are marked";
  EXPECT_FALSE(one.broker.resume(ending));
  one.take_step();
  EXPECT_EQ(one.unsynced().size(), 3U) << "a completion must wait for the sync of the markers";
  one.sync();
  EXPECT_FALSE(one.broker.resume(ending));
  one.take_step();
  ASSERT_TRUE(one.broker.resume(ending));
  EXPECT_EQ(TestBroker::answer_of<protocol::EndTxnResponse>(ending, 3).error_code, ErrorCode::none);
  EXPECT_THAT(committed_in(one.broker, "t", 0), ElementsAre(0));
  EXPECT_EQ(one.producer.add("t", 0), ErrorCode::none) << "the next one may begin at once";
}

// Takes `steps` on the way of an end: 0 asked, 1 decision synced, 2 marked, 3 markers synced, 4 completed.
bool walk(Durable& one, Asked& ending, int steps) {
  if (steps >= 1) one.sync();
  if (steps >= 2) one.take_step();
  if (steps >= 3) one.sync();
  if (steps >= 4) one.take_step();
  return one.broker.resume(ending);
}

// Loses of the unsynced logs those whose bit is set, as a power cut may: of each file alone.
void cut_power(Durable& one, unsigned lost) {
  const auto unsynced = one.unsynced();
  for (std::size_t i = 0; i < unsynced.size(); ++i) {
    if ((lost >> i & 1U) != 0) fs::resize_file(unsynced[i], one.synced.at(unsynced[i]));
  }
  one.broker.crash_and_reopen();
}

TEST(TransactionEnds, APowerCutAtAnyMomentLeavesAllOrNothing) {
  SCOPED_TRACE("after a power cut a transaction is committed in one place and aborted in another");
  int cuts = 0;
  for (const bool commit : {true, false}) {
    for (int steps = 0; steps <= 4; ++steps) {
      for (unsigned lost = 0; lost < 8; ++lost) {
        SCOPED_TRACE((commit ? "commit, step " : "abort, step ") + std::to_string(steps) + ", lost " +
                     std::to_string(lost));
        Durable one;
        Asked ending = one.send_end(commit);
        const bool answered = walk(one, ending, steps);
        if (lost >> one.unsynced().size() != 0) continue;
        cut_power(one, lost);
        ++cuts;
        one.broker.clock.advance(60'000);
        test::settle(one.broker);
        for (const std::int32_t partition : {0, 1}) EXPECT_FALSE(has_open_transaction(one.broker, "t", partition));
        const std::size_t seen = committed_in(one.broker, "t", 0).size();
        EXPECT_EQ(committed_in(one.broker, "t", 1).size(), seen);
        EXPECT_EQ(fetch_offset(one.broker, "t", 0, 7, true).committed_offset, seen == 1 ? 5 : -1);
        if (!commit) {
          EXPECT_EQ(seen, 0U);
        } else if (answered || steps > 0) {
          EXPECT_EQ(seen, 1U) << "it was decided, and on the disk";
        }
        TransactionalProducer next(one.broker);
        EXPECT_EQ(next.init(), ErrorCode::none);
      }
    }
  }
  EXPECT_GT(cuts, 20) << "hardly anything was ever unsynced, so this test proves nothing";
}

TEST(TransactionEnds, ACrashBetweenStepsIsFinishedByTheNextStart) {
  SCOPED_TRACE("what was decided when the process died is never told to the partitions, or is told otherwise");
  for (const bool commit : {true, false}) {
    for (const int steps : {0, 1, 2, 3}) {
      SCOPED_TRACE((commit ? "commit, step " : "abort, step ") + std::to_string(steps));
      Durable one;
      Asked ending = one.send_end(commit);
      EXPECT_FALSE(walk(one, ending, steps));
      one.broker.crash_and_reopen();
      test::settle(one.broker);
      EXPECT_EQ(describe_transaction(one.broker).transaction_state, commit ? "CompleteCommit" : "CompleteAbort");
      EXPECT_EQ(committed_in(one.broker, "t", 1).size(), commit ? 1U : 0U);
      EXPECT_EQ(one.producer.end(commit), ErrorCode::none) << "the producer asks once more";
      EXPECT_EQ(one.producer.end(!commit), ErrorCode::invalid_txn_state);
    }
  }
}

TEST(TransactionEnds, WhoFencesComesAgainWhileTheDiskIsBusy) {
  SCOPED_TRACE("a new producer gets an identity while the old one's transaction is open, or never gets one");
  Durable one;
  protocol::InitProducerIdRequest request;
  request.transactional_id = "tx";
  request.transaction_timeout_ms = 60'000;
  using protocol::InitProducerIdResponse;
  Asked first = one.broker.send(request, 4);
  EXPECT_EQ(TestBroker::answer_of<InitProducerIdResponse>(first, 4).error_code, ErrorCode::concurrent_transactions);
  test::settle(one.broker);
  Asked second = one.broker.send(request, 4);
  ASSERT_EQ(second.outcome.kind, Outcome::Kind::parked) << "an epoch that a power cut could take back is given away";
  one.sync();
  ASSERT_TRUE(one.broker.resume(second));
  const auto given = TestBroker::answer_of<InitProducerIdResponse>(second, 4);
  EXPECT_EQ(given.error_code, ErrorCode::none);
  EXPECT_EQ(given.producer_epoch, 2);
  EXPECT_THAT(committed_in(one.broker, "t", 0), IsEmpty());
}

TEST(TransactionEnds, WhatAProducerRestsOnIsOnTheDisk) {
  SCOPED_TRACE("a producer writes to a partition that a power cut makes its coordinator forget");
  Durable one;
  ASSERT_EQ(one.producer.end(true), ErrorCode::none);
  protocol::AddPartitionsToTxnRequest request;
  request.v3_and_below_transactional_id = "tx";
  request.v3_and_below_producer_id = one.producer.producer.id;
  request.v3_and_below_producer_epoch = one.producer.producer.epoch;
  request.v3_and_below_topics.push_back({.name = "t", .partitions = {0}});
  Asked first = one.broker.send(request, 3);
  EXPECT_EQ(first.outcome.kind, Outcome::Kind::parked);
  Asked again = one.broker.send(request, 3);
  EXPECT_EQ(again.outcome.kind, Outcome::Kind::parked) << "what is repeated is no more durable than the first time";
  one.sync();
  EXPECT_TRUE(one.broker.resume(first) && one.broker.resume(again));
}

std::atomic<bool> syncs_fail = false;
std::atomic<bool> writes_fail = false;

storage::FileHooks failing() {
  syncs_fail = writes_fail = false;
  return {.count = nullptr, .fail = [](storage::FileCall call) {
            if (call == storage::FileCall::fdatasync && syncs_fail) return EIO;
            if (call == storage::FileCall::pwrite && writes_fail) return EIO;
            return 0;
          }};
}

TEST(TransactionEnds, ADecisionThatCannotBeSyncedIsNone) {
  SCOPED_TRACE("a producer is told that it has committed, or is never told anything, when the disk refuses to sync");
  Durable one(failing());
  Asked ending = one.send_end(true);
  syncs_fail = true;
  test::settle(one.broker);
  ASSERT_TRUE(one.broker.resume(ending));
  EXPECT_EQ(TestBroker::answer_of<protocol::EndTxnResponse>(ending, 3).error_code, ErrorCode::not_coordinator);
  EXPECT_THAT(committed_in(one.broker, "t", 0), IsEmpty());
}

TEST(TransactionEnds, APartitionThatCannotBeReachedIsTriedAgain) {
  SCOPED_TRACE("a producer waits for ever for a partition that is offline, or the decision is changed because of it");
  TestBroker broker;
  broker.create("t", 2);
  find_coordinators(broker);
  TransactionalProducer producer(broker);
  ASSERT_EQ(producer.init(), ErrorCode::none);
  producer.write("t", 0);
  producer.write("t", 1);
  for (const auto& [path, bytes] : log_sizes(broker)) {
    if (path.parent_path().filename() == "t-0") fs::resize_file(path, bytes / 2);
  }
  (void)test::fetch_committed(broker, "t", 0);
  (void)broker.ask<protocol::FetchResponse>(test::fetch_request("t", 0, 0), 11);  // finds the damage: it goes offline
  ASSERT_FALSE(broker->topics().find("t")->partition(0)->offsets()) << "it is still there";
  EXPECT_EQ(producer.end(true), ErrorCode::none);
  EXPECT_EQ(describe_transaction(broker).transaction_state, "PrepareCommit");
  EXPECT_THAT(committed_in(broker, "t", 1), ElementsAre(0));
  EXPECT_EQ(producer.add("t", 1), ErrorCode::concurrent_transactions);
  for (int i = 0; i < 3; ++i) {
    broker.clock.advance(1000);
    EXPECT_EQ(broker->run_timers(broker.clock.now()), broker.clock.steady_ms + 1000);
  }
  EXPECT_EQ(broker->topics().find("t")->partition(1)->offsets()->high_watermark, 2) << "marked again and again";
  ASSERT_TRUE(broker->delete_topic("t"));
  broker.clock.advance(1000);
  broker->run_timers(broker.clock.now());
  EXPECT_EQ(describe_transaction(broker).transaction_state, "CompleteCommit");
}

TEST(TransactionEnds, WhatCannotBeStoredIsRefused) {
  SCOPED_TRACE("a producer goes on although nothing of it will be known after a restart");
  TestBroker broker({}, failing());
  broker.create("t");
  find_coordinators(broker);
  TransactionalProducer producer(broker);
  ASSERT_EQ(producer.init(), ErrorCode::none);
  writes_fail = true;
  EXPECT_EQ(TransactionalProducer(broker, "other").init(), ErrorCode::not_coordinator);
  EXPECT_EQ(producer.add("t", 0), ErrorCode::not_coordinator);
  writes_fail = false;
  EXPECT_EQ(describe_transaction(broker).transaction_state, "Empty");
  EXPECT_EQ(describe_transaction(broker, "other").error_code, ErrorCode::transactional_id_not_found);
  broker.crash_and_reopen();
  EXPECT_EQ(producer.init(), ErrorCode::none);
}

}  // namespace
}  // namespace iolab::handlers
