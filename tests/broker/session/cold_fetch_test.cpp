// Fetch of what is not in memory: a failure here means that everybody waits for one reader's disk, or that an answer
// read by somebody else differs from one that was read at once.
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <future>
#include <memory>
#include <vector>

#include "broker/session/cold_readers.h"
#include "tests/broker/core/test_broker.h"

namespace iolab::session {
namespace {

using handlers::Outcome;
using protocol::ErrorCode;
using protocol::FetchResponse;
using protocol::ProduceResponse;
using test::Asked;
using test::fetch_request;
using test::make_batch;
using test::TestBroker;

constexpr std::int16_t kVersion = 11;
std::atomic<bool> nothing_in_memory = false;

// preadv2() is the only call that asks without waiting.
storage::FileHooks cold_disk() {
  nothing_in_memory = false;
  return {.count = nullptr, .fail = [](storage::FileCall call) {
            return call == storage::FileCall::preadv2 && nothing_in_memory ? EAGAIN : 0;
          }};
}

// Keeps what it is asked for until the test reads it.
class Held final : public core::ColdReader {
 public:
  void add(std::shared_ptr<core::ColdRead> read) override { reads.push_back(std::move(read)); }
  std::vector<std::shared_ptr<core::ColdRead>> reads;
};

class ColdFetch : public testing::Test {
 protected:
  ColdFetch() : broker_({}, cold_disk()) {
    broker_.create("t");
    for (int i = 0; i < 3; ++i) append();
    warm_ = records(broker_.ask<FetchResponse>(fetch_request("t", 0, 0), kVersion));
    broker_->set_cold_reader(&held_);
  }
  ~ColdFetch() override { broker_->set_cold_reader(nullptr); }

  void append() {
    const auto batch = make_batch({.records = 5, .value_bytes = 20'000});
    const auto answer = broker_.ask<ProduceResponse>(test::produce_request("t", 0, batch), 9);
    ASSERT_EQ(answer.responses[0].partition_responses[0].error_code, ErrorCode::none);
  }
  static test::Frame records(const FetchResponse& response) {
    const auto& partition = response.responses.at(0).partitions.at(0);
    EXPECT_EQ(partition.error_code, ErrorCode::none);
    if (!partition.records) return {};
    return {partition.records->bytes.begin(), partition.records->bytes.end()};
  }
  test::Frame answer_of(const Asked& asked) { return records(TestBroker::answer_of<FetchResponse>(asked, kVersion)); }

  TestBroker broker_;
  Held held_;
  test::Frame warm_;  // what a fetch from offset 0 answers
};

TEST_F(ColdFetch, WhatIsInMemoryIsAnsweredAtOnce) {
  // Fails if a fetch of fresh records takes the way over another thread.
  const auto asked = broker_.send(fetch_request("t", 0, 0), kVersion);
  ASSERT_EQ(asked.outcome.kind, Outcome::Kind::answered);
  EXPECT_TRUE(held_.reads.empty());
  EXPECT_EQ(answer_of(asked), warm_);
}

TEST_F(ColdFetch, WhatIsNotIsWaitedForByTheOneWhoAsked) {
  // Fails if a cold fetch is read by the thread that serves all others, or is answered before it was read.
  nothing_in_memory = true;
  auto asked = broker_.send(fetch_request("t", 0, 0), kVersion);
  ASSERT_EQ(asked.outcome.kind, Outcome::Kind::parked);
  EXPECT_TRUE(asked.outcome.parked->holds_back());
  EXPECT_FALSE(broker_.resume(asked));
  ASSERT_EQ(held_.reads.size(), 1U);
  const int rings = broker_.counting->rings;
  held_.reads[0]->run();
  EXPECT_EQ(broker_.counting->rings, rings + 1);
  ASSERT_TRUE(broker_.resume(asked));
  EXPECT_EQ(answer_of(asked), warm_);
}

TEST_F(ColdFetch, AnOrderThatFailsIsReadTheOrdinaryWay) {
  // Fails if a short or refused read of the kernel's reaches a client.
  nothing_in_memory = true;
  for (const std::int64_t result : {std::int64_t{-EIO}, std::int64_t{-EBADF}, std::int64_t{0}, std::int64_t{100}}) {
    held_.reads.clear();
    auto asked = broker_.send(fetch_request("t", 0, 0), kVersion);
    ASSERT_EQ(held_.reads.size(), 1U);
    (void)held_.reads[0]->order();
    held_.reads[0]->finish(result);
    ASSERT_TRUE(broker_.resume(asked)) << result;
    EXPECT_EQ(answer_of(asked), warm_) << result;
  }
}

TEST_F(ColdFetch, ALongPollThatEndsInTheColdWaitsOnceMore) {
  // Fails if a wait for data is answered without it, because it also had to wait for the disk.
  auto asked = broker_.send(fetch_request("t", 0, 15, 1000), kVersion);
  ASSERT_EQ(asked.outcome.kind, Outcome::Kind::parked);
  nothing_in_memory = true;
  append();
  EXPECT_FALSE(broker_.resume(asked));
  ASSERT_EQ(held_.reads.size(), 1U);
  held_.reads[0]->run();
  ASSERT_TRUE(broker_.resume(asked));
  EXPECT_FALSE(answer_of(asked).empty());
}

TEST_F(ColdFetch, WhoHangsUpLeavesNothingBehind) {
  // Fails if a read that ends after its connection touches what is gone.
  nothing_in_memory = true;
  {
    const auto asked = broker_.send(fetch_request("t", 0, 0), kVersion);
  }
  ASSERT_EQ(held_.reads.size(), 1U);
  EXPECT_EQ(held_.reads[0].use_count(), 1);
  held_.reads[0]->run();
  EXPECT_TRUE(held_.reads[0]->done());
}

// Rings once.
class Bell final : public core::Sleeper {
 public:
  void wake() override { rung_.set_value(); }
  std::future<void> future() { return rung_.get_future(); }

 private:
  std::promise<void> rung_;
};

TEST_F(ColdFetch, BothReadersReadTheSameBytes) {
  // Fails if the pool or the ring loses a read, never wakes who waits for it, or reads something else.
  for (const std::string way : {"pool", "io_uring"}) {
    auto reader = make_cold_reader(way);
    if (!reader && way == "io_uring") GTEST_SKIP() << reader.error();
    ASSERT_TRUE(reader) << reader.error();
    broker_->set_cold_reader(reader->get());
    nothing_in_memory = true;
    for (int i = 0; i < 200; ++i) {
      const auto bell = std::make_shared<Bell>();
      auto rung = bell->future();
      broker_.sleeper = bell;
      auto asked = broker_.send(fetch_request("t", 0, 0), kVersion);
      ASSERT_EQ(asked.outcome.kind, Outcome::Kind::parked);
      ASSERT_EQ(rung.wait_for(std::chrono::seconds(20)), std::future_status::ready) << way;
      ASSERT_TRUE(broker_.resume(asked)) << way;
      ASSERT_EQ(answer_of(asked), warm_) << way;
    }
    broker_->set_cold_reader(&held_);
  }
}

TEST_F(ColdFetch, AReaderEndsWithWorkInHand) {
  // Fails if a stop waits for ever, or a read is freed under the kernel's hands.
  for (const std::string way : {"pool", "io_uring"}) {
    auto reader = make_cold_reader(way);
    if (!reader) continue;
    broker_->set_cold_reader(reader->get());
    nothing_in_memory = true;
    std::vector<Asked> asked;
    for (int i = 0; i < 100; ++i) asked.push_back(broker_.send(fetch_request("t", 0, 0), kVersion));
    reader->reset();
    broker_->set_cold_reader(&held_);
  }
}

}  // namespace
}  // namespace iolab::session
