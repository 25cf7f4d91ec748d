// Peers that vanish, descriptors that are used again, and wake-ups that come too late.
#include <thread>

#include "tests/io_models/contract.h"

namespace iolab::io::contract {

class LostPeers : public Contract {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(LostPeers);
INSTANTIATE_TEST_SUITE_P(Models, LostPeers, testing::ValuesIn(socket_models()), test_name);

TEST_P(LostPeers, ResetWhileParkedDoesNotSpin) {
  // Failure: hang-up is reported again and again for a connection that nobody reads (334,694 epoll_waits in 200 ms).
  start();
  Client parked = connect(), other = connect();
  parked.send(request(kPark, "key"));
  ASSERT_TRUE(host().wait_until_parked(1));
  parked.reset();
  if (has("notices-lost-peer")) {
    EXPECT_TRUE(host().wait_until_sessions(1)) << "the lost peer was not noticed at once";
  }
  ASSERT_EQ(other.ask(kEcho, "there"), "there");
  expect_rest(other, 300, 50);
  EXPECT_EQ(host().release("key"), 1u);  // of a connection that may be gone by now
  EXPECT_TRUE(host().wait_until_sessions(1)) << "noticed when the request ends, at the latest";
  EXPECT_EQ(other.ask(kEcho, "still there"), "still there");
}

TEST_P(LostPeers, ResetWhileIdle) {
  // Failure: a reset of an idle connection is not noticed, or takes another connection with it.
  start();
  Client idle = connect(), other = connect();
  ASSERT_EQ(idle.ask(kEcho, "there"), "there");
  ASSERT_EQ(other.ask(kEcho, "there"), "there");
  idle.reset();
  EXPECT_TRUE(host().wait_until_sessions(1));
  EXPECT_EQ(other.ask(kEcho, "still there"), "still there");
}

TEST_P(LostPeers, ResetInTheMiddleOfAnAnswer) {
  // Failure: sending to a peer that is gone kills the process (SIGPIPE), spins, or keeps the session for ever.
  start();
  Client reader = connect(), other = connect();
  reader.send(request(kBig, std::to_string(kTooMuch)));
  ASSERT_TRUE(eventually([&] { return reader.unread() > 0; }));
  reader.reset();
  ASSERT_EQ(other.ask(kEcho, "there"), "there");
  EXPECT_TRUE(host().wait_until_sessions(1));
  expect_rest(other, 200, 50);
}

TEST_P(LostPeers, WakingADeadConnectionIsHarmless) {
  // Failure: a late wake-up touches freed memory, or wakes whoever has the slot or the descriptor now.
  start();
  for (int round = 0; round < 20; ++round) {
    Client gone = connect();
    ASSERT_EQ(gone.ask(kEcho, "there"), "there");
    gone.reset();
    ASSERT_TRUE(host().wait_until_sessions(0));
  }
  Client parked = connect();  // in a slot, and with a descriptor, that dead connections had
  parked.send(request(kPark, "key"));
  ASSERT_TRUE(host().wait_until_parked(1));
  for (int round = 0; round < 50; ++round)
    for (const Waker& waker : host().wakers()) waker.wake();  // without reason for one, too late for the others
  EXPECT_TRUE(parked.silent(50));
  EXPECT_EQ(host().release("key"), 1u);
  EXPECT_EQ(parked.receive_answer(), "key");
  EXPECT_EQ(parked.ask(kEcho, "still there"), "still there");
  for (const Waker& waker : host().wakers()) waker.wake();  // wants receive: a wake-up without reason
  EXPECT_EQ(parked.ask(kEcho, "and now"), "and now");
}

TEST_P(LostPeers, WakingFromManyThreadsWhileConnectionsComeAndGo) {
  // Failure: a wake-up races with the end of its connection (sanitizers see what luck hides).
  start();
  std::jthread waking([this](std::stop_token end) {
    while (!end.stop_requested())
      for (const Waker& waker : host().wakers()) waker.wake();
  });
  for (int round = 0; round < (kSanitized ? 50 : 200); ++round) {
    Client client = connect();
    ASSERT_EQ(client.ask(kLater, std::to_string(round)), std::to_string(round));
    if (round % 2 == 0) client.reset();
  }
}

TEST_P(LostPeers, WakingAfterServeHasReturned) {
  // Failure: a Waker outlives its front-end and rings a bell, a thread or a ring that is no longer there.
  start();
  Client client = connect();
  client.send(request(kPark, "key"));
  ASSERT_TRUE(host().wait_until_parked(1));
  std::jthread waking([this](std::stop_token end) {
    while (!end.stop_requested())
      for (const Waker& waker : host().wakers()) waker.wake();
  });
  stop();
  EXPECT_EQ(host().release("key"), 1u);
}

TEST_P(LostPeers, DescriptorsUsedAgain) {
  // Failure: events, completions or wake-ups of a dead connection reach the one that has its descriptor now.
  start();
  Client steady = connect();
  for (int round = 0; round < (kSanitized ? 100 : 400); ++round) {
    const std::string name = "round " + std::to_string(round);
    Client resetting = connect(), closing = connect(), staying = connect();
    resetting.send(request(kEcho, "lost"));
    resetting.reset();  // its answer, its hang-up and the next accept() are now under way together
    closing.send(request(round % 3 == 0 ? kPark : kEcho, "lost"));
    closing.close();
    ASSERT_EQ(staying.ask(kEcho, name), name);
    ASSERT_EQ(staying.ask(kLater, name), name);
    if (round % 3 == 0) host().release("lost");
  }
  EXPECT_EQ(steady.ask(kEcho, "still there"), "still there");
  // Each time anew: a model with a thread for each connection may park a request after it was released here.
  EXPECT_TRUE(eventually([&] {
    host().release("lost");
    return host().sessions() == 1;
  }));
}

TEST_P(LostPeers, ResetBeforeAccept) {
  // Failure: a connection that died in the queue of the listener stops the server or is leaked.
  start();
  Client first = connect();
  first.send(request(kStall));
  ASSERT_TRUE(host().wait_until_stalled());
  for (int i = 0; i < 20; ++i) connect().reset();
  host().end_stall();
  EXPECT_EQ(first.receive_answer(), "");
  Client last = connect();
  EXPECT_EQ(last.ask(kEcho, "there"), "there");
  EXPECT_TRUE(host().wait_until_sessions(2));
}

}  // namespace iolab::io::contract
