// A run that is killed with SIGKILL at moments that nobody chose, and resumed until it is done: the same trials and
// duets as were planned, each made once, and nothing left running.
#include <dirent.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "experiments/machine/assets.h"
#include "experiments/run/run_lock.h"
#include "experiments/spec/sha256.h"
#include "tests/experiments/program_test.h"

namespace iolab::lab {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::HasSubstr;
using Clock = ChildProcess::Clock;

class ResumeTest : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    std::ofstream("tiny.json")
        << R"({"version": 1, "name": "tiny", "question": "Does it work?", "models": ["blocking", "epoll"],
      "workload": {"connections": 2}, "matrix": {"workload.idle_connections": [0, 5]},
      "timing": {"warmup": "20ms", "measure": "60ms", "repeat": 3},
      "judge": {"metric": "server_cpu_us_per_request", "duets": 3, "slice": "2ms", "slices": 20}})";
  }

  // Whole records, by name, with the hash of their bytes.
  std::map<std::string, std::string> records() const {
    std::map<std::string, std::string> found;
    for (const auto* folder : {"trials", "duets"}) {
      std::error_code error;
      for (const auto& entry : fs::directory_iterator(root_ + "/out/" + folder, error)) {
        if (entry.path().extension() != ".json") continue;
        const auto text = read_text_file(entry.path());
        EXPECT_TRUE(text && nlohmann::json::accept(*text)) << entry.path() << " is half a record";
        found[std::string(folder) + "/" + entry.path().filename().string()] = sha256_hex(text.value_or(""));
      }
    }
    return found;
  }

  nlohmann::json file(const std::string& name) const { return json_file("out/" + name); }

  bool planned() const { return fs::exists(root_ + "/out/plan.json"); }
};

// Processes whose command line names the directory: servers carry it in --log-dirs, and drawers as their argument.
std::set<pid_t> processes_of(const std::string& directory) {
  std::set<pid_t> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    const auto name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto command = read_text_file(entry.path() / "cmdline").value_or("");
    if (command.find(directory) != std::string::npos) found.insert(static_cast<pid_t>(std::stol(name)));
  }
  return found;
}

// Children of a process, whatever they are: the load generator's command line names no directory.
std::set<pid_t> children_of(pid_t parent) {
  std::set<pid_t> found;
  std::ifstream list("/proc/" + std::to_string(parent) + "/task/" + std::to_string(parent) + "/children");
  for (pid_t child = 0; list >> child;) found.insert(child);
  return found;
}

// A zombie has ended; whoever inherits it will reap it.
bool runs(pid_t pid) {
  const auto stat = read_text_file("/proc/" + std::to_string(pid) + "/stat").value_or("");
  const auto bracket = stat.rfind(')');
  return bracket != std::string::npos && stat.substr(bracket + 2, 1) != "Z";
}

bool all_end(const std::set<pid_t>& processes) {
  const auto deadline = Clock::now() + 20s;
  while (std::ranges::any_of(processes, runs)) {
    if (Clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

TEST_F(ResumeTest, KilledAtAnyMomentAndResumedItIsTheRunThatWasPlanned) {
  SCOPED_TRACE("a trial is lost, made twice or changed after a crash, or a server goes on without its lab");
  const std::vector<std::string> kRun{"run", "tiny.json", "--out", "out", "--seed", "5"};
  const std::vector<std::string> kResume{"resume", "out"};
  std::mt19937 random(20261126);
  std::map<std::string, std::string> seen;
  int interrupted = 0;
  constexpr int kKills = 12;
  for (int round = 0; round < kKills; ++round) {
    // Before there is a plan there is nothing to resume: the same command is given again.
    auto child = start(planned() ? kResume : kRun);
    // A start takes about a second until its first trial; half of the rounds strike before that.
    const auto moment = Clock::now() + std::chrono::milliseconds(random() % (round % 2 == 0 ? 4000 : 1500));
    while (Clock::now() < moment && !child.wait(Clock::now() + 1ms)) {
    }
    auto children = children_of(child.pid());
    const bool was_running = !child.wait(Clock::now());
    child.kill_now();
    interrupted += was_running;
    children.merge(processes_of(root_ + "/out"));
    EXPECT_TRUE(all_end(children)) << "round " << round << ": a process goes on after its lab was killed";
    const auto now = records();
    for (const auto& [name, hash] : seen) {
      ASSERT_TRUE(now.contains(name)) << "round " << round << ": " << name << " is gone";
      EXPECT_EQ(now.at(name), hash) << "round " << round << ": " << name << " was changed";
    }
    seen = now;
  }
  EXPECT_GE(interrupted, kKills / 3) << "the test struck too late to see anything";
  const auto ended = run(planned() ? kResume : kRun);
  ASSERT_EQ(ended.code, 0) << ended.err;
  std::set<std::string> wanted;
  const auto plan = file("plan.json");
  for (const auto* folder : {"trials", "duets"}) {
    for (const auto& entry : plan[folder]) {
      const auto number = std::to_string(10'000 + entry["index"].get<int>()).substr(1);
      EXPECT_TRUE(wanted.insert(std::string(folder) + "/" + number + ".json").second);
    }
  }
  EXPECT_EQ(wanted.size(), 30u);  // 2 levels x 4 series x 3, and 3 rounds of 2 duets
  std::set<std::string> made;
  for (const auto& [name, hash] : records()) {
    made.insert(name);
    EXPECT_EQ(hash, seen.contains(name) ? seen.at(name) : hash) << name << " was changed";
  }
  EXPECT_EQ(made, wanted);
  const auto results = file("results.json");
  EXPECT_EQ(results["run"]["status"], "complete");
  EXPECT_EQ(results["run"]["trials_done"], 24);
  EXPECT_EQ(fs::exists(root_ + "/out/report.html"), find_python().has_value());
  for (const auto& entry : fs::directory_iterator(root_ + "/out")) {
    const auto name = entry.path().filename().string();
    EXPECT_FALSE(name.starts_with("data-") || name.ends_with(".new")) << name << " was left behind";
  }
}

TEST_F(ResumeTest, ATrialBelongsToItsSessionAndNoRatioCrossesTheBorder) {
  SCOPED_TRACE("a report compares what was measured before a restart of the machine with what was measured after it");
  ASSERT_EQ(run({"run", "tiny.json", "--out", "out", "--no-report", "--max-time", "1ms"}).code, 0);
  ASSERT_EQ(file("environment.json")["status"], "time-limit");
  // Another kernel, as far as the file says.
  auto environment = file("environment.json");
  environment["sessions"][0]["fingerprint"]["kernel"] = "Linux 2.4.0";
  std::ofstream("out/environment.json") << environment;
  auto child = start({"resume", "out", "--no-report"});
  const auto deadline = Clock::now() + 100s;
  while (!fs::exists("out/trials/0001.json") && Clock::now() < deadline && !child.wait(Clock::now() + 5ms)) {
  }
  ::kill(child.pid(), SIGINT);
  ASSERT_TRUE(child.read_all(deadline));
  const auto state = child.wait(deadline);
  ASSERT_TRUE(state);
  EXPECT_EQ(state->code, 130);
  EXPECT_THAT(read_text_file(root_ + "/stderr").value_or(""), HasSubstr("kernel: Linux 2.4.0 before"));
  EXPECT_THAT(read_text_file(root_ + "/stderr").value_or(""), HasSubstr("Continue: iolab resume out"));
  ASSERT_EQ(run({"resume", "out", "--no-report"}).code, 0);
  EXPECT_EQ(file("environment.json")["sessions"].size(), 3u);
  EXPECT_EQ(file("trials/0000.json")["session"], 1);
  EXPECT_EQ(file("trials/0023.json")["session"], 2);
  EXPECT_THAT(file("results.json")["notes"].dump(), HasSubstr("2 sessions: trials 0 to"));
}

TEST_F(ResumeTest, WhatCannotBeResumedSaysWhy) {
  SCOPED_TRACE("two processes make the same trials, or two binaries one run");
  EXPECT_EQ(run({"resume"}).code, 2);
  ASSERT_EQ(run({"run", "tiny.json", "--out", "out", "--no-report", "--max-time", "1ms"}).code, 0);
  {
    const auto lock = RunLock::take(root_ + "/out");
    ASSERT_TRUE(lock);
    const auto second = run({"resume", "out"});
    EXPECT_EQ(second.code, 4);
    EXPECT_THAT(second.err, HasSubstr("another process is working on out"));
  }
  auto environment = file("environment.json");
  environment["sessions"][0]["fingerprint"]["binary (SHA-256)"] = std::string(64, '0');
  std::ofstream("out/environment.json") << environment;
  const auto other = run({"resume", "out", "--no-report"});
  EXPECT_EQ(other.code, 4);
  EXPECT_THAT(other.err, HasSubstr("--other-binary"));
  EXPECT_TRUE(records().empty());
  EXPECT_EQ(run({"resume", "out", "--no-report", "--other-binary"}).code, 0);
  const auto again = run({"resume", "out"});
  EXPECT_EQ(again.code, 0);
  EXPECT_THAT(again.out, HasSubstr("out is finished"));
}

}  // namespace
}  // namespace iolab::lab
