// The counter page: what a server counts, another process reads, whatever its threads do meanwhile.
#include "io_models/counters.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace iolab::io {
namespace {

class Counters : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "iolab-counters-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string path() const { return folder_ / "page"; }

 private:
  std::filesystem::path folder_;
};

TEST_F(Counters, AnotherProcessReadsWhatThisOneCounts) {
  // Failure: a report shows no calls, old calls, or those of another thread.
  count(Call::recv, 2);  // before there is a file: part of the sum all the same
  const auto created = create_counter_page(path());
  ASSERT_TRUE(created.has_value()) << created.error();
  count(Call::recv, 3);
  std::jthread([] {
    const CountedThread counted("worker");
    count(Call::send, 7);
    count(Count::bytes_sent, 700);
  }).join();

  const pid_t reader = ::fork();
  if (reader == 0) {
    const auto view = CounterPageView::open(path());
    const bool right = view && view->totals()[Call::recv] == 5 && view->totals()[Call::send] == 7 &&
                       view->totals()[Count::bytes_sent] == 700 &&
                       view->page().blocks[1].thread_name.data() == std::string_view("worker") &&
                       view->page().blocks[1].thread_id == 0;  // it has ended
    ::_exit(right ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(reader, &status, 0), reader);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(read_counters()[Call::recv], 5u);
}

TEST_F(Counters, AnEndedThreadLeavesItsSumsAndItsBlock) {
  // Failure: sums fall when a connection's thread ends, or a server with many short connections runs out of blocks.
  ASSERT_TRUE(create_counter_page(path()).has_value());
  const auto view = CounterPageView::open(path());
  ASSERT_TRUE(view.has_value()) << view.error();
  const std::uint64_t calls_before = view->totals()[Call::recv], blocks_before = view->page().blocks_used;
  for (int i = 0; i < 100; ++i) {
    std::jthread([] {
      const CountedThread counted("connection");
      count(Call::recv);
    }).join();
    std::jthread([] { count(Call::recv); }).join();  // without a name of its own
  }
  EXPECT_EQ(view->totals()[Call::recv], calls_before + 200);
  EXPECT_LE(view->page().blocks_used, blocks_before + 2) << "blocks of ended threads are used again";
}

TEST_F(Counters, ThreadsCountApart) {
  // Failure: two threads share a block and lose each other's additions.
  constexpr int kThreads = 8, kEach = 20'000;
  const CounterTotals before = read_counters();
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([] {
        for (int n = 0; n < kEach; ++n) count(Call::epoll_wait);
      });
    }
  }
  CounterTotals difference = read_counters();
  difference -= before;
  EXPECT_EQ(difference[Call::epoll_wait], std::uint64_t{kThreads} * kEach);
}

TEST_F(Counters, AThreadWithinAThreadGoesBackToItsOwnBlock) {
  // Failure: after serve() has returned, the main thread counts into a block that belongs to somebody else.
  count(Call::close);
  ThreadBlock* const mine = detail::this_thread;
  {
    const CountedThread serving("serve 0");
    EXPECT_NE(detail::this_thread, mine);
    count(Call::close);
  }
  EXPECT_EQ(detail::this_thread, mine);
}

TEST_F(Counters, WhatIsNoPageIsRefusedWithItsPath) {
  // Failure: the lab reads a foreign or half-written file as numbers.
  EXPECT_FALSE(create_counter_page("/nowhere/page").has_value());
  const auto missing = CounterPageView::open(path());
  ASSERT_FALSE(missing.has_value());
  EXPECT_NE(missing.error().find(path()), std::string::npos) << missing.error();
  std::ofstream(path()) << "not a page";
  EXPECT_FALSE(CounterPageView::open(path()).has_value());
  std::filesystem::resize_file(path(), sizeof(CounterPage));
  EXPECT_FALSE(CounterPageView::open(path()).has_value());
}

TEST_F(Counters, EveryNumberHasANameOfItsOwn) {
  // Failure: two columns of a report carry the same name, or one carries none.
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kCalls; ++i) names.insert(name(static_cast<Call>(i)));
  for (std::size_t i = 0; i < kCounts; ++i) names.insert(name(static_cast<Count>(i)));
  EXPECT_EQ(names.size(), kCalls + kCounts);
  EXPECT_EQ(names.count(""), 0u);
  EXPECT_EQ(name(Call::io_uring_enter), "io_uring_enter");
  EXPECT_EQ(name(Call::unlink), "unlink");
  EXPECT_EQ(name(Count::submissions), "submissions");
}

}  // namespace
}  // namespace iolab::io
