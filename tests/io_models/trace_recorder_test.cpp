// The trace: every call once, in order, with who made it and where; and what happens when there is no more room.
#include "io_models/trace_recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <time.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace iolab::io {
namespace {

using testing::HasSubstr;

class Trace : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "iolab-trace-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string path() const { return folder_ / "trace"; }
  std::vector<std::string> lines() const {
    std::ifstream file(path());
    std::vector<std::string> all;
    for (std::string line; std::getline(file, line);) all.push_back(line);
    return all;
  }

 private:
  std::filesystem::path folder_;
};

TEST_F(Trace, ACallIsOneLineWithItsResultAndItsPlace) {
  // Failure: a picture shows a call in the wrong thread, at the wrong place, or not at all.
  {
    const auto recorder = TraceRecorder::start(path());
    ASSERT_TRUE(recorder.has_value()) << recorder.error();
    sys::shutdown(-1, SHUT_WR);  // before it has a name
    const CountedThread counted("serve 0");
    sys::sched_yield();
  }
  sys::sched_yield();  // nobody listens any more
  const auto all = lines();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_THAT(all[0], testing::MatchesRegex(
                          "\\{\"thread\":[0-9]+,\"thread_name\":\"serve 0\",\"call\":\"shutdown\","
                          "\"descriptor\":-1,\"entered_ns\":[0-9]+,\"returned_ns\":[0-9]+,"
                          "\"cpu_ns\":[0-9]+,\"result\":-9,\"where\":\".*trace_recorder_test.cpp:[0-9]+\"\\}"));
  EXPECT_THAT(all[1], HasSubstr("\"sched_yield\""));
}

// Of a whole number in a line, such as "thread".
std::int64_t number(const std::string& line, const std::string& key) {
  const auto at = line.find("\"" + key + "\":");
  return at == std::string::npos ? -1 : std::stoll(line.substr(at + key.size() + 3));
}

constexpr int kThreads = 4;
constexpr int kCallsOfEach = 3000;  // more than a sheet holds

void make_calls_in_threads() {
  std::vector<std::jthread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([] {
      for (int n = 0; n < kCallsOfEach; ++n) sys::sched_yield();
    });
  }
}

TEST_F(Trace, ThreadsAreTracedSideBySide) {
  // Failure: threads overwrite each other's records, or one that fills more than a sheet loses some.
  {
    const auto recorder = TraceRecorder::start(path());
    ASSERT_TRUE(recorder.has_value());
    make_calls_in_threads();
  }
  std::map<std::int64_t, int> calls;
  std::int64_t last_ns = 0;
  for (const auto& line : lines()) {
    ++calls[number(line, "thread")];
    EXPECT_GE(number(line, "entered_ns"), last_ns);
    last_ns = number(line, "entered_ns");
  }
  EXPECT_EQ(calls.size(), static_cast<std::size_t>(kThreads));
  for (const auto& [thread, made] : calls) EXPECT_EQ(made, kCallsOfEach) << thread;
}

TEST_F(Trace, ThreadsThatShareTooLittleRoomSayWhatTheyLost) {
  // Failure: a call that had no room is neither in the trace nor counted, or the trace does not say until when it is
  // whole.
  constexpr std::size_t kRoom = 8 * 1024;  // in sheets; all calls need twelve
  {
    const auto recorder = TraceRecorder::start(path(), kRoom);
    ASSERT_TRUE(recorder.has_value());
    make_calls_in_threads();
  }
  const auto all = lines();
  const auto lost = number(all.back(), "lost_calls");
  ASSERT_GT(lost, 0) << all.back();
  const auto kept = all.size() - 1;
  EXPECT_LE(kept, kRoom);
  EXPECT_EQ(kept + static_cast<std::size_t>(lost), std::size_t{kThreads} * kCallsOfEach);
  // A thread loses calls only when its last sheet is full.
  std::map<std::int64_t, int> calls;
  for (std::size_t i = 0; i < kept; ++i) ++calls[number(all[i], "thread")];
  for (const auto& [thread, made] : calls) EXPECT_TRUE(made == kCallsOfEach || made % 1024 == 0) << thread << made;
  EXPECT_GE(number(all.back(), "first_lost_ns"), number(all.front(), "entered_ns"));
}

TEST_F(Trace, WhatHasNoRoomIsCounted) {
  // Failure: a trace that is cut off looks complete.
  {
    const auto recorder = TraceRecorder::start(path(), 1000);
    ASSERT_TRUE(recorder.has_value());
    for (int n = 0; n < 2000; ++n) sys::sched_yield();
  }
  const auto all = lines();
  ASSERT_EQ(all.size(), 1025u);
  EXPECT_THAT(all.back(), testing::MatchesRegex("\\{\"lost_calls\":976,\"first_lost_ns\":[0-9]+\\}"));
  EXPECT_GE(number(all.back(), "first_lost_ns"), number(all[1023], "returned_ns"));
}

TEST_F(Trace, ACallsCpuIsWhatItsThreadSpent) {
  // Failure: a thread that slept is said to have worked, or one that worked to have slept.
  constexpr std::int64_t kMs = 1'000'000;
  const auto cpu_ns = [] {
    timespec used{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return used.tv_sec * 1'000'000'000 + used.tv_nsec;
  };
  {
    const auto recorder = TraceRecorder::start(path());
    ASSERT_TRUE(recorder.has_value());
    sys::counted(Call::read, -1, [&] {
      for (const auto until = cpu_ns() + kMs; cpu_ns() < until;) continue;
      return 0;
    });
    constexpr timespec kLimit{0, 20 * kMs};
    sys::poll({}, &kLimit);  // nothing can come: it lies there until the time is over
  }
  const auto all = lines();
  ASSERT_EQ(all.size(), 2u);
  const auto took = [](const std::string& line) { return number(line, "returned_ns") - number(line, "entered_ns"); };
  EXPECT_GE(number(all[0], "cpu_ns"), kMs);
  // The CPU is read outside of the time; a virtual machine that stands still between the two is charged to the thread.
  constexpr std::int64_t kBetweenTheClocks = 5 * kMs;
  EXPECT_LE(number(all[0], "cpu_ns"), took(all[0]) + kBetweenTheClocks);
  EXPECT_GE(took(all[1]), 20 * kMs);
  EXPECT_LT(number(all[1], "cpu_ns"), took(all[1]) / 2);
}

TEST_F(Trace, AFileThatCannotBeIsASentence) {
  // Failure: the run goes well and its trace is nowhere.
  const auto recorder = TraceRecorder::start("/nowhere/trace");
  ASSERT_FALSE(recorder.has_value());
  EXPECT_THAT(recorder.error(), HasSubstr("/nowhere/trace: No such file"));
}

}  // namespace
}  // namespace iolab::io
