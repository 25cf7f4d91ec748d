// Traces, claims and the cost model from the command line: what each leaves, and what it says of what it cannot know.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <map>
#include <set>

#include "tests/experiments/program_test.h"

namespace iolab::lab {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

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
  const std::string both = "blocking,nonblocking,select,poll,epoll,sigio,posix-aio,io_uring";
  std::map<bool, bool> parted;  // by udp: the blocking model's wake-up, which only tracepoints part
  for (const bool udp : {false, true}) {
    // A standing order is for a connection.
    const auto traces = traced(udp ? both : both + ",io_uring-multishot", udp);
    EXPECT_EQ(traces.size(), udp ? 8u : 9u);
    parted[udp] = traces.contains("blocking") && traces.at("blocking").contains("notice");
    for (const auto& [model, doings] : traces) {
      const auto does_one_of = [&](std::initializer_list<const char*> list) {
        return std::ranges::any_of(list, [&](const char* doing) { return doings.contains(doing); });
      };
      EXPECT_TRUE(does_one_of({"blocked", "spinning"})) << model << udp;
      EXPECT_TRUE(
          does_one_of({"copy", "wake_and_copy", "awake_and_copy", "task_work", "copied_inside", "copied_for_us"}) ||
          (model == "posix-aio" && doings.contains("unknown")))
          << model << udp;
      EXPECT_TRUE(doings.contains("reply")) << model << udp;
    }
  }
  EXPECT_EQ(parted[true], parted[false]) << "what tracepoints tell of a datagram and of a stream";
}

TEST_F(TraceTest, ADatagramIsNoReasonToMeasureABroker) {
  SCOPED_TRACE("with --udp a broker is measured over TCP, and its figures stand below the datagram's");
  const auto ended =
      run({"trace", "--model", "epoll,poll", "--requests", "20", "--udp", "--out", "out", "--no-report"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, Not(HasSubstr("calls/req")));
  EXPECT_FALSE(fs::exists("out/trials") && !fs::is_empty("out/trials"));
  const auto results = json_file("out/results.json");
  ASSERT_EQ(results.at("found").size(), 1u) << "its answer is what the picture shows, and nothing else";
  EXPECT_EQ(results["found"][0]["kind"], "traced");
  EXPECT_EQ(results["run"]["grade"]["text"], "") << "a grade of trials that nobody made";
  ASSERT_GT(results.at("cells").size(), 0u);
  for (const auto& cell : results.at("cells")) EXPECT_EQ(cell.at("status"), "not-run") << cell;
}

TEST_F(TraceTest, WhatIsPrintedOfATraceIsWhatWasCounted) {
  SCOPED_TRACE("requests are said to count that were left out, or the slowest one is called a percentile");
  const auto ended = run({"trace", "--model", "epoll", "--requests", "40", "--out", "out", "--no-report"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("Tracing: "));
  std::set<std::string> subtitles;
  const auto results = json_file("out/results.json");
  for (const auto& chart : results.at("charts")) {
    const auto id = chart.value("id", "");
    EXPECT_NE(id, "one_request_p99");
    if (id.starts_with("one_request")) subtitles.insert(chart.value("subtitle", ""));
  }
  EXPECT_THAT(subtitles, testing::Contains(HasSubstr("nearest to the median of 30")));
  EXPECT_THAT(subtitles, testing::Contains(HasSubstr("the slowest of 30 requests")));
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
  EXPECT_THAT(ended.out, HasSubstr("How far it is off on cells that it has not seen"));
  EXPECT_THAT(ended.out, HasSubstr("Intel Xeon"));
  const auto mixed = run({"cost", kReference + "/idle-tax", kReference + "/spin-cost"});
  EXPECT_THAT(mixed.out, testing::StartsWith("Runs of different machines:"));
  EXPECT_THAT(mixed.out, HasSubstr("spin-cost: 2 x AMD EPYC"));
  const auto alone = nlohmann::json::parse(run({"cost", kReference + "/idle-tax", "--json"}).out, nullptr, false);
  EXPECT_EQ(alone.value("machines_differ", true), false);
  const auto told = nlohmann::json::parse(
      run({"cost", kReference + "/idle-tax", kReference + "/few-busy", "--json"}).out, nullptr, false);
  ASSERT_TRUE(told.is_object());
  const auto tests = told.value("tests", nlohmann::json::array());
  EXPECT_EQ(tests.size(), 4u);
  std::size_t tried = 0;
  for (const auto& test : tests) tried += test.value("tried", nlohmann::json::array()).size();
  EXPECT_GT(tried, 0u);
  EXPECT_EQ(run({"cost", "no-such-run"}).code, 2);
  EXPECT_EQ(run({"cost", kReference + "/first-look"}).code, 4);
}

TEST_F(TraceTest, AClaimWithoutFiguresIsNotJudged) {
  SCOPED_TRACE("a claim whose experiment never ran is called supported");
  std::filesystem::create_directory("one");  // all other runs are missing
  std::filesystem::create_directory_symlink(kReference + "/idle-tax", "one/idle-tax");
  const auto ended = run({"claims", "--from", "one", "--no-run", "--no-report", "--out", "claims"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  const auto claims = json_file("claims/claims.json");
  ASSERT_TRUE(claims.is_object());
  int judged = 0;
  int without_run = 0;
  for (const auto& claim : claims["claims"]) {
    bool has_run = true;
    for (const auto& check : claim["checks"]) {
      has_run = has_run && check["run"] == "idle-tax";
    }
    if (!has_run && claim["ruling"] != "historical" && claim["ruling"] != "definitional") {
      ++without_run;
      EXPECT_NE(claim["ruling"], "supported") << claim["id"];
      EXPECT_NE(claim["ruling"], "only_if") << claim["id"];
      const auto& first = claim["checks"][0];
      const bool shown = first["run"] != "idle-tax" && first["standing"] == "missing" && first["value"].is_null();
      EXPECT_TRUE(shown || first["run"] == "idle-tax") << claim["id"];
    }
    judged += claim["ruling"] == "supported" || claim["ruling"] == "only_if" || claim["ruling"] == "contradicted";
    if (claim["ruling"] == "cannot_say") {
      EXPECT_GT(claim["ruling_text"].get<std::string>().size(), 20u) << claim["id"];
    }
  }
  EXPECT_GT(judged, 0);
  EXPECT_GT(without_run, 10);
}

TEST_F(TraceTest, ClaimsDeleteNoWholeRun) {
  SCOPED_TRACE("another --profile with the same --out deletes runs of hours");
  std::filesystem::create_directories("claims/runs");
  std::filesystem::copy(kReference + "/idle-tax", "claims/runs/idle-tax", std::filesystem::copy_options::recursive);
  const auto ended = run({"claims", "--profile", "careful", "--no-report", "--out", "claims"});
  EXPECT_EQ(ended.code, 2) << ended.out;
  EXPECT_THAT(ended.err, HasSubstr("holds a complete run of idle-tax by the standard profile"));
  EXPECT_TRUE(std::filesystem::exists("claims/runs/idle-tax/results.json"));
  EXPECT_TRUE(std::filesystem::exists("claims/runs/idle-tax/trials"));
}

}  // namespace
}  // namespace iolab::lab
