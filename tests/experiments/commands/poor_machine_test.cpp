// Machines that lack something, as borrowed laptops and containers do: the program says what is missing and does the
// rest. A failure here is a crash, or a gap that nobody explains.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>

#include "experiments/machine/environment.h"
#include "tests/experiments/program_test.h"

namespace iolab::lab {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;

// Where a line was folded depends on the words before it.
std::string unfolded(const std::string& text) {
  return std::regex_replace(text, std::regex("\n +"), " ");
}

// Somebody who is not root, whoever runs the tests.
std::vector<std::string> without_root() {
  if (geteuid() != 0) return {};
  return {"setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"};
}

class PoorMachine : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    fs::permissions(root_, fs::perms::all);  // for whoever gave up being root
  }

  Ended doctor(const std::vector<std::string>& before) { return run({"doctor"}, before); }

  // What doctor says of each experiment that ships, by its name.
  std::map<std::string, nlohmann::json> diagnoses(const std::vector<std::string>& before) const {
    const auto diagnosis = nlohmann::json::parse(run({"doctor", "--json"}, before).out, nullptr, false);
    std::map<std::string, nlohmann::json> by_name;
    if (!diagnosis.is_object()) return by_name;
    for (const auto& one : diagnosis.at("experiments")) by_name[one.at("name")] = one;
    return by_name;
  }

  // Long enough that on a busy machine, too, every window sees an answer: a trial without one is exit code 5.
  Ended small_run(const std::vector<std::string>& before) {
    return run(
        {"run", "few-busy", "--profile", "quick", "--models", "epoll,blocking,io_uring", "--set", "connections=2",
         "--set", "repeat=1", "--set", "warmup=20ms", "--set", "measure=400ms", "--out", root_ + "/run"},
        before);
  }
};

TEST_F(PoorMachine, WithoutIoUringItsRowHasTheReason) {
  SCOPED_TRACE("in a container io_uring is a crash, or a line that is not there");
  const std::vector<std::string> before{WITHOUT_IO_URING};
  const auto examined = doctor(before);
  EXPECT_EQ(examined.code, 0) << examined.err;
  EXPECT_THAT(examined.out, HasSubstr("not here: io_uring: "));
  const auto ran = small_run(before);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("io_uring"));
  const auto results = json_file("run/results.json");
  int seen = 0;
  for (const auto& cell : results.at("cells")) {
    if (cell.at("series") != "io_uring") continue;
    ++seen;
    EXPECT_EQ(cell.at("status"), "not-run");
    EXPECT_THAT(cell.at("reason").get<std::string>(), HasSubstr("io_uring is forbidden here"));
  }
  EXPECT_GT(seen, 0) << "its rows are left out";
}

TEST_F(PoorMachine, ARunThatRequiresAllModelsEndsBeforeItBegins) {
  SCOPED_TRACE("a script takes a comparison without one of its models for the whole one");
  const auto asked = [&](const std::string& models, const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"run", "few-busy", "--profile", "quick", "--models", models, "--require-all"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments, {WITHOUT_IO_URING});
  };
  const auto refused = asked("epoll,io_uring", {"--out", root_ + "/run"});
  EXPECT_EQ(refused.code, 5) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("not available: io_uring: io_uring is forbidden here"));
  EXPECT_THAT(refused.err, HasSubstr("nothing was run"));
  EXPECT_THAT(refused.err, Not(HasSubstr("not available: epoll")));
  EXPECT_FALSE(fs::exists(root_ + "/run"));
  const auto possible = asked("epoll,blocking", {"--dry-run"});
  EXPECT_EQ(possible.code, 0) << possible.err;
}

TEST_F(PoorMachine, WithoutRootEverythingButTheKernelsOwnViewWorks) {
  SCOPED_TRACE("a student without root cannot run the lab");
  if (geteuid() != 0) GTEST_SKIP() << "needs root to give it up";
  const auto before = without_root();
  const auto examined = doctor(before);
  EXPECT_EQ(examined.code, 0) << examined.err;
  const auto ran = small_run(before);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(json_file("run/results.json").at("run").at("status"), "complete");
}

TEST_F(PoorMachine, WithoutRootEveryModelStillHasItsLane) {
  SCOPED_TRACE("a student without root does not see a model, or sees a border that nobody knows");
  const auto ran = run({"first-look", "--no-report", "--out", root_ + "/run"}, without_root());
  ASSERT_EQ(ran.code, 0) << ran.err;
  std::map<std::string, std::string> borders;
  for (const auto& chart : json_file("run/traces/charts.json")) {
    for (const auto& lane : chart.at("panels").at(0).at("lanes")) {
      EXPECT_EQ(lane.at("missing"), "") << lane.at("series");
      borders[lane.at("series")] = lane.at("border");
    }
  }
  const auto listed = nlohmann::json::parse(run({"models", "--json"}).out);
  for (const auto& model : listed.at("models")) {
    const std::string id = model.at("id");
    if (id == "null") continue;
    ASSERT_TRUE(borders.contains(id)) << id;
    EXPECT_EQ(borders[id], id == "posix-aio" ? "at_most" : "exact") << id;
  }
}

TEST_F(PoorMachine, WithoutRootDoctorStillTellsWhatAServerSleepsIn) {
  SCOPED_TRACE("a student without root learns that a server waits, and not for what");
  if (first_line("/proc/sys/kernel/yama/ptrace_scope") > "1") GTEST_SKIP() << "nobody without root may look";
  const auto seen = run({"doctor", "--model", "epoll"}, without_root());
  EXPECT_EQ(seen.code, 0) << seen.err;
  EXPECT_THAT(seen.out, HasSubstr("asleep in epoll_wait"));
  EXPECT_THAT(seen.out, HasSubstr("timer"));
  EXPECT_THAT(seen.out, Not(HasSubstr("does not tell this user")));
}

TEST_F(PoorMachine, OneCpuIsSaid) {
  SCOPED_TRACE("server and load share a CPU, and the report speaks of models");
  const std::vector<std::string> before{"taskset", "-c", "0"};
  const auto examined = doctor(before);
  EXPECT_EQ(examined.code, 0) << examined.err;
  EXPECT_THAT(examined.out, HasSubstr("share CPU 0"));
  const auto said = unfolded(examined.out);
  EXPECT_THAT(said, HasSubstr("Cannot say how fast a model is: server and load take turns on one CPU"));
  EXPECT_THAT(said, HasSubstr("one CPU only: server and load share it"));
  const auto ran = small_run(before);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(unfolded(ran.out), HasSubstr("Server and load shared one CPU"));
}

TEST_F(PoorMachine, With256DescriptorsLargeCellsAreRows) {
  SCOPED_TRACE("connections fail one by one in the middle of a run");
  const std::vector<std::string> before{"prlimit", "--nofile=256:256"};
  const auto examined = doctor(before);
  EXPECT_EQ(examined.code, 0) << examined.err;
  const auto said = unfolded(examined.out);
  EXPECT_THAT(said, HasSubstr("this process may have 256: raise `ulimit -Hn`"));
  EXPECT_THAT(said, HasSubstr("open files are limited to 256"));
  const auto experiments = diagnoses(before);
  ASSERT_TRUE(experiments.contains("idle-tax") && experiments.contains("few-busy"));
  const auto& idle_tax = experiments.at("idle-tax");
  EXPECT_EQ(idle_tax.at("runs"), true);
  const auto& not_run = idle_tax.at("not_run");
  const auto is_said_of = [&](const char* series) {
    return std::ranges::any_of(not_run, [&](const auto& one) {
      return one.at("series") == series && one.at("reason").template get<std::string>().contains("may have 256");
    });
  };
  for (const auto* series : {"epoll", "blocking", "io_uring"}) EXPECT_TRUE(is_said_of(series)) << series << not_run;
  EXPECT_THAT(idle_tax.at("remark").get<std::string>(), testing::ContainsRegex("not [^:]*, epoll, [^:]*: 916 "));
  EXPECT_LT(std::ranges::count(said, '\n'), 60) << "a reason is said once, not once for each model";
  EXPECT_THAT(said, HasSubstr("idle-tax: " + idle_tax.at("remark").get<std::string>()));
  EXPECT_THAT(experiments.at("few-busy").dump(), Not(HasSubstr("may have 256")));
  const auto ran =
      run({"run", "idle-tax", "--profile", "quick", "--models", "epoll", "--set", "idle_connections=0,900", "--set",
           "repeat=1", "--set", "warmup=20ms", "--set", "measure=400ms", "--no-report", "--out", root_ + "/run"},
          before);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("ulimit"));
}

TEST_F(PoorMachine, WithoutPythonThereAreTables) {
  SCOPED_TRACE("a missing package costs the whole report");
  const std::vector<std::string> before{"env", "IOLAB_PYTHON=/nonexistent", "PATH=/nonexistent"};
  const auto examined = doctor(before);
  EXPECT_EQ(examined.code, 0) << examined.err;
  EXPECT_THAT(examined.out, HasSubstr("matplotlib"));
  const auto ran = small_run(before);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("matplotlib"));
  EXPECT_THAT(ran.out, HasSubstr("results.json"));
}

}  // namespace
}  // namespace iolab::lab
