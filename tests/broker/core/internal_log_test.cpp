// The broker's own logs: a failure here means that a restart does not know what a coordinator knew, that it knew more
// than is on the disk, or that a client can write where only the broker may.
#include "broker/core/internal_log.h"

#include <gtest/gtest.h>

#include <map>

#include "broker/protocol/messages/03_metadata.h"
#include "broker/protocol/messages/20_delete_topics.h"
#include "broker/protocol/messages/37_create_partitions.h"
#include "tests/broker/core/test_broker.h"

namespace iolab::core {
namespace {

using protocol::ErrorCode;
using test::TestBroker;

std::vector<std::byte> bytes_of(std::string_view text) {
  const base::Bytes view = base::as_bytes(text);
  return {view.begin(), view.end()};
}

InternalRecord record(std::string_view key, std::string_view value) {
  return {bytes_of(key), bytes_of(value)};
}
InternalRecord tombstone(std::string_view key) {
  return {bytes_of(key), std::nullopt};
}

void attach(InternalLog& log, TestBroker& broker, std::int64_t most_batch_bytes = 1 << 20) {
  const auto topic = broker->internal_topic(kConsumerOffsetsTopic, broker.clock.now());
  ASSERT_TRUE(topic) << topic.error().message;
  log.attach((*topic)->partitions.at(0), most_batch_bytes);
}

std::map<std::string, std::string> contents(const InternalLog& log, TestBroker& broker) {
  std::map<std::string, std::string> found;
  const auto done = log.replay(broker->buffers(), [&](const protocol::BatchView&, const protocol::Record& replayed) {
    const std::string key{base::as_text(*replayed.key)};
    if (replayed.value)
      found[key] = base::as_text(*replayed.value);
    else
      found.erase(key);
  });
  EXPECT_TRUE(done) << done.error();
  return found;
}

std::expected<std::int64_t, ErrorCode> append(InternalLog& log, TestBroker& broker,
                                              const std::vector<InternalRecord>& records,
                                              const std::shared_ptr<CommitWait>& wait = nullptr) {
  Wakeups wakeups;
  return log.append(records, broker.clock.now(), wait, wakeups);
}

using Contents = std::map<std::string, std::string>;

TEST(InternalLog, ARestartReadsWhatWasAppended) {
  // Fails if a record, or the word that it is gone, is lost or changed by a crash of the process or by a clean stop.
  TestBroker broker;
  {
    InternalLog log;
    EXPECT_FALSE(log.is_attached());
    attach(log, broker);
    EXPECT_EQ(append(log, broker, {record("a", "1"), record("b", "2")}), 0);
    EXPECT_EQ(append(log, broker, {record("a", "3"), tombstone("b"), record("c", "")}), 2);
  }
  broker.crash_and_reopen();
  for (int i = 0; i < 2; ++i) {
    InternalLog log;
    attach(log, broker);
    EXPECT_EQ(contents(log, broker), (Contents{{"a", "3"}, {"c", ""}}));
    if (i == 0) broker.close_and_reopen();
  }
}

TEST(InternalLog, MuchIsReadInManySteps) {
  // Fails if a log that is longer than what is read at once loses its middle or its end, or batches grow without bound.
  TestBroker broker(core::Overrides{{"offsets.topic.segment.bytes", "300000"}});
  InternalLog log;
  attach(log, broker, 100'000);
  std::vector<InternalRecord> records;
  Contents expected;
  for (int i = 0; i < 3000; ++i) {
    expected["key-" + std::to_string(i)] = std::string(1000, static_cast<char>('a' + i % 26));
    records.push_back(record("key-" + std::to_string(i), expected["key-" + std::to_string(i)]));
  }
  ASSERT_EQ(append(log, broker, records), 0);
  EXPECT_EQ(contents(log, broker), expected);
  EXPECT_EQ(append(log, broker, {record("more", "x"), record("k", std::string(100'000, 'x'))}).error(),
            ErrorCode::message_too_large);
  EXPECT_EQ(contents(log, broker), expected) << "a part of what was refused was appended";
}

TEST(InternalLog, WithCommitAnAnswerWaitsForTheDisk) {
  // Fails if a coordinator can acknowledge, or tell of, what a power cut takes back, or waits though nothing is open.
  TestBroker broker(core::Overrides{{"iolab.flush", "commit"}});
  InternalLog log;
  attach(log, broker);
  broker->run_flushes(broker.clock.now());
  const auto writer = std::make_shared<CommitWait>(broker.sleeper);
  ASSERT_TRUE(append(log, broker, {record("a", "1")}, writer));
  EXPECT_FALSE(writer->one_done(true));
  const auto reader = std::make_shared<CommitWait>(broker.sleeper);
  ASSERT_TRUE(log.await_sync(reader));
  EXPECT_FALSE(reader->one_done(true)) << "told before it is on the disk";
  EXPECT_EQ(broker.counting->rings, 0);
  broker->run_flushes(broker.clock.now());
  EXPECT_EQ(broker.counting->rings, 2);
  EXPECT_TRUE(writer->over() && reader->over());
  EXPECT_FALSE(writer->failed());
  const auto late = std::make_shared<CommitWait>(broker.sleeper);
  ASSERT_TRUE(log.await_sync(late));
  EXPECT_TRUE(late->one_done(true)) << "there was nothing to wait for";
}

TEST(InternalLog, ItBelongsToTheBrokerAlone) {
  // Fails if a client can write into, make, grow or delete a topic of the broker's own, or is not told that it is one.
  TestBroker broker;
  const std::string name{kConsumerOffsetsTopic};
  protocol::MetadataRequest about;
  about.topics->push_back({.name = name});
  using protocol::MetadataResponse;
  EXPECT_EQ(broker.ask<MetadataResponse>(about, 4).topics.at(0).error_code, ErrorCode::unknown_topic_or_partition);
  protocol::CreateTopicsRequest create;
  create.topics.push_back(
      {.name = name, .num_partitions = 5, .replication_factor = 1, .assignments = {}, .configs = {}});
  EXPECT_EQ(broker.ask<protocol::CreateTopicsResponse>(create, 7).topics.at(0).error_code,
            ErrorCode::invalid_topic_exception);
  EXPECT_FALSE(broker->topics().find(name));

  InternalLog log;
  attach(log, broker);
  const auto described = broker.ask<MetadataResponse>(about, 4).topics.at(0);
  EXPECT_TRUE(described.is_internal);
  EXPECT_EQ(described.partitions.size(), 1U);
  EXPECT_EQ(broker->topics().find(name)->settings.cleanup_policy, "compact");
  const test::Frame batch = test::make_batch();
  const auto produced = broker.ask<protocol::ProduceResponse>(test::produce_request(name, 0, batch), 9);
  EXPECT_EQ(produced.responses.at(0).partition_responses.at(0).error_code, ErrorCode::invalid_topic_exception);
  protocol::CreatePartitionsRequest grow;
  grow.topics.push_back({.name = name, .count = 3, .assignments = std::nullopt});
  EXPECT_EQ(broker.ask<protocol::CreatePartitionsResponse>(grow, 3).results.at(0).error_code,
            ErrorCode::invalid_topic_exception);
  protocol::DeleteTopicsRequest remove;
  remove.topic_names = {name};
  EXPECT_EQ(broker.ask<protocol::DeleteTopicsResponse>(remove, 5).responses.at(0).error_code,
            ErrorCode::invalid_topic_exception);
  EXPECT_TRUE(contents(log, broker).empty());
}

TEST(InternalLog, RetentionLeavesItAlone) {
  // Fails if old state is deleted with its segments, as old records of an ordinary topic are.
  TestBroker broker(core::Overrides{{"offsets.topic.segment.bytes", "2000"}, {"log.retention.ms", "1000"}});
  InternalLog log;
  attach(log, broker);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(append(log, broker, {record(std::to_string(i), std::string(500, 'x'))}));
  broker.clock.advance(1'000'000);
  broker->run_timers(broker.clock.now());
  broker->run_flushes(broker.clock.now());
  EXPECT_EQ(contents(log, broker).size(), 20U);
}

}  // namespace
}  // namespace iolab::core
