// What a connection may rely on, whichever model carries it: every byte, in order, whatever the pieces, and an answer
// to each request, whoever makes it and whenever. Every model passes with each value of its options.
#include <functional>
#include <random>
#include <thread>

#include "tests/io_models/contract.h"

namespace iolab::io::contract {

class Conversation : public Contract {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Conversation);
INSTANTIATE_TEST_SUITE_P(Models, Conversation, testing::ValuesIn(socket_models_with_options()), test_name);

// The client's sending half, beside the test: a client that only writes stalls once the server waits for its reader.
std::jthread sending(Client& client, std::string bytes) {
  return std::jthread([&client, bytes = std::move(bytes)] { client.send(bytes); });
}

TEST_P(Conversation, Echo) {
  // Failure: one small request is not answered, or answered with other bytes.
  start();
  Client client = connect();
  EXPECT_EQ(client.ask(kEcho, "hello"), "hello");
  EXPECT_EQ(client.ask(kEcho, ""), "");
}

TEST_P(Conversation, PipelinedTwoMegabytes) {
  // Failure: with many requests under way, an answer is lost, repeated, out of order or torn, or both sides wait.
  start();
  Client client = connect();
  std::string all;
  for (int i = 0; i < 200; ++i) all += request(kEcho, std::to_string(i) + pattern(10'000));
  const std::jthread sender = sending(client, all);
  for (int i = 0; i < 200; ++i) ASSERT_EQ(client.receive_answer(), std::to_string(i) + pattern(10'000)) << i;
}

TEST_P(Conversation, ByteByByte) {
  // Failure: a request that arrives in single bytes is not put together, or answered twice.
  start();
  Client client = connect();
  for (const char byte : request(kEcho, "one at a time") + request(kEcho, "again")) client.send({&byte, 1});
  EXPECT_EQ(client.receive_answer(), "one at a time");
  EXPECT_EQ(client.receive_answer(), "again");
}

TEST_P(Conversation, RandomPieces) {
  // Failure: the answers depend on how the stream was cut into packets.
  start({}, 4096);
  Client client = connect();
  std::mt19937 random(20'261'122);
  std::string all, expected;
  for (int i = 0; i < 300; ++i) {
    const std::string body = pattern(random() % 9000);
    all += request(i % 7 == 3 ? kLater : kEcho, body);
    expected += framed(body);
  }
  const std::jthread sender([&] {
    for (std::size_t at = 0; at < all.size();) {
      const std::size_t piece = std::min<std::size_t>(1 + random() % 6000, all.size() - at);
      client.send(std::string_view(all).substr(at, piece));
      at += piece;
    }
  });
  EXPECT_EQ(client.receive(expected.size()), expected);
}

TEST_P(Conversation, ReaderThatReadsNothingThenEverything) {
  // Failure: bytes of an answer that does not fit into the socket are lost, or one slow reader holds up the others.
  start();
  Client slow = connect();
  slow.send(request(kBig, std::to_string(kTooMuch)) + request(kEcho, "after it"));
  ASSERT_TRUE(eventually([&] { return slow.unread() > 0; })) << "the answer never began";
  Client other = connect();
  for (int i = 0; i < 50; ++i) ASSERT_EQ(other.ask(kEcho, "meanwhile"), "meanwhile");
  EXPECT_EQ(slow.receive_answer(), pattern(kTooMuch));
  EXPECT_EQ(slow.receive_answer(), "after it");
}

TEST_P(Conversation, SlowReaderCostsNoSpinning) {
  // Failure: a full socket makes the server ask again and again whether it may send.
  start();
  Client slow = connect();
  slow.send(request(kBig, std::to_string(kTooMuch)));
  ASSERT_TRUE(eventually([&, last = std::size_t{0}, same = 0]() mutable {
    const std::size_t now = slow.unread();
    same = std::exchange(last, now) == now && now > 0 ? same + 1 : 0;
    return same == 50;  // 100 ms: the socket is full, as far as one can see from here
  }));
  Client other = connect();
  ASSERT_EQ(other.ask(kEcho, "there"), "there");
  expect_rest(other, 300, 50);
}

TEST_P(Conversation, ManyConnectionsAtOnce) {
  // Failure: answers reach the wrong peer, or some connection is forgotten while others are busy.
  const std::size_t how_many = 40;
  start(room_for(how_many));
  std::vector<Client> clients;
  for (std::size_t i = 0; i < how_many; ++i) clients.push_back(connect());
  for (int round = 0; round < 20; ++round) {
    for (std::size_t i = 0; i < how_many; ++i) clients[i].send(request(kEcho, "peer " + std::to_string(i)));
    for (std::size_t i = 0; i < how_many; ++i) ASSERT_EQ(clients[i].receive_answer(), "peer " + std::to_string(i));
  }
}

TEST_P(Conversation, AnswerFromAnotherThread) {
  // Failure: a wake-up is lost when it comes from another thread, above all while the connection is just going to wait.
  start();
  Client client = connect();
  for (int i = 0; i < 500; ++i) ASSERT_EQ(client.ask(kLater, std::to_string(i)), std::to_string(i));
}

TEST_P(Conversation, ManyAnswersFromAnotherThread) {
  // Failure: of several wake-ups that come together, one is swallowed.
  const std::size_t how_many = 10;
  start();
  std::vector<Client> clients;
  for (std::size_t i = 0; i < how_many; ++i) clients.push_back(connect());
  for (int round = 0; round < 100; ++round) {
    for (Client& client : clients) client.send(request(kLater, std::to_string(round)) + request(kEcho, "and"));
    for (Client& client : clients) ASSERT_EQ(client.receive_answer(), std::to_string(round));
    for (Client& client : clients) ASSERT_EQ(client.receive_answer(), "and");
  }
}

TEST_P(Conversation, WokenWhileAnEarlierAnswerIsBeingSent) {
  // Failure: a wake-up that comes while the session still wants to send is dropped, and the next wait never ends.
  start();
  Client client = connect(), other = connect();
  client.send(request(kBig, std::to_string(kTooMuch)) + request(kPark, "key"));
  ASSERT_TRUE(host().wait_until_parked(1));
  ASSERT_TRUE(eventually([&] { return client.unread() > 0; }));
  EXPECT_EQ(other.ask(kRelease, "key"), "1");
  EXPECT_EQ(client.receive_answer(), pattern(kTooMuch));
  EXPECT_EQ(client.receive_answer(), "key");
}

TEST_P(Conversation, ParkedUntilAnotherConnectionReleases) {
  // Failure: a request that waits for another connection's request is not answered, or stops those that do not wait.
  start();
  Client parked = connect(), releasing = connect();
  parked.send(request(kPark, "key") + request(kEcho, "behind it"));
  ASSERT_TRUE(host().wait_until_parked(1));
  EXPECT_EQ(releasing.ask(kEcho, "not held up"), "not held up");
  EXPECT_TRUE(parked.silent(50)) << "answered before it was released";
  EXPECT_EQ(releasing.ask(kRelease, "key"), "1");
  EXPECT_EQ(parked.receive_answer(), "key");
  EXPECT_EQ(parked.receive_answer(), "behind it");
}

TEST_P(Conversation, ParkedUntilTheTestReleases) {
  // Failure: a wake-up from a thread that the front-end does not know is lost while the server sleeps.
  start();
  Client client = connect();
  for (int i = 0; i < 20; ++i) {
    client.send(request(kPark, "key"));
    ASSERT_TRUE(host().wait_until_parked(1));
    EXPECT_EQ(host().release("key"), 1u);
    ASSERT_EQ(client.receive_answer(), "key");
  }
}

TEST_P(Conversation, BytesThatArriveWhileParked) {
  // Failure: what a client pipelines behind a parked request is lost, unbounded in memory, or makes the server spin.
  start({}, 4096);
  Client client = connect(), other = connect();
  client.send(request(kPark, "key"));
  ASSERT_TRUE(host().wait_until_parked(1));
  std::string behind;
  for (int i = 0; i < 100; ++i) behind += request(kEcho, std::to_string(i) + pattern(30'000));
  const std::jthread sender = sending(client, behind);  // 3 MB: it has to stand still in between
  ASSERT_EQ(other.ask(kEcho, "beside"), "beside");
  expect_rest(client, 200, 300);  // some may be taken early, up to a bound
  EXPECT_EQ(other.ask(kRelease, "key"), "1");
  EXPECT_EQ(client.receive_answer(), "key");
  for (int i = 0; i < 100; ++i) ASSERT_EQ(client.receive_answer(), std::to_string(i) + pattern(30'000)) << i;
}

TEST_P(Conversation, HalfCloseThenEnd) {
  // Failure: a client that has said everything does not get the last answer, or not the end of the stream after it.
  start();
  Client client = connect();
  client.send(request(kEcho, "last words"));
  client.half_close();
  EXPECT_EQ(client.receive_answer(), "last words");
  EXPECT_EQ(client.discard_until_end(), 0u);
  EXPECT_FALSE(client.ended_by_reset());
  EXPECT_TRUE(host().wait_until_sessions(0));
}

TEST_P(Conversation, HalfCloseWithALargeAnswerOwed) {
  // Failure: a half-closed connection is torn down although its answer is still being sent.
  start();
  Client client = connect();
  client.send(request(kBig, std::to_string(12 << 20)));
  client.half_close();
  EXPECT_EQ(client.receive_answer(), pattern(12 << 20));
  EXPECT_EQ(client.discard_until_end(), 0u);
  EXPECT_TRUE(host().wait_until_sessions(0));
}

TEST_P(Conversation, HalfCloseBehindBytesThatWaitForAParkedAnswer) {
  // Failure: bytes and the peer's end, both reported while nobody could read, are taken for one: the end is never read,
  // and the connection stays for ever.
  start();
  Client parked = connect();
  Client other = connect();
  parked.send(request(kPark, "key"));
  ASSERT_TRUE(host().wait_until_parked(1));
  parked.send(request(kEcho, "behind it"));
  EXPECT_EQ(other.ask(kEcho, "the bytes were reported"), "the bytes were reported");
  parked.half_close();
  EXPECT_EQ(other.ask(kEcho, "the end was reported"), "the end was reported");
  EXPECT_EQ(other.ask(kRelease, "key"), "1");
  EXPECT_EQ(parked.receive_answer(), "key");
  EXPECT_EQ(parked.receive_answer(), "behind it");
  EXPECT_EQ(parked.discard_until_end(), 0U);
}

TEST_P(Conversation, HalfCloseWhileParked) {
  // Failure: a FIN is taken for a lost peer while an answer is owed, or makes the server spin until it is given.
  start();
  Client client = connect(), other = connect();
  client.send(request(kPark, "key"));
  client.half_close();
  ASSERT_TRUE(host().wait_until_parked(1));
  ASSERT_EQ(other.ask(kEcho, "beside"), "beside");
  expect_rest(client, 300, 50);
  EXPECT_EQ(other.ask(kRelease, "key"), "1");
  EXPECT_EQ(client.receive_answer(), "key");
  EXPECT_EQ(client.discard_until_end(), 0u);
  EXPECT_TRUE(host().wait_until_sessions(1));
}

TEST_P(Conversation, EndInTheMiddleOfARequest) {
  // Failure: half a request and then FIN leaves the connection open for ever, or answers what was never asked.
  start();
  Client client = connect();
  client.send(request(kEcho, "whole") + request(kEcho, "cut off").substr(0, 7));
  client.half_close();
  EXPECT_EQ(client.receive_answer(), "whole");
  EXPECT_EQ(client.discard_until_end(), 0u);
  EXPECT_TRUE(host().wait_until_sessions(0));
}

TEST_P(Conversation, ServerClosesWithOrdersOutstanding) {
  // Failure: the session wants to close, but the peer is not told: close() sends no FIN while a receive is pending.
  start();
  Client client = connect();
  ASSERT_EQ(client.ask(kEcho, "there"), "there");
  client.send(request(kClose));
  EXPECT_EQ(client.discard_until_end(), 0u);
  client.close();
  EXPECT_TRUE(host().wait_until_sessions(0));
}

TEST_P(Conversation, AnswerArrivesWholeBeforeClose) {
  // Failure: unread input turns close() into a reset, and the reset overtakes the answer.
  start({}, 1024);
  Client client = connect();
  client.send(request(kAnswerClose, std::to_string(8 << 20)) + pattern(60'000));
  EXPECT_EQ(client.receive_answer(), pattern(8 << 20));
  EXPECT_EQ(client.discard_until_end(), 0u);
  client.close();
  EXPECT_TRUE(host().wait_until_sessions(0));
}

}  // namespace iolab::io::contract
