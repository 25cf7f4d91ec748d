#include "experiments/run/run_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "experiments/spec/json_document.h"

namespace iolab::lab {
namespace {

namespace fs = std::filesystem;

class RunDirectoryTest : public testing::Test {
 protected:
  void SetUp() override {
    auto name = (fs::temp_directory_path() / "iolab-run-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
  }
  void TearDown() override { fs::remove_all(root_); }
  std::string root_;
};

TrialRecord some_trial(int index) {
  TrialRecord trial;
  trial.index = index;
  trial.block = 3;
  trial.cell = "epoll/idle_connections=0";
  trial.series = trial.model = "epoll";
  trial.level = "idle_connections=0";
  trial.ok = true;
  trial.reason = "a remark";
  trial.load.requests = 1000;
  trial.load.latency_ns.record(12'345, 1000);
  trial.server.cpu_s = 0.25;
  trial.server.calls = {{"recv", 1000}, {"send", 1000}};
  trial.server.counts = {{"requests", 1000}};
  trial.server.cpu_by_thread_name = {{"serve 0", 0.2}};
  trial.machine.steal_share = 0.01;
  trial.machine.waited_share = 0.1;
  trial.machine.flags = flags_of(trial.machine);
  return trial;
}

TEST_F(RunDirectoryTest, ADuetComesBackAsItWas) {
  SCOPED_TRACE("a verdict that is made again rests on other ratios");
  const auto directory = RunDirectory::create(root_ + "/run", "x");
  ASSERT_TRUE(directory);
  const DuetRecord duet{.index = 7,
                        .round = 2,
                        .series = "select",
                        .level = "idle_connections=0",
                        .ok = true,
                        .reason = "a remark",
                        .started = "2026-11-26T12:00:00Z",
                        .cpu_ratio = 1.25,
                        .cpu_ratio_low = 1.2,
                        .cpu_ratio_high = 1.3,
                        .rate_ratio = 0.8,
                        .answered_baseline = 10,
                        .answered_model = 8,
                        .machine = {.steal_share = 0.01}};
  ASSERT_TRUE(directory->write_duet(duet));
  std::vector<std::string> unreadable;
  const auto duets = directory->read_duets(unreadable);
  ASSERT_EQ(duets.size(), 1u);
  EXPECT_EQ(to_json(duets[0]), to_json(duet));
  std::ofstream(directory->file("duets/0008.json")) << "{";
  EXPECT_EQ(directory->read_duets(unreadable).size(), 1u);
  EXPECT_EQ(unreadable.size(), 1u);
}

TEST_F(RunDirectoryTest, ATrialComesBackAsItWas) {
  SCOPED_TRACE("a report that is made again differs from the first");
  const auto directory = RunDirectory::create(root_ + "/run", "x");
  ASSERT_TRUE(directory);
  for (const int index : {2, 0, 1}) ASSERT_TRUE(directory->write_trial(some_trial(index)));
  std::vector<std::string> unreadable;
  const auto trials = directory->read_trials(unreadable);
  EXPECT_TRUE(unreadable.empty());
  ASSERT_EQ(trials.size(), 3u);
  EXPECT_EQ(trials[1].index, 1);
  EXPECT_EQ(to_json(trials[2]).dump(), to_json(some_trial(2)).dump());
}

TEST_F(RunDirectoryTest, AnInterruptedWriteLeavesTheOldFileAndIsNotRead) {
  SCOPED_TRACE("a run that was killed while writing cannot be read any more");
  const auto directory = RunDirectory::create(root_ + "/run", "x");
  ASSERT_TRUE(directory);
  ASSERT_TRUE(directory->write_trial(some_trial(0)));
  std::ofstream(directory->file("trials/0001.json.new")) << "{\"schema\": \"iolab-tr";  // what a kill leaves
  std::ofstream(directory->file("trials/0002.json")) << "{\"schema\": \"iolab-tr";      // what a broken disk leaves
  std::vector<std::string> unreadable;
  EXPECT_EQ(directory->read_trials(unreadable).size(), 1u);
  ASSERT_EQ(unreadable.size(), 1u);
  EXPECT_THAT(unreadable.front(), testing::HasSubstr("0002.json"));
}

TEST_F(RunDirectoryTest, AWrittenFileIsWholeAndNothingIsLeftBesideIt) {
  SCOPED_TRACE("a reader sees half a file");
  const auto directory = RunDirectory::create(root_ + "/run", "x");
  ASSERT_TRUE(directory);
  const std::string long_text(3'000'000, 'x');
  ASSERT_TRUE(directory->write("results.json", "old"));
  ASSERT_TRUE(directory->write("results.json", long_text));
  EXPECT_EQ(*read_text_file(directory->file("results.json")), long_text);
  EXPECT_FALSE(fs::exists(directory->file("results.json.new")));
  const auto failed = directory->write("no/such/folder.json", "x");
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error(), testing::HasSubstr("no/such/folder.json"));
}

TEST_F(RunDirectoryTest, ARunIsNeverWrittenOverAnother) {
  SCOPED_TRACE("yesterday's run is gone");
  const auto first = RunDirectory::create(root_ + "/run", "x");
  ASSERT_TRUE(first);
  ASSERT_TRUE(first->write("plan.json", "{}"));
  const auto second = RunDirectory::create(root_ + "/run", "x");
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error(), testing::HasSubstr("holds a run already"));
  EXPECT_TRUE(RunDirectory::find(root_ + "/run"));
  EXPECT_FALSE(RunDirectory::find(root_ + "/rum"));
}

}  // namespace
}  // namespace iolab::lab
