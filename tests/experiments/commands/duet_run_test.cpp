// Duets as a run makes them: real servers, other loads than the usual one, and who is stopped while the other is asked.
// A failure here is a pair of processes without a ratio, or a ratio of something else than the work of two servers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <string_view>

#include "experiments/machine/models.h"
#include "experiments/spec/spec.h"
#include "tests/experiments/program_test.h"

namespace iolab::lab {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class DuetRunTest : public ProgramTest {
 protected:
  // One trial of each cell; `work` and `judge` are members of their blocks.
  static void write_spec(const std::string& work, const std::string& judge, const std::string& other = "blocking") {
    std::ofstream("duets.json") << R"({"version": 1, "name": "duets", "question": "Does it work?", "models": [")"
                                << other << R"(", "epoll"], "workload": {"connections": 2, )" << work
                                << R"(}, "timing": {"warmup": "20ms", "measure": "200ms", "repeat": 1},
      "judge": {"metric": "server_cpu_us_per_request", )"
                                << judge << "}}";
  }

  // Six of blocking and six of the baseline with itself: each with its ratios, in its file and in the export.
  nlohmann::json run_six() const {
    const auto ended = run({"run", "duets.json", "--no-report", "--out", "out", "-q"});
    EXPECT_EQ(ended.code, 0) << ended.err;
    const auto exported = run({"export", "out", "--to", "json", "--what", "duets"});
    EXPECT_EQ(exported.code, 0) << exported.err;
    auto duets = nlohmann::json::parse(exported.out, nullptr, false);
    if (!duets.is_array()) return nlohmann::json::array();
    std::multiset<std::string> series;
    for (const auto& duet : duets) {
      series.insert(duet.at("series"));
      EXPECT_EQ(duet.at("status"), "ok") << duet;
      for (const auto* ratio : {"cpu_ratio", "rate_ratio"}) EXPECT_GT(duet.at(ratio), 0) << ratio << " of " << duet;
      EXPECT_LE(duet.at("cpu_ratio_low"), duet.at("cpu_ratio")) << duet;
      EXPECT_GE(duet.at("cpu_ratio_high"), duet.at("cpu_ratio")) << duet;
      for (const auto* side : {"answered_baseline", "answered_model"}) EXPECT_GT(duet.at(side), 0) << side << duet;
    }
    EXPECT_EQ(series.count("blocking"), 6u);
    EXPECT_EQ(series.count("epoll (again)"), 6u);
    const auto last = json_file("out/duets/0011.json");
    EXPECT_TRUE(last.is_object() && last.value("ok", false)) << last;
    return duets;
  }
};

TEST_F(DuetRunTest, AFetchBesideSilentConnectionsHasItsRatios) {
  SCOPED_TRACE("only producers are compared in pairs: a fetch meets an empty topic, or silent connections end a duet");
  write_spec(R"("kind": "fetch", "idle_connections": 20, "prefill": "256KiB")",
             R"("duets": 6, "slice": "5ms", "slices": 10, "side_by_side": 2)");
  EXPECT_EQ(run_six().size(), 12u);
}

TEST_F(DuetRunTest, AtAFixedRateBothAreAskedEquallyOften) {
  SCOPED_TRACE("at a fixed rate a duet fails, or one of the two is given less to do and is called the cheaper");
  write_spec(R"("arrivals": {"mode": "open", "rate": "2000/s"})", R"("duets": 6, "slice": "10ms", "slices": 10)");
  const auto duets = run_six();
  EXPECT_EQ(duets.size(), 12u);
  for (const auto& duet : duets) {
    EXPECT_EQ(duet.at("answered_baseline"), duet.at("answered_model")) << duet;
    EXPECT_GE(duet.at("answered_model"), 200) << duet;  // twenty in each of ten slices, and those of the warm-up
  }
}

struct Server {
  std::string model;
  char state = '?';  // R runs, S sleeps, T is stopped
};

// Those whose data lie below the directory, as they are at this moment.
std::vector<Server> servers_below(const std::string& directory) {
  constexpr std::string_view kFlag("--model\0", 8);
  std::vector<Server> servers;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    const auto name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto command = read_text_file(entry.path() / "cmdline").value_or("");
    const auto flag = command.find(kFlag);
    if (flag == std::string::npos || command.find(directory) == std::string::npos) continue;
    const auto stat = read_text_file(entry.path() / "stat").value_or("");
    const auto bracket = stat.rfind(')');
    if (bracket == std::string::npos) continue;  // it has ended meanwhile
    servers.push_back({command.c_str() + flag + kFlag.size(), stat[bracket + 2]});
  }
  return servers;
}

class StoppedServer : public DuetRunTest, public testing::WithParamInterface<std::string> {};

TEST_P(StoppedServer, IsOneThatSpinsAndNoOther) {
  SCOPED_TRACE("a server that spins takes the CPU of the one it is compared with, or one that sleeps is stopped too");
  const auto models = parse_models(run({"models", "--json"}).out).value();
  const auto info = std::ranges::find(models, model_id(GetParam()), &ModelInfo::id);
  ASSERT_NE(info, models.end());
  if (!info->available && std::getenv("IOLAB_REQUIRE_ALL_MODELS") == nullptr) GTEST_SKIP() << info->reason;
  write_spec(R"("idle_connections": 0)", R"("duets": 1, "slice": "20ms", "slices": 20)", GetParam());
  auto child = start({"run", "duets.json", "--no-report", "--out", root_ + "/out", "-q"});
  std::set<std::string> seen;
  std::set<std::string> stopped;
  const auto deadline = ChildProcess::Clock::now() + 100s;
  while (!child.wait(ChildProcess::Clock::now() + 1ms) && ChildProcess::Clock::now() < deadline) {
    for (const auto& server : servers_below(root_ + "/out")) {
      seen.insert(server.model);
      if (server.state == 'T') stopped.insert(server.model);
    }
  }
  const auto ended = end(child);
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(seen, (std::set<std::string>{"epoll", GetParam()}));
  EXPECT_EQ(stopped, std::set<std::string>{GetParam()});
}
INSTANTIATE_TEST_SUITE_P(Spinning, StoppedServer, testing::Values("nonblocking", "io_uring:sqpoll=on"));

}  // namespace
}  // namespace iolab::lab
