// A session without a socket: a failure here means that an answer depends on how the bytes were cut, that a connection
// holds memory that it was only told to need, or that requests overtake each other.
#include "broker/session/kafka_session.h"

#include <gtest/gtest.h>

#include "broker/protocol/messages/18_api_versions.h"
#include "tests/broker/base/allocations.h"
#include "tests/broker/session/conversations.h"
#include "tests/broker/session/paper_connection.h"

namespace iolab::session {
namespace {

using protocol::ApiVersionsRequest;
using test::Frame;
using test::TestBroker;

Frame hello(std::int32_t correlation_id = 7) {
  return test::request_frame(ApiVersionsRequest{"test", "1"}, 3, correlation_id);
}

Frame together(const std::vector<Frame>& frames) {
  Frame all;
  for (const Frame& frame : frames) all.insert(all.end(), frame.begin(), frame.end());
  return all;
}

// The correlation ids of the answers, in order; the test fails if the answers are not whole frames.
std::vector<std::int32_t> ids_of(base::Bytes answers) {
  std::vector<std::int32_t> ids;
  while (!answers.empty()) {
    if (answers.size() < 8) {
      ADD_FAILURE() << "half an answer";
      return ids;
    }
    const auto size = static_cast<std::size_t>(base::load_big_endian<std::int32_t>(answers.data())) + 4;
    if (size > answers.size()) {
      ADD_FAILURE() << "a torn answer";
      return ids;
    }
    ids.push_back(base::load_big_endian<std::int32_t>(answers.data() + 4));
    answers = answers.subspan(size);
  }
  return ids;
}

TEST(KafkaSession, AnswersDoNotDependOnHowBytesAreCut) {
  // Fails if any cut of the same stream gives another answer.
  const std::vector<Frame> conversations = test::make_conversations(11, 12);
  const auto run = [&](const test::Pieces& pieces) {
    TestBroker broker(core::Overrides{{"iolab.cluster.id", "test"}});
    std::vector<Frame> answers;
    for (const Frame& conversation : conversations) answers.push_back(test::play(broker, conversation, pieces));
    return answers;
  };
  const auto expected = run(test::whole());
  EXPECT_GT(together(expected).size(), 10'000U) << "the conversations are too dull to show anything";
  EXPECT_EQ(run(test::one_byte()), expected);
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    EXPECT_EQ(run(test::random_pieces(seed, 50)), expected) << "seed " << seed;
    EXPECT_EQ(run(test::random_pieces(seed, 5000)), expected) << "seed " << seed;
  }
}

TEST(KafkaSession, AnswersComeInTheOrderOfTheRequests) {
  // Fails if an answer that is ready overtakes one that waits for the disk.
  TestBroker broker(core::Overrides{{"iolab.flush", "commit"}});
  broker.create("t");
  broker->run_flushes(broker.clock.now());
  const Frame batch = test::make_batch();
  const Frame script = together({hello(1), test::request_frame(test::produce_request("t", 0, batch), 9, 2), hello(3),
                                 test::request_frame(test::produce_request("t", 0, batch), 9, 4), hello(5)});
  int turns = 0;
  KafkaSession session(*broker, broker.clock, io::Waker());
  const Frame answers = test::play(session, script, test::whole(), [&] {
    ++turns;
    broker->run_flushes(broker.clock.now());
  });
  EXPECT_EQ(ids_of(answers), (std::vector<std::int32_t>{1, 2, 3, 4, 5}));
  EXPECT_EQ(turns, 1) << "requests behind the one that waited for the disk were not taken";
}

TEST(KafkaSession, AFetchThatWaitsHoldsBackWhatIsBehindIt) {
  // Fails if a request is answered before the long poll in front of it.
  TestBroker broker;
  broker.create("t");
  const Frame script = together({test::request_frame(test::fetch_request("t", 0, 0, 500), 11, 1), hello(2)});
  int turns = 0;
  KafkaSession session(*broker, broker.clock, io::Waker());
  const Frame answers = test::play(session, script, test::whole(), [&] {
    if (++turns == 3) broker.clock.advance(500);
  });
  EXPECT_EQ(ids_of(answers), (std::vector<std::int32_t>{1, 2}));
  EXPECT_EQ(turns, 3);
}

TEST(KafkaSession, BadFramesCloseAfterWhatIsOwed) {
  // Fails if a bad frame swallows the answers before it, is answered itself, or leaves the connection open.
  const std::vector<Frame> bad{
      {std::byte{0xff}, std::byte{0xff}, std::byte{0xff}, std::byte{0xff}},
      {std::byte{0x7f}, std::byte{0xff}, std::byte{0xff}, std::byte{0xff}},
      {std::byte{6}, std::byte{0x40}, std::byte{0}, std::byte{1}},  // one byte over socket.request.max.bytes
      {std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0}},
      {std::byte{0}, std::byte{0}, std::byte{0}, std::byte{3}, std::byte{0}, std::byte{18}, std::byte{0}}};
  for (const Frame& frame : bad) {
    TestBroker broker;
    KafkaSession session(*broker, broker.clock, io::Waker());
    const Frame answers = test::play(session, together({hello(1), hello(2), frame, hello(3)}), test::whole(), [] {});
    EXPECT_EQ(ids_of(answers), (std::vector<std::int32_t>{1, 2}));
    EXPECT_EQ(session.want(), io::Want::close);
  }
}

TEST(KafkaSession, GrowsWithWhatArrivedNotWithWhatWasDeclared) {
  // Fails if 100 MB are set aside on the word of four bytes.
  TestBroker broker;
  KafkaSession session(*broker, broker.clock, io::Waker());
  std::size_t received = 0;
  const auto receive = [&](std::size_t bytes) {
    session.received(bytes);
    received += bytes;
  };
  std::span<std::byte> room = session.input();
  base::store_big_endian(room.data(), std::int32_t{100'000'000});
  receive(8);
  while (received < 3'000'000) {
    room = session.input();
    ASSERT_FALSE(room.empty());
    ASSERT_LE(room.size(), 4 * received + 8192) << "after " << received << " bytes";
    receive(room.size());
  }
}

TEST(KafkaSession, AnIdleConnectionHoldsNoBuffer) {
  // Fails if each idle connection keeps a buffer that it is not using.
  TestBroker broker;
  KafkaSession session(*broker, broker.clock, io::Waker());
  EXPECT_LE(sizeof session, 512U);
  const std::byte* const first = session.input().data();
  session.received(0);
  EXPECT_EQ(session.want(), io::Want::close);
  KafkaSession other(*broker, broker.clock, io::Waker());
  EXPECT_EQ(other.input().data(), first) << "the buffer was not given back";
}

TEST(KafkaSession, WithoutMemoryOneConnectionEnds) {
  // Fails if an exception leaves a session, and with it ends the loop that serves all the others.
  TestBroker broker;
  KafkaSession session(*broker, broker.clock, io::Waker());
  std::size_t room = 0;
  {
    const test::NoMemory none;
    room = session.input().size();
    session.received(room);
  }
  EXPECT_EQ(room, 1U) << "there has to be room, or the front-end would take this for the peer's end";
  EXPECT_EQ(session.want(), io::Want::close);

  KafkaSession asking(*broker, broker.clock, io::Waker());
  const Frame script = hello(1);
  std::ranges::copy(script, asking.input().begin());
  {
    const test::NoMemory none;
    asking.received(script.size());
  }
  EXPECT_EQ(asking.want(), io::Want::close);

  KafkaSession answering(*broker, broker.clock, io::Waker());
  std::ranges::copy(script, answering.input().begin());
  answering.received(script.size());
  ASSERT_EQ(answering.want(), io::Want::send);
  std::size_t pieces = 0;
  {
    const test::NoMemory none;
    pieces = answering.output().size();
  }
  EXPECT_EQ(pieces, 1U);
}

TEST(KafkaSession, OutputStopsAtTheHighWaterMark) {
  // Fails if a client that asks without reading makes the broker hold all the answers.
  TestBroker broker(core::Overrides{{"iolab.output.high.water.bytes", "100000"}});
  broker.create("t");
  const Frame batch = test::make_batch({.value_bytes = 50'000});
  (void)broker.ask<protocol::ProduceResponse>(test::produce_request("t", 0, batch), 9);
  std::vector<Frame> requests;
  for (int i = 0; i < 30; ++i) requests.push_back(test::request_frame(test::fetch_request("t", 0, 0), 11, i));
  const Frame script = together(requests);
  KafkaSession session(*broker, broker.clock, io::Waker());
  std::size_t at = 0;
  while (session.want() == io::Want::receive) {
    const auto room = session.input();
    const std::size_t bytes = std::min(room.size(), script.size() - at);
    std::copy_n(script.begin() + static_cast<std::ptrdiff_t>(at), bytes, room.begin());
    at += bytes;
    session.received(bytes);
  }
  std::size_t waiting = 0;
  for (const iovec& piece : session.output()) waiting += piece.iov_len;
  EXPECT_LE(waiting, 200'000U);
  EXPECT_EQ(ids_of(test::play(broker, script)).size(), 30U) << "and all are answered in the end";
}

TEST(KafkaSession, TwentyMillionTaggedFieldsAreNotBelieved) {
  // Fails if a frame of 40 MB of empty tagged fields keeps the broker busy, or is answered.
  TestBroker broker;
  base::GatherBuffer out;
  const auto start = protocol::start_frame(out);
  out.append_big_endian(std::int16_t{18});
  out.append_big_endian(std::int16_t{3});
  out.append_big_endian(std::int32_t{1});
  out.append_big_endian(std::int16_t{-1});
  for (const std::uint8_t byte : {0x80, 0xda, 0xc4, 0x09}) out.append_byte(byte);  // 20,000,000
  const std::vector<std::byte> tags(40'000'000);
  out.append(tags);
  ASSERT_TRUE(protocol::finish_frame(out, start, true));
  EXPECT_TRUE(test::play(broker, out.flat()).empty());
  EXPECT_EQ(ids_of(test::play(broker, hello(1))).size(), 1U) << "the broker did not survive";
}

}  // namespace
}  // namespace iolab::session
