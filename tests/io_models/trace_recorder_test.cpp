// The trace: every call once, in order, with who made it and where; and what happens when there is no more room.
#include "io_models/trace_recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
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

TEST_F(Trace, ThreadsAreTracedSideBySide) {
  // Failure: threads overwrite each other's records.
  {
    const auto recorder = TraceRecorder::start(path());
    ASSERT_TRUE(recorder.has_value());
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([] {
        for (int n = 0; n < 3000; ++n) sys::sched_yield();
      });
    }
  }
  EXPECT_EQ(lines().size(), 12'000u);
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
  EXPECT_EQ(all.back(), "{\"lost_calls\":976}");
}

TEST_F(Trace, AFileThatCannotBeIsASentence) {
  // Failure: the run goes well and its trace is nowhere.
  const auto recorder = TraceRecorder::start("/nowhere/trace");
  ASSERT_FALSE(recorder.has_value());
  EXPECT_THAT(recorder.error(), HasSubstr("/nowhere/trace: No such file"));
}

}  // namespace
}  // namespace iolab::io
