// Topics on a disk, or in a memory, that fails: a failure here means that a client is told "done" when it was not, that
// something half done stays that way, or that one fault takes more with it than it has to.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <string>

#include "broker/handlers/synced_answer.h"
#include "broker/protocol/messages/20_delete_topics.h"
#include "broker/protocol/messages/37_create_partitions.h"
#include "tests/broker/base/allocations.h"
#include "tests/broker/core/test_broker.h"

namespace iolab::handlers {
namespace {

using protocol::CreatePartitionsRequest;
using protocol::CreatePartitionsResponse;
using protocol::CreateTopicsRequest;
using protocol::DeleteTopicsRequest;
using protocol::DeleteTopicsResponse;
using protocol::ErrorCode;
using protocol::ProduceResponse;
using storage::FileCall;
using test::Asked;
using test::TestBroker;

std::atomic<bool> renames_fail = false;
std::atomic<int> good_opens = 1 << 30;  // before they fail

storage::FileHooks failing() {
  renames_fail = false;
  good_opens = 1 << 30;
  return {.count = nullptr, .fail = [](FileCall call) {
            if (call == FileCall::rename && renames_fail) return EIO;
            if (call == FileCall::open && good_opens-- <= 0) return EIO;
            return 0;
          }};
}

ErrorCode append_one(TestBroker& broker, std::int32_t partition) {
  const test::Frame batch = test::make_batch();
  const auto answer = broker.ask<ProduceResponse>(test::produce_request("t", partition, batch), 9);
  return answer.responses.at(0).partition_responses.at(0).error_code;
}

CreatePartitionsResponse::Result grow(TestBroker& broker, std::int32_t count) {
  CreatePartitionsRequest request;
  auto& topic = request.topics.emplace_back();
  topic.name = "t";
  topic.count = count;
  topic.assignments.reset();
  return broker.ask<CreatePartitionsResponse>(request, 3).results.at(0);
}

ErrorCode delete_it(TestBroker& broker) {
  DeleteTopicsRequest request;
  request.topic_names = {"t"};
  return broker.ask<DeleteTopicsResponse>(request, 5).responses.at(0).error_code;
}

TEST(FailingDisk, APartitionThatCannotBeOpenedIsNoSuccess) {
  // Fails if CreatePartitions says yes to a partition that serves nobody, or if the old ones suffer with it.
  TestBroker broker({}, failing());
  broker.create("t", 1);
  good_opens = 3;  // the new description, and the directories that are synced; none for the partition's first segment
  const auto grown = grow(broker, 2);
  good_opens = 1 << 30;
  EXPECT_EQ(grown.error_code, ErrorCode::kafka_storage_error);
  ASSERT_TRUE(grown.error_message);
  EXPECT_NE(grown.error_message->find("partition 1"), std::string::npos) << *grown.error_message;
  EXPECT_EQ(append_one(broker, 0), ErrorCode::none);
  EXPECT_EQ(append_one(broker, 1), ErrorCode::kafka_storage_error);
  broker.close_and_reopen();
  EXPECT_EQ(append_one(broker, 1), ErrorCode::none) << "the next start did not try again";
}

TEST(FailingDisk, WhatCouldNotEvenBeUndoneCanBeDeleted) {
  // Fails if a topic whose creation failed, and whose undoing failed on the same disk, is served half made, or takes
  // its name for good.
  TestBroker broker({}, failing());
  good_opens = 6;  // of the description and some partitions
  EXPECT_FALSE(broker->create_topic({"t", 20, -1, {}}, false, broker.clock.now()));
  good_opens = 1 << 30;
  EXPECT_FALSE(broker->topics().find("t"));
  broker.crash_and_reopen();
  ASSERT_TRUE(broker->topics().find("t")) << "the undoing failed, too, and said so; now it can be deleted";
  EXPECT_EQ(delete_it(broker), ErrorCode::none);
  broker.create("t", 2);
  EXPECT_EQ(append_one(broker, 1), ErrorCode::none);
}

TEST(FailingDisk, NoMorePartitionsThanTheProcessMayOpen) {
  // Fails if two requests from any client leave the broker without a descriptor to start again with.
  const test::TemporaryDirectory directory;
  test::SeededRandom random;
  auto settings = test::settings_at(directory.path());
  settings.most_partitions = 5;
  const auto broker = core::Broker::open(settings, random, {1, 1}).value();
  EXPECT_TRUE(broker->create_topic({"a", 3, -1, {}}, false, {1, 1}));
  const auto refused = broker->create_topic({"b", 3, -1, {}}, false, {1, 1});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::policy_violation);
  EXPECT_NE(refused.error().message.find("ulimit -n"), std::string::npos) << refused.error().message;
  EXPECT_EQ(broker->grow_topic("a", 6, false, {1, 1}).error().code, ErrorCode::policy_violation);
  EXPECT_TRUE(broker->grow_topic("a", 5, false, {1, 1}));
}

TEST(FailingDisk, OneOfflinePartitionDoesNotSpoilTheStop) {
  // Fails if every log has to be scanned at every start, for as long as one partition cannot be opened.
  TestBroker broker;
  broker.create("t", 2);
  ASSERT_EQ(append_one(broker, 0), ErrorCode::none);
  ASSERT_EQ(append_one(broker, 1), ErrorCode::none);
  ASSERT_TRUE(broker->close());
  std::filesystem::resize_file(broker.directory() / "t-1" / "00000000000000000000.log", 10);
  broker.crash_and_reopen();
  EXPECT_EQ(append_one(broker, 0), ErrorCode::none);
  EXPECT_EQ(append_one(broker, 1), ErrorCode::kafka_storage_error);
  EXPECT_TRUE(broker->close());
  EXPECT_TRUE(std::filesystem::exists(broker.directory() / ".kafka_cleanshutdown"));
  broker.crash_and_reopen();
  EXPECT_EQ(append_one(broker, 0), ErrorCode::none);
  EXPECT_EQ(append_one(broker, 1), ErrorCode::kafka_storage_error) << "damage was taken for an end";
}

TEST(FailingDisk, DamageInOneLogIsScannedInOneLog) {
  // Fails if one log that went offline makes the next start read all the others, too.
  TestBroker broker;
  broker.create("t", 2);
  for (const std::int32_t partition : {0, 1}) ASSERT_EQ(append_one(broker, partition), ErrorCode::none);
  std::filesystem::resize_file(broker.directory() / "t-1" / "00000000000000000000.log", 10);
  const auto fetched = broker.ask<protocol::FetchResponse>(test::fetch_request("t", 1, 0), 11);
  EXPECT_EQ(fetched.responses[0].partitions[0].error_code, ErrorCode::kafka_storage_error);
  EXPECT_FALSE(broker->close());
  EXPECT_TRUE(std::filesystem::exists(broker.directory() / ".kafka_cleanshutdown"));
  broker.crash_and_reopen();
  EXPECT_EQ(append_one(broker, 0), ErrorCode::none);
  EXPECT_EQ(append_one(broker, 1), ErrorCode::none) << "cut back to what is whole, as after a crash";
}

TEST(FailingDisk, ATopicThatCouldNotBeDeletedCanBeDeletedAgain) {
  // Fails if a deletion that failed leaves a topic that nobody sees and that comes back with the next start.
  TestBroker broker({}, failing());
  broker.create("t");
  renames_fail = true;
  EXPECT_EQ(delete_it(broker), ErrorCode::kafka_storage_error);
  EXPECT_TRUE(broker->topics().find("t"));
  renames_fail = false;
  EXPECT_EQ(delete_it(broker), ErrorCode::none);
  EXPECT_FALSE(broker->topics().find("t"));
  broker.crash_and_reopen();
  EXPECT_FALSE(broker->topics().find("t"));
}

TEST(FailingDisk, ATopicThatCouldNotBeDeletedComesBackWhole) {
  // Fails if a stop after a deletion that failed vouches for logs that it did not close: the next start would take
  // their ends for damage.
  TestBroker broker({}, failing());
  broker.create("t");
  ASSERT_EQ(append_one(broker, 0), ErrorCode::none);
  renames_fail = true;
  EXPECT_EQ(delete_it(broker), ErrorCode::kafka_storage_error);
  renames_fail = false;
  broker.close_and_reopen();
  EXPECT_EQ(append_one(broker, 0), ErrorCode::none);
  const auto offsets = broker->topics().find("t")->partition(0)->offsets();
  ASSERT_TRUE(offsets);
  EXPECT_EQ(offsets->high_watermark, 2);
}

TEST(FailingDisk, ACrashLeavesNoFilesOfDeletedTopics) {
  // Fails if the files of a topic that was deleted just before a crash fill the disk until another topic is deleted.
  TestBroker broker;
  broker.create("t");
  ASSERT_EQ(append_one(broker, 0), ErrorCode::none);
  ASSERT_TRUE(broker->delete_topic("t"));
  broker.crash_and_reopen();
  broker->run_flushes(broker.clock.now());
  for (const auto& entry : std::filesystem::directory_iterator(broker.directory())) {
    EXPECT_FALSE(entry.path().filename().string().ends_with("-delete")) << entry.path();
  }
}

TEST(NoMemory, ARequestForTheDiskCostsItsConnectionAlone) {
  // Fails if a request that finds no memory ends the thread that syncs for all connections, or waits for ever.
  TestBroker broker;
  CreateTopicsRequest request;
  request.topics.push_back(
      {.name = "t", .num_partitions = 1, .replication_factor = 1, .assignments = {}, .configs = {}});
  Asked asked = broker.send(request, 7);
  ASSERT_EQ(asked.outcome.kind, Outcome::Kind::parked);
  {
    const test::NoMemory none;
    broker->run_flushes(broker.clock.now());
  }
  EXPECT_EQ(asked.outcome.parked->resume(broker.clock.now(), asked.out), Parked::Progress::close);
  broker.create("t");
  EXPECT_EQ(append_one(broker, 0), ErrorCode::none);
}

TEST(FailingDisk, ASyncThatFailedBeforeTheHandlerWasDoneIsNotAcknowledged) {
  // Fails if "stored" is said of what a sync has lost already, because nobody has to wait for that sync any more.
  TestBroker broker;
  const core::Wakeup sleeper = std::make_shared<test::CountingSleeper>();
  core::Wakeups wakeups;
  Request request{*broker, broker.clock.now(), {}, {}, sleeper, wakeups};
  request.header.api_version = 6;
  const auto wait = std::make_shared<core::CommitWait>(sleeper);
  wait->expect_one_more();
  EXPECT_FALSE(wait->one_done(false));
  base::GatherBuffer out;
  bool refused = false;
  static bool* told = nullptr;
  told = &refused;
  const auto outcome =
      answer_after_sync<DeleteTopicsResponse>(request, {}, wait, [](DeleteTopicsResponse&) { *told = true; }, out);
  EXPECT_EQ(outcome.kind, Outcome::Kind::answered);
  EXPECT_TRUE(refused);
}

}  // namespace
}  // namespace iolab::handlers
