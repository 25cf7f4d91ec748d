// Traces, claims and the cost model from the command line: what each leaves, and what it says of what it cannot know.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "tests/experiments/program_test.h"

namespace iolab::lab {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const std::string kReference = std::string(IOLAB_SOURCE_DIR) + "/results/reference";

class TraceTest : public ProgramTest {
 protected:
  // What was done in the strip of each model.
  std::map<std::string, std::set<std::string>> traced(const std::string& models, bool udp) {
    std::vector<std::string> arguments{"trace", "--model", models, "--requests", "20", "--out", "out", "--no-report"};
    if (udp) arguments.emplace_back("--udp");
    const auto ended = run(arguments);
    EXPECT_EQ(ended.code, 0) << ended.err;
    std::map<std::string, std::set<std::string>> doings;
    for (const auto& chart : json_file("out/results.json").value("charts", nlohmann::json::array())) {
      if (chart.value("id", "") != "one_request") continue;
      for (const auto& lane : chart["panels"][0]["lanes"]) {
        EXPECT_EQ(lane["missing"], "") << lane["series"];
        for (const auto& event : lane["events"]) doings[lane["series"]].insert(event["state"]);
      }
    }
    fs::remove_all("out");
    return doings;
  }
};

TEST_F(TraceTest, ShowsBothPhasesOfEveryKindOfModel) {
  SCOPED_TRACE("a trace shows no waiting, or nobody who copies");
  const std::string both = "blocking,nonblocking,epoll,sigio,io_uring";
  for (const bool udp : {false, true}) {
    // A standing order is for a connection.
    const auto traces = traced(udp ? both : both + ",io_uring-multishot", udp);
    EXPECT_EQ(traces.size(), udp ? 5u : 6u);
    for (const auto& [model, doings] : traces) {
      EXPECT_TRUE(doings.contains("blocked") || doings.contains("spinning")) << model << udp;
      EXPECT_TRUE(doings.contains("copy") || doings.contains("wake_and_copy") || doings.contains("copied_for_us"))
          << model << udp;
      EXPECT_TRUE(doings.contains("reply")) << model << udp;
    }
  }
}

TEST_F(TraceTest, AColdReaderReadsFromTheDiskBesideTheLoad) {
  SCOPED_TRACE("a run with a cold reader measures none, or an answer that another thread has read is wrong");
  std::ofstream("cold.json") << R"({"version": 1, "name": "mine", "question": "Who waits?", "models": ["epoll"],
    "variants": {"pool": {"model": "epoll", "broker": {"iolab.fetch.cold": "pool"}},
                 "ring": {"model": "epoll", "broker": {"iolab.fetch.cold": "io_uring"}}},
    "workload": {"connections": 2, "cold_readers": 1},
    "timing": {"warmup": "20ms", "measure": "200ms", "repeat": 1}})";
  const auto ended = run({"run", "cold.json", "--no-report", "--out", "out"});
  ASSERT_EQ(ended.code, 0) << ended.err << ended.out;
  int read = 0;
  for (const auto& trial : fs::directory_iterator("out/trials")) {
    const auto record = json_file("out/trials/" + trial.path().filename().string());
    EXPECT_EQ(record["status"], "ok") << record["reason"];
    read += record.contains("probe") && record["probe"].value("cold_reads_per_s", 0.0) > 10;
  }
  EXPECT_EQ(read, 4);  // epoll, epoll again, and the two variants
}

TEST_F(TraceTest, WrongModelsAreNamed) {
  SCOPED_TRACE("a mistyped model ends in an empty picture");
  const auto ended = run({"trace", "--model", "epol"});
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.err, HasSubstr("epoll"));
}

TEST_F(TraceTest, CostIsToldWithItsError) {
  SCOPED_TRACE("prices are printed without how well they predict");
  const auto ended = run({"cost", kReference + "/idle-tax", kReference + "/few-busy"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("which it has not seen, it is off by"));
  const auto told = nlohmann::json::parse(
      run({"cost", kReference + "/idle-tax", kReference + "/few-busy", "--json"}).out, nullptr, false);
  ASSERT_TRUE(told.is_object());
  EXPECT_GT(told["tried"].size(), 9u);
  EXPECT_EQ(run({"cost", "no-such-run"}).code, 2);
  EXPECT_EQ(run({"cost", kReference + "/first-look"}).code, 4);
}

TEST_F(TraceTest, AClaimWithoutFiguresIsNotJudged) {
  SCOPED_TRACE("a claim whose experiment never ran is called supported");
  const auto ended = run({"claims", "--from", kReference, "--no-run", "--no-report", "--out", "claims"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  const auto claims = json_file("claims/claims.json");
  ASSERT_TRUE(claims.is_object());
  int judged = 0;
  for (const auto& claim : claims["claims"]) {
    judged += claim["ruling"] == "supported" || claim["ruling"] == "only_if" || claim["ruling"] == "contradicted";
    if (claim["ruling"] == "cannot_say") {
      EXPECT_GT(claim["ruling_text"].get<std::string>().size(), 20u) << claim["id"];
    }
  }
  EXPECT_GT(judged, 0);
}

}  // namespace
}  // namespace iolab::lab
