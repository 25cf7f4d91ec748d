// A short queue of real-time signals. It belongs to the user, not to the process: run alone, so that no other test's
// signals take its places.
#include <sys/resource.h>

#include <deque>

#include "tests/io_models/contract.h"

namespace iolab::io::contract {

class SignalQueue : public Contract {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(SignalQueue);
INSTANTIATE_TEST_SUITE_P(Models, SignalQueue, testing::ValuesIn(socket_models()), test_name);

TEST_P(SignalQueue, BurstBehindAStalledTurn) {
  // Failure: more news than the signal queue holds, and some connection is never looked at again.
  const std::size_t how_many = 30;
  if (id() == "posix-aio") GTEST_SKIP() << "takes fewer connections instead: MoreConnectionsThanPlaces";
  limit(RLIMIT_SIGPENDING, queued_signals() + 8);
  start(room_for(how_many + 1));
  Client stalling = connect();
  std::vector<Client> others;
  for (std::size_t i = 0; i < how_many; ++i) {
    others.push_back(connect());
    ASSERT_EQ(others.back().ask(kEcho, "there"), "there");
  }
  for (int round = 0; round < 3; ++round) {
    stalling.send(request(kStall));
    ASSERT_TRUE(host().wait_until_stalled());
    for (std::size_t i = 0; i < how_many; ++i) others[i].send(request(kEcho, std::to_string(i)));
    host().end_stall();
    for (std::size_t i = 0; i < how_many; ++i) ASSERT_EQ(others[i].receive_answer(), std::to_string(i));
    ASSERT_EQ(stalling.receive_answer(), "");
  }
  if (id() == "sigio") {
    EXPECT_GE(counted()[Count::signal_overflows], 1u) << "the case did not happen";
  }
}

TEST_P(SignalQueue, AnAnswerWhoseCompletionFindsNoPlace) {
  // Failure: a send is taken for a receive when its signal was lost; its connection never ends, and neither does a
  // stop.
  start();
  Client client = connect();
  ASSERT_EQ(client.ask(kEcho, "there"), "there");
  client.send(request(kStall));
  ASSERT_TRUE(host().wait_until_stalled());
  limit(RLIMIT_SIGPENDING, 0);
  host().end_stall();
  if (id() == "posix-aio") {  // it is the one that sends by order, and learns by a signal that it was carried out
    EXPECT_TRUE(host().wait_until_sessions(0)) << "what the signal queue swallowed ends the connection";
  } else {
    EXPECT_EQ(client.receive_answer(), "");
  }
}

TEST_P(SignalQueue, MoreConnectionsThanPlaces) {
  // Failure: completions that the queue cannot hold are lost, and with them bytes already taken out of a socket.
  limit(RLIMIT_SIGPENDING, queued_signals() + 24);
  start();
  std::deque<Client> clients;
  for (int i = 0; i < 60; ++i) {
    clients.push_back(connect());
    clients.back().send(request(kEcho, "client " + std::to_string(i)) + request(kEcho, pattern(50'000)));
  }
  for (int i = 0; i < 60; ++i) {  // those at the end may wait in the backlog until those at the front have gone
    ASSERT_EQ(clients.front().receive_answer(), "client " + std::to_string(i));
    ASSERT_EQ(clients.front().receive_answer(), pattern(50'000));
    clients.pop_front();
  }
  EXPECT_TRUE(host().wait_until_sessions(0));
}

}  // namespace iolab::io::contract
