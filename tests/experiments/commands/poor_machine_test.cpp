// Machines that lack something, as borrowed laptops and containers do: the program says what is missing and does the
// rest. A failure here is a crash, or a gap that nobody explains.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/experiments/program_test.h"

namespace iolab::lab {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;

class PoorMachine : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    fs::permissions(root_, fs::perms::all);  // for whoever gave up being root
  }

  Ended doctor(const std::vector<std::string>& before) { return run({"doctor"}, before); }
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
  for (const auto& cell : results.at("cells")) {
    if (cell.at("series") != "io_uring") continue;
    EXPECT_EQ(cell.at("status"), "not-run");
    EXPECT_THAT(cell.at("reason").get<std::string>(), HasSubstr("io_uring is forbidden here"));
  }
}

TEST_F(PoorMachine, WithoutRootEverythingButTheKernelsOwnViewWorks) {
  SCOPED_TRACE("a student without root cannot run the lab");
  if (geteuid() != 0) GTEST_SKIP() << "needs root to give it up";
  const std::vector<std::string> before{"setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"};
  const auto examined = doctor(before);
  EXPECT_EQ(examined.code, 0) << examined.err;
  const auto ran = small_run(before);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(json_file("run/results.json").at("run").at("status"), "complete");
}

TEST_F(PoorMachine, OneCpuIsSaid) {
  SCOPED_TRACE("server and load share a CPU, and the report speaks of models");
  const std::vector<std::string> before{"taskset", "-c", "0"};
  const auto examined = doctor(before);
  EXPECT_EQ(examined.code, 0) << examined.err;
  EXPECT_THAT(examined.out, HasSubstr("share CPU 0"));
  EXPECT_THAT(examined.out, HasSubstr("Cannot say"));
  const auto ran = small_run(before);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("one CPU"));
}

TEST_F(PoorMachine, With256DescriptorsLargeCellsAreRows) {
  SCOPED_TRACE("connections fail one by one in the middle of a run");
  const std::vector<std::string> before{"prlimit", "--nofile=256:256"};
  const auto examined = doctor(before);
  EXPECT_EQ(examined.code, 0) << examined.err;
  EXPECT_THAT(examined.out, HasSubstr("open files"));
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
