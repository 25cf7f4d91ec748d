// Starting and stopping: serve() returns when it is asked to, with nothing in flight, no thread and no descriptor left.
#include <atomic>
#include <thread>

#include "tests/io_models/contract.h"

namespace iolab::io::contract {

class Lifecycle : public Contract {
 protected:
  void SetUp() override {
    Contract::SetUp();
    std::thread([] {}).join();  // a sanitizer starts a thread of its own with the first of ours
    threads_ = threads_of_this_process();
    descriptors_ = descriptors_of_this_process();
  }
  // glibc's AIO threads and the kernel's ring workers may need a moment to go.
  void expect_nothing_left() {
    EXPECT_EQ(host().sessions(), 0u);
    discard();
    EXPECT_TRUE(eventually([this] { return threads_of_this_process() <= threads_; }))
        << threads_of_this_process() << " threads, there were " << threads_;
    EXPECT_TRUE(eventually([this] { return descriptors_of_this_process() <= descriptors_; }))
        << descriptors_of_this_process() << " descriptors, there were " << descriptors_;
  }

 private:
  std::size_t threads_ = 0;
  std::size_t descriptors_ = 0;
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Lifecycle);
INSTANTIATE_TEST_SUITE_P(Models, Lifecycle, testing::ValuesIn(socket_models_with_options()), test_name);

TEST_P(Lifecycle, StopBeforeTheFirstConnection) {
  // Failure: a server that sleeps for its first connection cannot be stopped.
  start();
  counted();
  stop();
  expect_nothing_left();
}

TEST_P(Lifecycle, StopRequestedBeforeServe) {
  // Failure: a request to stop that comes before serve() begins is missed.
  stop_before_it_starts();
  start();
  stop();
  expect_nothing_left();
}

TEST_P(Lifecycle, StopWhileIdle) {
  // Failure: idle connections keep serve() from returning, or their peers are not told.
  start();
  std::vector<Client> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(connect());
    ASSERT_EQ(clients.back().ask(kEcho, "there"), "there");
  }
  stop();
  for (Client& client : clients) EXPECT_EQ(client.discard_until_end(), 0u);
  clients.clear();
  expect_nothing_left();
}

TEST_P(Lifecycle, StopWithEverythingUnderWay) {
  // Failure: a send, a wake-up or a connection that is being made survives stop: memory dies before the kernel is done.
  start();
  Client parked = connect(), full = connect(), half_said = connect();
  parked.send(request(kPark, "never") + request(kEcho, "behind it"));
  full.send(request(kBig, std::to_string(kTooMuch)));
  half_said.send(request(kEcho, "half").substr(0, 6));
  ASSERT_TRUE(host().wait_until_parked(1));
  ASSERT_TRUE(eventually([&] { return full.unread() > 0; }));
  std::atomic<int> answers = 0;
  std::vector<std::jthread> busy;
  for (int i = 0; i < 4; ++i)
    busy.emplace_back([this, &answers, i] {
      try {
        for (Client client = connect();; ++answers) client.ask(i % 2 == 0 ? kEcho : kLater, "load");
      } catch (const std::exception&) {  // the server has gone: what this test waits for
      }
    });
  ASSERT_TRUE(eventually([&] { return answers > 200; }));
  stop();
  EXPECT_LT(full.discard_until_end(), kTooMuch);
  parked.discard_until_end();
  half_said.discard_until_end();
  busy.clear();
  parked.close();
  full.close();
  half_said.close();
  expect_nothing_left();
}

TEST_P(Lifecycle, ServesAgain) {
  // Failure: what is set up once in a process (signals, glibc's AIO pool) is lost with the first front-end.
  for (int round = 0; round < 3; ++round) {
    start();
    {
      Client client = connect();
      ASSERT_EQ(client.ask(kLater, "there"), "there");
    }
    discard();
  }
}

TEST_P(Lifecycle, TwoServingThreads) {
  // Failure: with two threads one of them never serves, or they disturb each other's connections and wake-ups.
  FrontendSettings settings = room_for(64);
  if (settings.threads == 0) settings.threads = 2;
  start(settings);
  std::vector<Client> clients;
  for (int i = 0; i < 64; ++i) clients.push_back(connect());
  for (int round = 0; round < 5; ++round) {
    for (std::size_t i = 0; i < clients.size(); ++i)
      clients[i].send(request(i % 3 == 0 ? kLater : kEcho, std::to_string(i)));
    for (std::size_t i = 0; i < clients.size(); ++i) ASSERT_EQ(clients[i].receive_answer(), std::to_string(i));
  }
  clients[0].send(request(kPark, "key"));
  ASSERT_TRUE(host().wait_until_parked(1));
  std::size_t released = 0;
  for (std::size_t i = 1; i < clients.size() && released == 0; ++i)
    released = std::stoul(clients[i].ask(kRelease, "key"));
  EXPECT_EQ(clients[0].receive_answer(), "key");
  EXPECT_GE(host().serving_threads().size(), 2u);
  stop();
  clients.clear();
  expect_nothing_left();
}

}  // namespace iolab::io::contract
