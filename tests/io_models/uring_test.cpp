// The ring itself: what happens when more results come than its queue holds, and more orders than it has places for.
#include "io_models/asynchronous/uring.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <set>

#include "io_models/counters.h"
#include "io_models/frontends.h"

namespace iolab::io {
namespace {

class UringTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::string reason = io_uring_unavailable();
    if (reason.empty()) return;
    if (std::getenv("IOLAB_REQUIRE_ALL_MODELS") != nullptr) FAIL() << reason;
    GTEST_SKIP() << reason;
  }
};

TEST_F(UringTest, MoreOrdersThanPlacesAndMoreResultsThanPlaces) {
  // Failure: an order or a result is lost when a queue of the ring is full; or the overflow is not counted.
  Uring uring({.orders = 4, .results = 8});
  const CounterTotals before = read_counters();
  constexpr std::uint32_t kOrders = 100;
  for (std::uint32_t i = 0; i < kOrders; ++i) {
    io_uring_sqe& order = uring.order();
    ::io_uring_prep_nop(&order);
    ::io_uring_sqe_set_data64(&order, OrderTag{Order::send, {i, 7}}.packed());
  }
  std::set<std::uint32_t> seen;
  while (seen.size() < kOrders) {
    uring.enter(0);
    uring.reap([&](const io_uring_cqe& result) {
      const OrderTag tag = OrderTag::unpacked(result.user_data);
      EXPECT_EQ(tag.key.generation, 7u);
      EXPECT_TRUE(seen.insert(tag.key.slot).second) << tag.key.slot << " came twice";
    });
  }
  CounterTotals counted = read_counters();
  counted -= before;
  EXPECT_EQ(counted[Count::submissions], kOrders);
  EXPECT_EQ(counted[Count::completions], kOrders);
  EXPECT_GE(counted[Count::completion_overflows], 1u);
}

TEST_F(UringTest, EntersOnlyIfThereIsSomethingToDo) {
  // Failure: a system call is made although results wait and nothing is on order; every report would show it.
  Uring uring({.orders = 8, .results = 16});
  ::io_uring_prep_nop(&uring.order());
  ::io_uring_prep_nop(&uring.order());
  const CounterTotals before = read_counters();
  uring.enter(-1);  // both are passed on and carried out
  uring.enter(-1);  // results wait: no call, and above all no sleep
  CounterTotals counted = read_counters();
  counted -= before;
  EXPECT_EQ(counted[Call::io_uring_enter], 1u);
  int results = 0;
  uring.reap([&](const io_uring_cqe&) { ++results; });
  EXPECT_EQ(results, 2);
}

std::chrono::nanoseconds now(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// A child whose own thread sleeps and whose kernel thread looks for orders as long as the child lives.
pid_t child_with_kernel_thread() {
  const pid_t child = ::fork();
  if (child != 0) return child;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  Uring uring({.orders = 8, .results = 16, .kernel_thread = true});
  for (;;) {
    ::io_uring_prep_nop(&uring.order());
    uring.enter(-1);
    uring.reap([](const io_uring_cqe&) {});
    constexpr int kPauseMs = 25;  // less than the 50 ms after which the kernel thread would sleep
    uring.enter(kPauseMs);
  }
}

TEST_F(UringTest, AStoppedProcessHasNoKernelThreadThatSpins) {
  // Failure: SIGSTOP leaves SQPOLL's thread running. Who stops a server for the sake of another one's CPU is deceived.
  using namespace std::chrono_literals;
  const pid_t child = child_with_kernel_thread();
  ASSERT_GT(child, 0);
  clockid_t clock{};
  ASSERT_EQ(::clock_getcpuclockid(child, &clock), 0);
  // It takes CPU: all that goes by, if nobody else wants it. No-operations alone take a hundredth of that.
  const auto deadline = now(CLOCK_MONOTONIC) + 20s;
  while (now(clock) < 60ms && now(CLOCK_MONOTONIC) < deadline) continue;
  EXPECT_GE(now(clock), 60ms);
  ::kill(child, SIGSTOP);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, WUNTRACED), child);  // once every thread has stopped
  EXPECT_TRUE(WIFSTOPPED(status));
  const auto stopped_at = now(clock);
  const auto end = now(CLOCK_MONOTONIC) + 30ms;
  while (now(CLOCK_MONOTONIC) < end) continue;
  EXPECT_LT(now(clock) - stopped_at, 1ms);
  ::kill(child, SIGKILL);
  ::waitpid(child, &status, 0);
}

TEST(OrderTagTest, KeepsWhatItWasGiven) {
  // Failure: a completion is taken for another operation, or for another connection's.
  for (const Order order : {Order::accept, Order::receive, Order::send, Order::bell, Order::withdraw}) {
    const OrderTag tag{order, {0xab'cdef, 0xffff'fff1}};
    EXPECT_EQ(OrderTag::unpacked(tag.packed()).order, order);
    EXPECT_EQ(OrderTag::unpacked(tag.packed()).key, tag.key);
  }
}

}  // namespace
}  // namespace iolab::io
