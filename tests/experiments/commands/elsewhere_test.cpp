// Runs whose server is not ours, or whose network is not loopback. A failure here means that figures are printed of a
// process that nobody measured, or that a path is claimed that no packet took.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/experiments/program_test.h"

namespace iolab::lab {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

class Elsewhere : public ProgramTest {
 protected:
  std::string spec(const std::string& more) const {
    const std::string path = root_ + "/spec.json";
    std::ofstream(path) << R"({"version": 1, "name": "elsewhere", "question": "Does it work?",
      "workload": {"connections": 2, "record_size": "16KiB"},
      "timing": {"warmup": "20ms", "measure": "100ms", "repeat": 2})"
                        << more << "}";
    return path;
  }
};

TEST_F(Elsewhere, ABrokerThatRunsAlreadyIsMeasuredFromOutside) {
  SCOPED_TRACE("a server's CPU or memory is reported of a process that is not ours, or its topics are left behind");
  auto broker = ChildProcess::start(
      {.arguments = {IOLAB_BINARY, "broker", "--listeners", "PLAINTEXT://127.0.0.1:0", "--log-dirs", root_ + "/data"},
       .quiet_stderr = true});
  ASSERT_TRUE(broker) << broker.error();
  const auto line = broker->read_line(ChildProcess::Clock::now() + 10s).value_or("");
  const auto address = "127.0.0.1:" + line.substr(line.rfind(':') + 1);
  const auto ended = run({"run", spec(R"(, "target": {"bootstrap_servers": ")" + address + "\"}"), "--no-report",
                          "--out", root_ + "/run"});
  EXPECT_THAT(ended.out, HasSubstr("not ours to measure"));
  const auto report = json_file("run/results.json");
  ASSERT_TRUE(report.contains("cells")) << ended.err;
  EXPECT_TRUE(report.at("judgement").is_null());
  const auto& cell = report.at("cells").at(0);
  EXPECT_EQ(cell.at("series"), "target");
  EXPECT_EQ(report.at("cells").at(1).at("series"), "target (again)") << "how large no difference is";
  EXPECT_EQ(cell.at("status"), "ok");
  EXPECT_GT(cell.at("metrics").at("requests_per_s").at("value").get<double>(), 0);
  for (const auto* metric : {"server_cpu_us_per_request", "syscalls_per_request", "rss_mib", "threads"}) {
    EXPECT_TRUE(cell.at("metrics").at(metric).at("value").is_null()) << metric;
    EXPECT_EQ(cell.at("metrics").at(metric).at("quality"), "not ours") << metric;
  }
  EXPECT_THAT(run({"topics", "--bootstrap-server", address, "--list"}).out, Not(HasSubstr("iolab-elsewhere")));
}

TEST_F(Elsewhere, ABrokerThatRunsAlreadyIsComparedByDuets) {
  SCOPED_TRACE("another broker can be looked at, but not be held against one of ours under the same weather");
  auto broker = ChildProcess::start(
      {.arguments = {IOLAB_BINARY, "broker", "--listeners", "PLAINTEXT://127.0.0.1:0", "--log-dirs", root_ + "/data"},
       .quiet_stderr = true});
  ASSERT_TRUE(broker) << broker.error();
  const auto line = broker->read_line(ChildProcess::Clock::now() + 10s).value_or("");
  const auto address = "127.0.0.1:" + line.substr(line.rfind(':') + 1);
  const auto path = spec(R"(, "models": ["epoll"], "variants": {"other": {"bootstrap_servers": ")" + address + R"("}},
    "judge": {"metric": "requests_per_s", "better": "higher", "duets": 6, "slices": 10})");
  const auto ended = run({"run", path, "--no-report", "--out", root_ + "/run"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  const auto judgement = json_file("run/results.json").at("judgement");
  ASSERT_EQ(judgement.at("verdicts").size(), 1u) << judgement;
  EXPECT_EQ(judgement.at("verdicts").at(0).at("series"), "other");
  EXPECT_GT(judgement.at("verdicts").at(0).at("ratio").get<double>(), 0);
  int compared = 0;
  for (int i = 0; i < 12; ++i) {
    const auto duet = json_file(fmt::format("run/duets/{:04}.json", i));
    ASSERT_TRUE(duet.at("ok").get<bool>()) << duet;
    compared += duet.at("series") == "other" && duet.at("cpu_ratio").is_null() && duet.at("rate_ratio").is_number();
  }
  EXPECT_EQ(compared, 6);
  EXPECT_THAT(run({"topics", "--bootstrap-server", address, "--list"}).out, Not(HasSubstr("iolab-elsewhere")));
}

TEST_F(Elsewhere, AVirtualCableIsTheWayOfEveryTrial) {
  SCOPED_TRACE("loopback is measured under the name of a network");
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const auto ended =
      run({"run", spec(R"(, "path": "veth", "models": ["epoll"])"), "--no-report", "--out", root_ + "/run"});
  const auto report = json_file("run/results.json");
  ASSERT_TRUE(report.contains("cells")) << ended.err;
  for (const auto& cell : report.at("cells")) {
    EXPECT_EQ(cell.at("status"), cell.at("series") == "ceiling" ? "not-run" : "ok") << cell.at("reason");
  }
  EXPECT_THAT(report.at("method").dump(), HasSubstr("MTU of 1500"));
}

TEST_F(Elsewhere, WithoutRootAVirtualCableIsARowWithItsReason) {
  SCOPED_TRACE("a path that cannot be had is a crash");
  fs::permissions(root_, fs::perms::all);
  std::vector<std::string> before;
  if (geteuid() == 0) before = {"setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"};
  const auto ended = run({"run", spec(R"(, "path": "veth", "models": ["epoll"])"), "--dry-run"}, before);
  EXPECT_EQ(ended.code, 4);
  EXPECT_THAT(ended.out, HasSubstr("a network namespace needs root"));
}

}  // namespace
}  // namespace iolab::lab
