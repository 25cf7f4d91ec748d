// Acknowledgements and the disk: a failure here means that something was acknowledged that a power cut could take back.
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <optional>
#include <utility>

#include "broker/protocol/messages/02_list_offsets.h"
#include "tests/broker/core/test_broker.h"

namespace iolab::handlers {
namespace {

using protocol::ErrorCode;
using protocol::FetchResponse;
using protocol::ProduceResponse;
using test::Asked;
using test::fetch_request;
using test::Frame;
using test::make_batch;
using test::produce_request;
using test::TestBroker;

std::atomic<int> syncs = 0;
std::atomic<bool> sync_fails = false;

storage::FileHooks watching_syncs() {
  syncs = 0;
  sync_fails = false;
  return {.count =
              [](storage::FileCall call, std::int64_t) {
                if (call == storage::FileCall::fdatasync) ++syncs;
              },
          .fail = [](storage::FileCall call) { return call == storage::FileCall::fdatasync && sync_fails ? EIO : 0; }};
}

ErrorCode code_of(const Asked& asked) {
  return TestBroker::answer_of<ProduceResponse>(asked, 9).responses.at(0).partition_responses.at(0).error_code;
}

TEST(Commit, AnswersAfterTheSyncThatCoversIt) {
  // Fails if acks=1 or acks=all are answered before fsync, or each pays for a sync of its own.
  TestBroker broker(core::Overrides{{"iolab.flush", "commit"}}, watching_syncs());
  broker.create("t");
  broker->run_flushes(broker.clock.now());
  syncs = 0;
  const Frame batch = make_batch();
  Asked all = broker.send(produce_request("t", 0, batch, -1), 9);
  Asked one = broker.send(produce_request("t", 0, batch, 1), 9);
  ASSERT_EQ(all.outcome.kind, Outcome::Kind::parked);
  ASSERT_EQ(one.outcome.kind, Outcome::Kind::parked);
  EXPECT_FALSE(all.outcome.parked->holds_back()) << "the disk holds nobody back";
  EXPECT_FALSE(broker.resume(all));
  EXPECT_EQ(syncs, 0);
  broker->run_flushes(broker.clock.now());
  EXPECT_EQ(syncs, 1) << "both share one sync";
  EXPECT_EQ(broker.counting->rings, 2);
  ASSERT_TRUE(broker.resume(all));
  ASSERT_TRUE(broker.resume(one));
  EXPECT_EQ(code_of(all), ErrorCode::none);
}

TEST(Commit, ReadersSeeOnlyWhatIsOnTheDisk) {
  // Fails if a consumer is shown what a power cut could take back, or a long poll sleeps through the sync.
  TestBroker broker(core::Overrides{{"iolab.flush", "commit"}});
  broker.create("t");
  const Frame batch = make_batch();
  Asked waiting = broker.send(fetch_request("t", 0, 0, 500), 11);
  Asked written = broker.send(produce_request("t", 0, batch), 9);
  EXPECT_EQ(broker.counting->rings, 0);
  EXPECT_FALSE(broker.resume(waiting));
  broker->run_flushes(broker.clock.now());
  EXPECT_EQ(broker.counting->rings, 2);
  ASSERT_TRUE(broker.resume(waiting));
  EXPECT_EQ(TestBroker::answer_of<FetchResponse>(waiting, 11).responses[0].partitions[0].high_watermark, 1);
}

TEST(Commit, TheLargestTimestampIsOneThatReadersSee) {
  // Fails if ListOffsets answers "none", or shows an offset that is not on the disk, because a newer batch is on its
  // way there.
  TestBroker broker(core::Overrides{{"iolab.flush", "commit"}});
  broker.create("t");
  const auto largest = [&] {
    protocol::ListOffsetsRequest request;
    request.topics.push_back(
        {.name = "t", .partitions = {{.partition_index = 0, .timestamp = protocol::kMaxTimestamp}}});
    return broker.ask<protocol::ListOffsetsResponse>(request, 7).topics[0].partitions[0];
  };
  const Frame older = make_batch({.timestamp_ms = 1'700'000'000'000});
  const Frame newer = make_batch({.timestamp_ms = 1'700'000'005'000});
  Asked first = broker.send(produce_request("t", 0, older), 9);
  broker->run_flushes(broker.clock.now());
  Asked second = broker.send(produce_request("t", 0, newer), 9);
  EXPECT_EQ(largest().offset, 0);
  EXPECT_EQ(largest().timestamp, 1'700'000'000'000);
  broker->run_flushes(broker.clock.now());
  EXPECT_EQ(largest().offset, 1);
}

TestBroker* appends_during_sync = nullptr;

TEST(Commit, WhatIsAppendedDuringASyncIsAnnouncedByTheNext) {
  // Fails if a long poll sleeps to its end although the next sync made data readable: its bytes were announced too
  // early, with a sync that did not cover them.
  static std::optional<Asked> during;
  during.reset();
  const storage::FileHooks hooks{.count =
                                     [](storage::FileCall call, std::int64_t) {
                                       if (call != storage::FileCall::fdatasync || appends_during_sync == nullptr)
                                         return;
                                       TestBroker& broker = *std::exchange(appends_during_sync, nullptr);
                                       static const Frame batch = make_batch();
                                       during = broker.send(produce_request("t", 0, batch), 9);
                                     },
                                 .fail = nullptr};
  TestBroker broker(core::Overrides{{"iolab.flush", "commit"}}, hooks);
  broker.create("t");
  broker->run_flushes(broker.clock.now());
  const Frame batch = make_batch();
  Asked first = broker.send(produce_request("t", 0, batch), 9);
  appends_during_sync = &broker;
  broker->run_flushes(broker.clock.now());  // syncs the first; the second comes meanwhile
  ASSERT_TRUE(during);
  Asked poll = broker.send(fetch_request("t", 0, 1, 5000), 11);
  ASSERT_EQ(poll.outcome.kind, Outcome::Kind::parked);
  broker->run_flushes(broker.clock.now());
  EXPECT_TRUE(broker.resume(poll)) << "nobody rang for what the second sync made readable";
  during.reset();
}

TEST(Commit, AMarkerAppendedDuringASyncDecidesNothingYet) {
  SCOPED_TRACE("fails if a reader of committed records is shown what a power cut could make undecided again");
  static const protocol::TransactionMarker marker{.producer_id = 3, .producer_epoch = 0, .commit = true};
  const storage::FileHooks hooks{
      .count =
          [](storage::FileCall call, std::int64_t) {
            if (call != storage::FileCall::fdatasync || appends_during_sync == nullptr) return;
            TestBroker& broker = *std::exchange(appends_during_sync, nullptr);
            core::Wakeups wakeups;
            const auto partition = broker->topics().find("t")->partitions.at(0);
            EXPECT_TRUE(partition->end_transaction(marker, broker.clock.now(), nullptr, wakeups));
          },
      .fail = nullptr};
  TestBroker broker(core::Overrides{{"iolab.flush", "commit"}, {"transaction.partition.verification.enable", "false"}},
                    hooks);
  broker.create("t");
  broker->run_flushes(broker.clock.now());
  const Frame batch =
      make_batch({.builder = {.producer_id = 3, .producer_epoch = 0, .base_sequence = 0, .transactional = true}});
  auto request = produce_request("t", 0, batch);
  request.transactional_id = "tx";
  Asked written = broker.send(request, 9);
  const auto offsets = [&] { return broker->topics().find("t")->partitions.at(0)->offsets().value(); };
  appends_during_sync = &broker;
  broker->run_flushes(broker.clock.now());  // syncs the batch; its marker comes meanwhile
  EXPECT_EQ(appends_during_sync, nullptr);
  EXPECT_EQ(offsets().high_watermark, 1);
  EXPECT_EQ(offsets().last_stable_offset, 0);
  broker->run_flushes(broker.clock.now());
  EXPECT_EQ(offsets().last_stable_offset, 2);
}

TEST(Commit, AfterACrashEverythingIsReadableFromTheFirstRequestOn) {
  // Fails if a consumer that comes right after a restart is told that its offset is out of range, because what was
  // acknowledged still waits for a sync.
  TestBroker broker(core::Overrides{{"iolab.flush", "commit"}});
  broker.create("t");
  const Frame batch = make_batch();
  Asked written = broker.send(produce_request("t", 0, batch), 9);
  broker.crash_and_reopen();
  const auto answer = broker.ask<FetchResponse>(fetch_request("t", 0, 1), 11).responses[0].partitions[0];
  EXPECT_EQ(answer.error_code, ErrorCode::none);
  EXPECT_EQ(answer.high_watermark, 1);
}

TEST(Commit, ADuplicateWaitsForItsFirstCopy) {
  // Fails if a retry is acknowledged while the batch that it repeats is not on the disk.
  TestBroker broker(core::Overrides{{"iolab.flush", "commit"}});
  broker.create("t");
  const Frame batch = make_batch({.builder = {.producer_id = 3, .producer_epoch = 0, .base_sequence = 0}});
  Asked first = broker.send(produce_request("t", 0, batch), 9);
  Asked retry = broker.send(produce_request("t", 0, batch), 9);
  EXPECT_EQ(retry.outcome.kind, Outcome::Kind::parked);
  broker->run_flushes(broker.clock.now());
  ASSERT_TRUE(broker.resume(retry));
  EXPECT_EQ(code_of(retry), ErrorCode::none);
}

TEST(Commit, AfterAFailedSyncNothingIsAcknowledged) {
  // Fails if the broker tries a failed fsync again (the kernel would say yes) or acknowledges anything after it.
  TestBroker broker(core::Overrides{{"iolab.flush", "commit"}}, watching_syncs());
  broker.create("t", 2);
  broker->run_flushes(broker.clock.now());
  const Frame batch = make_batch();
  Asked lost = broker.send(produce_request("t", 0, batch), 9);
  sync_fails = true;
  broker->run_flushes(broker.clock.now());
  sync_fails = false;
  ASSERT_TRUE(broker.resume(lost));
  EXPECT_EQ(code_of(lost), ErrorCode::kafka_storage_error);
  for (std::int32_t partition : {0, 1}) {
    const int before = syncs;
    Asked later = broker.send(produce_request("t", partition, batch), 9);
    broker->run_flushes(broker.clock.now());
    ASSERT_TRUE(broker.resume(later));
    EXPECT_EQ(code_of(later), ErrorCode::kafka_storage_error) << "partition " << partition;
    EXPECT_EQ(syncs, before) << "it was tried again";
  }
  EXPECT_EQ(broker.send(produce_request("t", 0, batch, 0), 9).outcome.kind, Outcome::Kind::close);
}

TEST(Interval, SyncsWhenTheIntervalIsOver) {
  // Fails if data stays unsynced for longer than log.flush.interval.ms, or is synced for each append.
  TestBroker broker(core::Overrides{{"iolab.flush", "interval"}, {"log.flush.interval.ms", "200"}}, watching_syncs());
  broker.create("t");
  broker.clock.advance(200);
  broker->run_flushes(broker.clock.now());
  syncs = 0;
  const Frame batch = make_batch();
  EXPECT_EQ(broker.send(produce_request("t", 0, batch), 9).outcome.kind, Outcome::Kind::answered);
  EXPECT_EQ(broker.send(produce_request("t", 0, batch), 9).outcome.kind, Outcome::Kind::answered);
  EXPECT_EQ(broker->flushes().next(), broker.clock.steady_ms + 200);
  broker.clock.advance(199);
  broker->run_flushes(broker.clock.now());
  EXPECT_EQ(syncs, 0);
  broker.clock.advance(1);
  broker->run_flushes(broker.clock.now());
  EXPECT_EQ(syncs, 1);
  EXPECT_EQ(broker->flushes().next(), core::Deadlines::kNever) << "an idle broker has nothing to sync";
}

TEST(Os, NeverSyncsForAnAnswer) {
  // Fails if the default pays for a durability that it does not promise.
  TestBroker broker({}, watching_syncs());
  broker.create("t");
  broker->run_flushes(broker.clock.now());
  syncs = 0;
  const Frame batch = make_batch();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(code_of(broker.send(produce_request("t", 0, batch), 9)), ErrorCode::none);
  broker->run_flushes(broker.clock.now());
  EXPECT_EQ(syncs, 0);
}

TEST(Retention, DeletesOldSegmentsAndMovesTheStart) {
  // Fails if a partition grows for ever, or a reader is not told that its offset is gone.
  TestBroker broker(core::Overrides{{"log.retention.check.interval.ms", "1000"}});
  broker.create("t", 1, {{"segment.bytes", "1024"}, {"retention.bytes", "3000"}});
  for (int i = 0; i < 20; ++i) {
    const Frame batch = make_batch({.value_bytes = 500});
    EXPECT_EQ(code_of(broker.send(produce_request("t", 0, batch), 9)), ErrorCode::none);
  }
  broker.clock.advance(1000);
  EXPECT_EQ(broker->run_timers(broker.clock.now()), broker.clock.steady_ms + 1000);
  broker->run_flushes(broker.clock.now());
  const auto answer = broker.ask<FetchResponse>(fetch_request("t", 0, 0), 11).responses[0].partitions[0];
  EXPECT_EQ(answer.error_code, ErrorCode::offset_out_of_range);
  const auto end = broker.ask<FetchResponse>(fetch_request("t", 0, 20), 11).responses[0].partitions[0];
  EXPECT_EQ(end.high_watermark, 20);
  EXPECT_GT(end.log_start_offset, 0);
  broker.close_and_reopen();
  const auto after = broker.ask<FetchResponse>(fetch_request("t", 0, 20), 11).responses[0].partitions[0];
  EXPECT_EQ(after.log_start_offset, end.log_start_offset);
  EXPECT_EQ(after.high_watermark, 20);
}

}  // namespace
}  // namespace iolab::handlers
