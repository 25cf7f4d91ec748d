// Compaction as the broker does it by itself, and what its topics' settings have to do with it. A failure here means
// that a topic that asks for it grows for ever, that what should stay is gone, or that a change of settings has no
// effect.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "broker/core/internal_log.h"
#include "broker/protocol/record_reader.h"
#include "tests/broker/core/test_broker.h"

namespace iolab::core {
namespace {

using protocol::ErrorCode;
using test::TestBroker;

test::Frame keyed_batch(const std::string& key, const std::optional<std::string>& value, std::int64_t timestamp_ms) {
  protocol::BatchBuilder builder;
  protocol::BatchBuilder::Entry entry{
      .timestamp_ms = timestamp_ms, .key = base::as_bytes(key), .value = {}, .headers = {}};
  if (value) entry.value = base::as_bytes(*value);
  builder.add(entry);
  return builder.finish();
}

void produce(TestBroker& broker, const std::string& topic, const std::string& key,
             const std::optional<std::string>& value) {
  const test::Frame batch = keyed_batch(key, value, broker.clock.now().wall_ms);
  const auto answer = broker.ask<protocol::ProduceResponse>(test::produce_request(topic, 0, batch), 9);
  ASSERT_EQ(answer.responses.at(0).partition_responses.at(0).error_code, ErrorCode::none);
}

// Lets the timer and the flusher do what is due.
void let_it_work(TestBroker& broker, std::int64_t after_ms = 15'000) {
  const auto flush = [&] {
    while (broker->flushes().next() <= broker.clock.now().steady_ms) broker->run_flushes(broker.clock.now());
  };
  flush();
  broker.clock.advance(after_ms);
  broker->run_timers(broker.clock.now());
  flush();
}

struct Found {
  std::map<std::string, std::optional<std::string>> last;
  int records = 0;
};

Found read(TestBroker& broker, const std::string& topic) {
  Found found;
  const auto partition = broker->topics().find(topic)->partitions.at(0);
  const auto end = partition->offsets()->high_watermark;
  for (std::int64_t offset = partition->offsets()->start; offset < end;) {
    const auto answer = broker.ask<protocol::FetchResponse>(test::fetch_request(topic, 0, offset), 11);
    const auto& records = answer.responses.at(0).partitions.at(0).records;
    base::Bytes rest = records ? records->bytes : base::Bytes{};
    const std::int64_t asked = offset;
    while (const auto batch = protocol::first_batch(rest)) {
      protocol::RecordReader reader(*batch);
      while (const protocol::Record* record = reader.next()) {
        auto& value = found.last[std::string(base::as_text(*record->key))];
        value.reset();
        if (record->value) value = base::as_text(*record->value);
        ++found.records;
      }
      offset = batch->next_offset();
      rest = rest.subspan(batch->size());
    }
    if (offset == asked) {
      ADD_FAILURE() << "nothing at offset " << offset;
      break;
    }
  }
  return found;
}

const Overrides kCompacted{{"cleanup.policy", "compact"}, {"segment.bytes", "2000"}};

TEST(Compaction, ATopicShrinksToTheLastValues) {
  SCOPED_TRACE("old values stay, or the last one of a key is gone, in this life or after a restart");
  TestBroker broker;
  broker.create("t", 1, kCompacted);
  for (int i = 0; i < 200; ++i) produce(broker, "t", std::to_string(i % 5), std::string(100, 'x') + std::to_string(i));
  EXPECT_EQ(read(broker, "t").records, 200);
  let_it_work(broker);
  for (int life = 0; life < 3; ++life) {
    const Found found = read(broker, "t");
    EXPECT_LT(found.records, 40);
    ASSERT_EQ(found.last.size(), 5U);
    for (int key = 0; key < 5; ++key) {
      EXPECT_EQ(found.last.at(std::to_string(key)), std::string(100, 'x') + std::to_string(195 + key));
    }
    if (life == 0) broker.crash_and_reopen();
    if (life == 1) broker.close_and_reopen();
  }
  EXPECT_EQ(broker->topics().find("t")->partitions.at(0)->offsets()->high_watermark, 200);
}

TEST(Compaction, ARatioIsWaitedForUnlessRecordsAreOld) {
  SCOPED_TRACE("a log is written anew for a few records, or never, however old they are");
  TestBroker broker;
  Overrides overrides = kCompacted;
  overrides["min.cleanable.dirty.ratio"] = "0.9";
  overrides["max.compaction.lag.ms"] = "100000";
  broker.create("t", 1, overrides);
  for (int i = 0; i < 100; ++i) produce(broker, "t", std::to_string(i), std::string(100, 'x'));
  let_it_work(broker);
  for (int i = 0; i < 40; ++i) produce(broker, "t", "again", std::string(100, 'x'));
  let_it_work(broker);
  EXPECT_EQ(read(broker, "t").records, 140) << "not dirty enough";
  let_it_work(broker, 100'001);
  EXPECT_LT(read(broker, "t").records, 125);
}

TEST(Compaction, DeleteAndCompactDoBoth) {
  SCOPED_TRACE("with both policies one of them does not act");
  TestBroker broker;
  Overrides overrides = kCompacted;
  overrides["cleanup.policy"] = "compact,delete";
  overrides["retention.ms"] = "1000000";
  broker.create("t", 1, overrides);
  for (int i = 0; i < 100; ++i) produce(broker, "t", "a", std::string(100, 'x'));
  let_it_work(broker);
  EXPECT_LT(read(broker, "t").records, 40);
  let_it_work(broker, 2'000'000);
  EXPECT_GT(broker->topics().find("t")->partitions.at(0)->offsets()->start, 0);
}

TEST(Compaction, CanBeSwitchedOff) {
  SCOPED_TRACE("log.cleaner.enable=false is not heeded");
  TestBroker broker(Overrides{{"log.cleaner.enable", "false"}});
  broker.create("t", 1, kCompacted);
  for (int i = 0; i < 50; ++i) produce(broker, "t", "a", std::string(100, 'x'));
  let_it_work(broker);
  EXPECT_EQ(read(broker, "t").records, 50);
}

TEST(Compaction, AProducersSequenceIsRememberedThoughItsBatchesAreGone) {
  SCOPED_TRACE("a batch that was stored and compacted away is stored once more when it is sent again");
  TestBroker broker;
  broker.create("t", 1, kCompacted);
  const auto batch_of = [&](std::int32_t sequence) {
    protocol::BatchBuilder builder({.producer_id = 5, .producer_epoch = 0, .base_sequence = sequence});
    builder.add({.timestamp_ms = 0, .key = base::as_bytes("k"), .value = base::as_bytes("v"), .headers = {}});
    return builder.finish();
  };
  const auto send = [&](const test::Frame& batch) {
    return broker.ask<protocol::ProduceResponse>(test::produce_request("t", 0, batch), 9)
        .responses.at(0)
        .partition_responses.at(0);
  };
  for (int i = 0; i < 3; ++i) EXPECT_EQ(send(batch_of(i)).base_offset, i);
  for (int i = 0; i < 60; ++i) produce(broker, "t", "k", std::string(100, 'x'));
  let_it_work(broker);
  EXPECT_LT(read(broker, "t").records, 40);
  broker.crash_and_reopen();
  EXPECT_EQ(send(batch_of(2)).base_offset, 2) << "it is there twice";
  EXPECT_EQ(send(batch_of(4)).error_code, ErrorCode::out_of_order_sequence_number);
  EXPECT_EQ(send(batch_of(3)).error_code, ErrorCode::none);
}

TEST(Compaction, CoordinatorsReadWhatIsLeft) {
  SCOPED_TRACE("what groups know is lost, or not shortened, when their topic is compacted");
  TestBroker broker(Overrides{{"offsets.topic.segment.bytes", "2000"}});
  const auto attach = [&](InternalLog& log) {
    const auto topic = broker->internal_topic(kConsumerOffsetsTopic, broker.clock.now());
    ASSERT_TRUE(topic) << topic.error().message;
    log.attach((*topic)->partitions.at(0), 1 << 20);
  };
  const auto bytes_of = [](std::string_view text) {
    const base::Bytes view = base::as_bytes(text);
    return std::vector<std::byte>(view.begin(), view.end());
  };
  {
    InternalLog log;
    attach(log);
    for (int i = 0; i < 300; ++i) {
      Wakeups wakeups;
      const InternalRecord record{bytes_of("key-" + std::to_string(i % 7)), bytes_of(std::to_string(i))};
      ASSERT_TRUE(log.append(std::span(&record, 1), broker.clock.now(), nullptr, wakeups));
    }
  }
  let_it_work(broker);
  broker.crash_and_reopen();
  InternalLog log;
  attach(log);
  std::map<std::string, std::string> state;
  int records = 0;
  const auto done = log.replay(broker->buffers(), [&](const protocol::BatchView&, const protocol::Record& record) {
    state[std::string(base::as_text(*record.key))] = base::as_text(*record.value);
    ++records;
  });
  EXPECT_TRUE(done) << done.error();
  EXPECT_LT(records, 60);
  ASSERT_EQ(state.size(), 7U);
  EXPECT_EQ(state["key-6"], "293");
  EXPECT_EQ(state["key-5"], "299");
}

}  // namespace
}  // namespace iolab::core
