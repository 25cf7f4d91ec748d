// What happens at each limit: descriptors, FD_SETSIZE, the signal queue, a model's own pool. Nothing spins, nothing
// hangs, nobody else notices, and all is well again when there is room again.
#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <deque>

#include "io_models/admission.h"
#include "tests/io_models/contract.h"

namespace iolab::io::contract {

class Limited : public Contract {
 protected:
  // Descriptors that serve nothing but to use up numbers.
  bool take_descriptor() {
    Fd taken(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!taken) return false;
    ballast_.push_back(std::move(taken));
    return true;
  }
  void give_back_descriptor() { ballast_.pop_back(); }

  // How often one thread may have tried again since: a busy machine stretches the time, not the number in it.
  class Stopwatch {
   public:
    std::size_t elapsed_ms() const {
      const auto elapsed = std::chrono::steady_clock::now() - start_;
      return static_cast<std::size_t>(std::chrono::duration_cast<std::chrono::milliseconds>(elapsed).count());
    }

   private:
    const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  };
  static std::size_t most_retries(const Stopwatch& watch) { return watch.elapsed_ms() / kAcceptRetryMs + 8; }

 private:
  std::vector<Fd> ballast_;
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Limited);
INSTANTIATE_TEST_SUITE_P(Models, Limited, testing::ValuesIn(socket_models()), test_name);

TEST_P(Limited, DescriptorsFrom1024Up) {
  // Failure: select corrupts memory or aborts at descriptor 1024; or another model shares a limit that it does not
  // have.
  start();
  Client steady = connect();
  ASSERT_EQ(steady.ask(kEcho, "there"), "there");
  limit(RLIMIT_NOFILE, 4096);
  for (int i = 0; i < 1030; ++i) ASSERT_TRUE(take_descriptor());
  Client high = connect();
  ASSERT_GE(high.fd(), 1024);
  if (has("fd-below-1024")) {
    EXPECT_EQ(high.discard_until_end(), 0u) << "a descriptor that select() cannot watch is closed at once";
    EXPECT_GE(counted()[Count::connections_refused], 1u);
  } else {
    EXPECT_EQ(high.ask(kEcho, "high"), "high");
    EXPECT_EQ(high.ask(kLater, "high"), "high");
  }
  EXPECT_EQ(steady.ask(kEcho, "still there"), "still there");
}

TEST_P(Limited, NoDescriptorLeft) {
  // Failure: EMFILE makes accept spin, kills the listener, or is never recovered from when a descriptor is free again.
  start();
  Client steady = connect(), closing = connect();
  ASSERT_EQ(steady.ask(kLater, "there"), "there");
  ASSERT_EQ(closing.ask(kEcho, "there"), "there");
  limit(RLIMIT_NOFILE, 256);
  while (take_descriptor()) continue;
  give_back_descriptor();
  Client first = connect();  // takes the last number, and the server finds none for its end
  first.send(request(kEcho, "first"));
  ASSERT_EQ(steady.ask(kEcho, "beside"), "beside");
  counted();
  const Stopwatch watch;
  EXPECT_TRUE(steady.silent(400));
  const CounterTotals meanwhile = counted();
  const std::size_t tries = std::min<std::size_t>(connections_at_once(), 16) * most_retries(watch);
  EXPECT_LT(meanwhile[Count::accept_refused], tries) << "tries again every 50 ms or so, not all the time";
  if (!asks_all_the_time()) {
    EXPECT_LT(waits(meanwhile), 4 * tries);
  }
  give_back_descriptor();  // of no connection of the server: only its own timer can notice
  EXPECT_EQ(first.receive_answer(), "first");
  while (take_descriptor()) continue;
  give_back_descriptor();
  Client second = connect();
  second.send(request(kEcho, "second"));
  closing.close();  // two descriptors: the client's end and the server's
  EXPECT_EQ(second.receive_answer(), "second");
  EXPECT_EQ(steady.ask(kEcho, "still there"), "still there");
}

TEST_P(Limited, MoreConnectionsThanThePool) {
  // Failure: one idle connection more than the model has threads for, and connections that it took hang.
  FrontendSettings settings;
  if (id() == "blocking-pool") settings.threads = 6;
  if (id() == "posix-aio") settings.options["pool"] = "6";
  start(settings);
  std::deque<Client> clients;
  for (int i = 0; i < 30; ++i) clients.push_back(connect());
  for (int round = 0; round < 3; ++round)
    for (std::size_t i = 0; i < std::min<std::size_t>(connections_at_once(settings), 30); ++i)
      ASSERT_EQ(clients[i].ask(kEcho, "among the first"), "among the first");
  for (; !clients.empty(); clients.pop_front()) ASSERT_EQ(clients.front().ask(kLater, "in its turn"), "in its turn");
  EXPECT_TRUE(host().wait_until_sessions(0));
}

TEST_P(Limited, MoreConnectionsThanAreAllowed) {
  // Failure: the set limit is not kept, connections beyond it are dropped, or a place that is free again stays empty.
  FrontendSettings settings;
  settings.limits.connections = 6;
  start(settings);
  std::deque<Client> clients;
  for (int i = 0; i < 30; ++i) clients.push_back(connect());
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < 6; ++i) ASSERT_EQ(clients[i].ask(kEcho, "among the first"), "among the first");
  }
  clients[7].send(request(kEcho, "not yet"));
  counted();
  const Stopwatch watch;
  EXPECT_TRUE(clients[7].silent(200)) << "something arrived";
  if (!asks_all_the_time()) {
    EXPECT_LT(waits(counted()), 16 * 2 * most_retries(watch)) << "threads of a pool try again each for itself";
  }
  EXPECT_EQ(host().sessions(), 6u);
  for (std::size_t i = 0; i < 7; ++i) clients.pop_front();
  EXPECT_EQ(clients.front().receive_answer(), "not yet");
  for (; !clients.empty(); clients.pop_front()) ASSERT_EQ(clients.front().ask(kLater, "in its turn"), "in its turn");
  EXPECT_TRUE(host().wait_until_sessions(0));
}

TEST_P(Limited, AThousandIdleConnections) {
  // Failure: idle connections stop the server, make it busy, or keep it from answering the one that speaks.
  std::size_t how_many = kSanitized ? 150 : 1000;  // sanitizers: shadow memory and slow thread starts
  if (has("fd-below-1024"))
    how_many = std::min<std::size_t>(how_many, 400);  // both ends are in this process: FD_SETSIZE
  limit(RLIMIT_NOFILE, 4096);
  start(room_for(how_many + 1));
  std::vector<Client> idle;
  for (std::size_t i = 0; i < how_many; ++i) {
    idle.push_back(connect());
    if (i % 50 == 0) {
      ASSERT_EQ(idle.back().ask(kEcho, "there"), "there");
    }
  }
  ASSERT_TRUE(host().wait_until_sessions(how_many));
  Client speaking = connect();
  for (int i = 0; i < 20; ++i) ASSERT_EQ(speaking.ask(kEcho, std::to_string(i)), std::to_string(i));
  for (std::size_t i = 0; i < how_many; i += 7) ASSERT_EQ(idle[i].ask(kEcho, "awake"), "awake");
  counted();
  EXPECT_TRUE(speaking.silent(300));
  if (!asks_all_the_time()) {
    EXPECT_LT(all_calls(counted()), 100u);
  }
}

TEST_P(Limited, IdleServerMakesNoCalls) {
  // Failure: a server with nothing to do wakes up again and again.
  start();
  std::vector<Client> idle;
  for (int i = 0; i < 5; ++i) {
    idle.push_back(connect());
    ASSERT_EQ(idle.back().ask(kLater, "there"), "there");
  }
  counted();
  EXPECT_TRUE(idle[0].silent(500));
  const CounterTotals meanwhile = counted();
  if (!asks_all_the_time()) {
    EXPECT_LT(all_calls(meanwhile), 25u);  // the last of a pool's threads may only now get to its accept()
  }
}

TEST_P(Limited, CountersSayWhatHappened) {
  // Failure: the counters, of which every report is made, disagree with what the client saw.
  start();
  Client client = connect();
  ASSERT_EQ(client.ask(kEcho, pattern(1000)), pattern(1000));
  for (int i = 0; i < 99; ++i) ASSERT_EQ(client.ask(kEcho, pattern(1000)), pattern(1000));
  client.close();
  ASSERT_TRUE(host().wait_until_sessions(0));
  CounterTotals totals;
  ASSERT_TRUE(eventually([&] { return (totals += counted())[Count::closed] == 1; }));
  EXPECT_EQ(totals[Count::accepted], 1u);
  EXPECT_EQ(totals[Count::bytes_received], 100 * request(kEcho, pattern(1000)).size());
  EXPECT_EQ(totals[Count::bytes_sent], 100 * framed(pattern(1000)).size());
}

}  // namespace iolab::io::contract
