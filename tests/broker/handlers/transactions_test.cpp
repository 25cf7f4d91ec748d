// Transactions through their requests: a failure here means that consumers see what was not committed, miss what was,
// or wait for ever, or that two producers write in one name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/protocol/messages/20_delete_topics.h"
#include "tests/broker/handlers/transaction_requests.h"

namespace iolab::handlers {
namespace {

using protocol::ErrorCode;
using test::committed_in;
using test::describe_transaction;
using test::fetch_offset;
using test::find_coordinators;
using test::has_open_transaction;
using test::list_transactions;
using test::TestBroker;
using test::TransactionalProducer;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Offsets = std::vector<std::int64_t>;

TEST(Transactions, BeforeTheCoordinatorWasLookedForNobodyIsServed) {
  SCOPED_TRACE("something is acknowledged that has no place to be remembered in, or looking for it does not help");
  TestBroker broker;
  broker.create("t");
  TransactionalProducer producer(broker);
  EXPECT_EQ(producer.init(), ErrorCode::not_coordinator);
  EXPECT_EQ(producer.add("t", 0), ErrorCode::not_coordinator);
  EXPECT_EQ(producer.add_offsets(), ErrorCode::not_coordinator);
  EXPECT_EQ(producer.end(true), ErrorCode::not_coordinator);
  EXPECT_EQ(describe_transaction(broker).error_code, ErrorCode::not_coordinator);
  EXPECT_TRUE(list_transactions(broker).empty());
  EXPECT_FALSE(broker->topics().find(core::kTransactionStateTopic));
  find_coordinators(broker);
  EXPECT_TRUE(broker->topics().find(core::kTransactionStateTopic));
  EXPECT_EQ(producer.init(), ErrorCode::none);
  EXPECT_EQ(producer.producer.epoch, 0);
}

TEST(Transactions, AreSeenWhenTheyAreCommittedAndNeverWhenNot) {
  SCOPED_TRACE("a reader sees half a transaction, one that was aborted, or nothing behind one that has ended");
  TestBroker broker;
  broker.create("t", 2);
  broker.create("u");
  find_coordinators(broker);
  TransactionalProducer producer(broker);
  ASSERT_EQ(producer.init(), ErrorCode::none);
  for (const bool commit : {true, false, true}) {
    producer.write("t", 0);
    producer.write("t", 1);
    producer.write("u", 0);
    EXPECT_TRUE(has_open_transaction(broker, "t", 1));
    EXPECT_EQ(describe_transaction(broker).topics.size(), 2U);
    EXPECT_EQ(producer.end(commit), ErrorCode::none);
    EXPECT_FALSE(has_open_transaction(broker, "t", 1));
    EXPECT_EQ(describe_transaction(broker).transaction_state, commit ? "CompleteCommit" : "CompleteAbort");
    EXPECT_TRUE(describe_transaction(broker).topics.empty());
  }
  for (const std::int32_t partition : {0, 1}) EXPECT_THAT(committed_in(broker, "t", partition), ElementsAre(0, 4));
  EXPECT_THAT(committed_in(broker, "u", 0), ElementsAre(0, 4));
}

TEST(Transactions, AnEndIsAnsweredAsOftenAsItIsAskedFor) {
  SCOPED_TRACE("a lost answer leaves a producer in doubt, or the other end is acknowledged");
  TestBroker broker;
  broker.create("t");
  find_coordinators(broker);
  TransactionalProducer producer(broker);
  ASSERT_EQ(producer.init(), ErrorCode::none);
  EXPECT_EQ(producer.end(true), ErrorCode::invalid_txn_state);
  producer.write("t", 0);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(producer.end(true), ErrorCode::none);
  EXPECT_EQ(producer.end(false), ErrorCode::invalid_txn_state);
  EXPECT_EQ(broker->topics().find("t")->partition(0)->offsets()->high_watermark, 2) << "a second marker was written";
}

TEST(Transactions, OffsetsCountWithTheTransaction) {
  SCOPED_TRACE("a group goes on behind records whose copies were aborted, or reads again what was committed");
  TestBroker broker;
  broker.create("t");
  find_coordinators(broker);
  TransactionalProducer producer(broker);
  ASSERT_EQ(producer.init(), ErrorCode::none);
  EXPECT_EQ(producer.commit_offset("t", 1), ErrorCode::invalid_txn_state) << "the group was not added";
  for (const bool commit : {false, true}) {
    producer.write("t", 0);
    EXPECT_EQ(producer.add_offsets(), ErrorCode::none);
    EXPECT_EQ(producer.commit_offset("t", commit ? 20 : 10, commit ? 3 : 0), ErrorCode::none);
    EXPECT_EQ(producer.commit_offset("nowhere", 1), ErrorCode::unknown_topic_or_partition);
    EXPECT_EQ(fetch_offset(broker, "t", 0, 7, false).committed_offset, -1);
    EXPECT_EQ(fetch_offset(broker, "t", 0, 7, true).error_code, ErrorCode::unstable_offset_commit);
    EXPECT_EQ(producer.end(commit), ErrorCode::none);
    EXPECT_EQ(fetch_offset(broker, "t", 0, 7, true).committed_offset, commit ? 20 : -1);
  }
  broker.crash_and_reopen();
  EXPECT_EQ(fetch_offset(broker, "t", 0, 7, true).committed_offset, 20);
}

TEST(Transactions, MembersCommitWithTheirGeneration) {
  SCOPED_TRACE("a member that has lost its partitions commits for them within a transaction");
  TestBroker broker;
  broker.create("t");
  find_coordinators(broker);
  const std::string member = test::only_member(broker);
  TransactionalProducer producer(broker);
  ASSERT_EQ(producer.init(), ErrorCode::none);
  ASSERT_EQ(producer.add_offsets(), ErrorCode::none);
  protocol::TxnOffsetCommitRequest request;
  request.transactional_id = "tx";
  request.group_id = "g";
  request.producer_id = producer.producer.id;
  request.producer_epoch = producer.producer.epoch;
  request.member_id = member;
  request.topics.push_back({.name = "t", .partitions = {{.partition_index = 0, .committed_offset = 5}}});
  const auto commit = [&](std::int32_t generation) {
    request.generation_id_or_member_epoch = generation;
    return broker.ask<protocol::TxnOffsetCommitResponse>(request, 3).topics.at(0).partitions.at(0).error_code;
  };
  EXPECT_EQ(commit(0), ErrorCode::illegal_generation);
  EXPECT_EQ(commit(1), ErrorCode::none);
  EXPECT_EQ(producer.commit_offset("t", 6, 2), ErrorCode::none) << "old producers name no member";
  request.group_id = "";
  EXPECT_EQ(commit(1), ErrorCode::invalid_group_id);
}

TEST(Transactions, WhatWasNotAddedIsRefused) {
  SCOPED_TRACE("a batch gets in that no end of a transaction would reach, so that readers wait behind it for ever");
  TestBroker broker;
  broker.create("t", 2);
  find_coordinators(broker);
  TransactionalProducer producer(broker);
  ASSERT_EQ(producer.init(), ErrorCode::none);
  EXPECT_EQ(producer.produce("t", 0), ErrorCode::invalid_txn_state);
  ASSERT_EQ(producer.add("t", 0), ErrorCode::none);
  EXPECT_EQ(producer.produce("t", 1), ErrorCode::invalid_txn_state);
  EXPECT_EQ(producer.produce("t", 0), ErrorCode::none);
  ASSERT_EQ(producer.end(true), ErrorCode::none);
  EXPECT_EQ(producer.produce("t", 0), ErrorCode::invalid_txn_state) << "its transaction is over";
  EXPECT_FALSE(has_open_transaction(broker, "t", 0));
}

TEST(Transactions, OneUnknownPartitionStopsAll) {
  SCOPED_TRACE("a transaction is begun in part, or a client writes to the broker's own topics");
  TestBroker broker;
  broker.create("t");
  find_coordinators(broker);
  TransactionalProducer producer(broker);
  ASSERT_EQ(producer.init(), ErrorCode::none);
  const auto answer = producer.add("t", std::vector<std::int32_t>{0, 7});
  const auto& results = answer.results_by_topic_v3_and_below.at(0).results_by_partition;
  EXPECT_EQ(results.at(0).partition_error_code, ErrorCode::operation_not_attempted);
  EXPECT_EQ(results.at(1).partition_error_code, ErrorCode::unknown_topic_or_partition);
  EXPECT_EQ(producer.add(std::string(core::kConsumerOffsetsTopic), 0), ErrorCode::topic_authorization_failed);
  EXPECT_EQ(describe_transaction(broker).transaction_state, "Empty");
}

TEST(Transactions, ANewProducerFencesTheOld) {
  SCOPED_TRACE("a zombie writes, commits or ends anything, or what it left open is committed");
  TestBroker broker;
  broker.create("t");
  find_coordinators(broker);
  TransactionalProducer zombie(broker);
  ASSERT_EQ(zombie.init(), ErrorCode::none);
  zombie.write("t", 0);
  TransactionalProducer producer(broker);
  ASSERT_EQ(producer.init(), ErrorCode::none) << "without a disk to wait for, it need not come again";
  EXPECT_EQ(producer.producer.id, zombie.producer.id);
  EXPECT_EQ(producer.producer.epoch, zombie.producer.epoch + 2) << "the epoch in between fences, and belongs to nobody";
  EXPECT_FALSE(has_open_transaction(broker, "t", 0));
  EXPECT_EQ(zombie.produce("t", 0), ErrorCode::invalid_producer_epoch);
  EXPECT_EQ(zombie.add("t", 0, 3), ErrorCode::producer_fenced);
  EXPECT_EQ(zombie.add("t", 0, 1), ErrorCode::invalid_producer_epoch) << "old clients know no other word";
  EXPECT_EQ(zombie.add_offsets(3), ErrorCode::producer_fenced);
  EXPECT_EQ(zombie.commit_offset("t", 3), ErrorCode::invalid_producer_epoch);
  EXPECT_EQ(zombie.end(true, 3), ErrorCode::producer_fenced);
  EXPECT_EQ(zombie.end(true, 1), ErrorCode::invalid_producer_epoch);
  EXPECT_EQ(zombie.init(true, 60'000, 4), ErrorCode::producer_fenced);
  EXPECT_EQ(zombie.init(true, 60'000, 3), ErrorCode::invalid_producer_epoch);
  producer.write("t", 0);
  EXPECT_EQ(producer.end(true), ErrorCode::none);
  EXPECT_THAT(committed_in(broker, "t", 0), ElementsAre(2));
}

TEST(Transactions, AreAbortedWhenTheirTimeIsUp) {
  SCOPED_TRACE("a producer that is gone holds readers back for ever, or commits after all when it comes back");
  TestBroker broker;
  broker.create("t");
  find_coordinators(broker);
  TransactionalProducer producer(broker);
  ASSERT_EQ(producer.init(false, 5000), ErrorCode::none);
  producer.write("t", 0);
  broker.clock.advance(4999);
  EXPECT_EQ(broker->run_timers(broker.clock.now()), broker.clock.steady_ms + 1) << "the timer does not know when";
  EXPECT_TRUE(has_open_transaction(broker, "t", 0));
  broker.clock.advance(1);
  broker->run_timers(broker.clock.now());
  EXPECT_FALSE(has_open_transaction(broker, "t", 0));
  EXPECT_THAT(committed_in(broker, "t", 0), IsEmpty());
  EXPECT_EQ(describe_transaction(broker).transaction_state, "CompleteAbort");
  EXPECT_EQ(producer.produce("t", 0), ErrorCode::invalid_producer_epoch);
  EXPECT_EQ(producer.end(true), ErrorCode::producer_fenced);
}

TEST(Transactions, GoOnAfterARestart) {
  SCOPED_TRACE("a restart forgets who has an id, what is open, or for how long it has been");
  TestBroker broker;
  broker.create("t", 2);
  find_coordinators(broker);
  TransactionalProducer producer(broker), other(broker, "other");
  ASSERT_EQ(producer.init(), ErrorCode::none);
  ASSERT_EQ(other.init(false, 5000), ErrorCode::none);
  producer.write("t", 0);
  other.write("t", 1);
  broker.clock.advance(3000);
  broker.crash_and_reopen();
  EXPECT_EQ(describe_transaction(broker).transaction_state, "Ongoing");
  EXPECT_EQ(describe_transaction(broker).transaction_timeout_ms, 60'000);
  producer.write("t", 0);
  EXPECT_EQ(producer.end(true), ErrorCode::none);
  EXPECT_THAT(committed_in(broker, "t", 0), ElementsAre(0, 1));
  broker.clock.advance(2000);
  broker->run_timers(broker.clock.now());
  EXPECT_EQ(describe_transaction(broker, "other").transaction_state, "CompleteAbort");
  broker.close_and_reopen();
  EXPECT_EQ(producer.end(true), ErrorCode::none);
  EXPECT_EQ(other.init(), ErrorCode::none);
  EXPECT_EQ(other.producer.epoch, 2);
}

TEST(Transactions, StartsHaveBounds) {
  SCOPED_TRACE("a transaction may last for ever, or half an identity is taken for a whole one");
  TestBroker broker(core::Overrides{{"transaction.max.timeout.ms", "5000"}});
  find_coordinators(broker);
  TransactionalProducer producer(broker), nameless(broker, "");
  EXPECT_EQ(producer.init(false, 5001), ErrorCode::invalid_transaction_timeout);
  EXPECT_EQ(producer.init(false, 0), ErrorCode::invalid_transaction_timeout);
  EXPECT_EQ(producer.init(false, 5000), ErrorCode::none);
  EXPECT_EQ(nameless.init(false, 5000), ErrorCode::invalid_request);
  EXPECT_EQ(describe_transaction(broker, "").error_code, ErrorCode::invalid_request);
  producer.producer.epoch = -1;
  EXPECT_EQ(producer.init(true, 5000), ErrorCode::invalid_request);
  TransactionalProducer stranger(broker, "stranger");
  EXPECT_EQ(stranger.end(true), ErrorCode::invalid_producer_id_mapping);
  EXPECT_EQ(stranger.add_offsets(), ErrorCode::invalid_producer_id_mapping);
  EXPECT_EQ(describe_transaction(broker, "stranger").error_code, ErrorCode::transactional_id_not_found);
}

TEST(Transactions, ADeletedTopicHoldsNobodyUp) {
  SCOPED_TRACE("a transaction can never be ended because one of its topics is gone");
  TestBroker broker;
  broker.create("t");
  broker.create("u");
  find_coordinators(broker);
  TransactionalProducer producer(broker);
  ASSERT_EQ(producer.init(), ErrorCode::none);
  producer.write("t", 0);
  producer.write("u", 0);
  ASSERT_TRUE(broker->delete_topic("t"));
  EXPECT_EQ(producer.end(true), ErrorCode::none);
  EXPECT_EQ(describe_transaction(broker).transaction_state, "CompleteCommit");
  EXPECT_THAT(committed_in(broker, "u", 0), ElementsAre(0));
}

TEST(Transactions, IdsThatNobodyUsesAreForgotten) {
  SCOPED_TRACE("ids pile up for ever, or one goes whose transaction is open");
  TestBroker broker(core::Overrides{{"transactional.id.expiration.ms", "10000"},
                                    {"transaction.remove.expired.transaction.cleanup.interval.ms", "1000"}});
  broker.create("t");
  find_coordinators(broker);
  TransactionalProducer unused(broker, "unused"), open(broker, "open");
  ASSERT_EQ(unused.init(), ErrorCode::none);
  ASSERT_EQ(open.init(), ErrorCode::none);
  open.write("t", 0);
  broker.clock.advance(9999);
  test::settle(broker);
  EXPECT_THAT(list_transactions(broker), ElementsAre("open", "unused"));
  broker.clock.advance(1001);
  test::settle(broker);
  EXPECT_THAT(list_transactions(broker), ElementsAre("open"));
  broker.crash_and_reopen();
  EXPECT_THAT(list_transactions(broker), ElementsAre("open"));
  EXPECT_EQ(unused.init(true), ErrorCode::none) << "whoever slept for so long must be able to go on";
}

TEST(Transactions, AreListedByStateProducerAndDuration) {
  SCOPED_TRACE("an operator does not find the transaction that holds readers back");
  TestBroker broker;
  broker.create("t");
  find_coordinators(broker);
  TransactionalProducer idle(broker, "idle"), open(broker, "open");
  ASSERT_EQ(idle.init(), ErrorCode::none);
  ASSERT_EQ(open.init(), ErrorCode::none);
  open.write("t", 0);
  broker.clock.advance(1000);
  const auto list = [&](const protocol::ListTransactionsRequest& request) {
    return list_transactions(broker, request);
  };
  EXPECT_THAT(list({}), ElementsAre("idle", "open"));
  EXPECT_THAT(list({.state_filters = {"Ongoing"}, .producer_id_filters = {}}), ElementsAre("open"));
  EXPECT_THAT(list({.state_filters = {"Ongoing", "Empty"}, .producer_id_filters = {}}), ElementsAre("idle", "open"));
  EXPECT_THAT(list({.state_filters = {}, .producer_id_filters = {idle.producer.id}}), ElementsAre("idle"));
  EXPECT_THAT(list({.state_filters = {}, .producer_id_filters = {}, .duration_filter = 999}), ElementsAre("open"));
  EXPECT_THAT(list({.state_filters = {}, .producer_id_filters = {}, .duration_filter = 1000}), IsEmpty());
  protocol::ListTransactionsRequest unknown;
  unknown.state_filters = {"Sleepy"};
  const auto answer = broker.ask<protocol::ListTransactionsResponse>(unknown, 0);
  EXPECT_THAT(answer.unknown_state_filters, ElementsAre("Sleepy"));
  EXPECT_TRUE(answer.transaction_states.empty());
}

TEST(Transactions, AnOperatorEndsWhatHangs) {
  SCOPED_TRACE("readers behind a transaction that nobody ends cannot be helped");
  TestBroker broker(core::Overrides{{"transaction.partition.verification.enable", "false"}});
  broker.create("t");
  find_coordinators(broker);
  TransactionalProducer producer(broker);
  ASSERT_EQ(producer.init(), ErrorCode::none);
  ASSERT_EQ(producer.produce("t", 0), ErrorCode::none) << "nobody asks whether it was added";
  EXPECT_TRUE(has_open_transaction(broker, "t", 0));
  protocol::WriteTxnMarkersRequest request;
  auto& marker = request.markers.emplace_back();
  marker.producer_id = producer.producer.id;
  marker.producer_epoch = producer.producer.epoch;
  marker.topics.push_back({.name = "t", .partition_indexes = {0, 7}});
  const auto answer = broker.ask<protocol::WriteTxnMarkersResponse>(request, 1).markers.at(0);
  EXPECT_EQ(answer.producer_id, producer.producer.id);
  EXPECT_EQ(answer.topics.at(0).partitions.at(0).error_code, ErrorCode::none);
  EXPECT_EQ(answer.topics.at(0).partitions.at(1).error_code, ErrorCode::unknown_topic_or_partition);
  EXPECT_FALSE(has_open_transaction(broker, "t", 0));
  EXPECT_THAT(committed_in(broker, "t", 0), IsEmpty());
}

}  // namespace
}  // namespace iolab::handlers
