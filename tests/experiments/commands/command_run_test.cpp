// `iolab run` with its flags, and what can be done with a run afterwards: compare, export.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "tests/experiments/program_test.h"

namespace iolab::lab {
namespace {

namespace fs = std::filesystem;
using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;

class CommandRunTest : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    std::ofstream("tiny.json")
        << R"({"version": 1, "name": "tiny", "question": "Does it work?", "models": ["blocking", "epoll"],
      "workload": {"connections": 2}, "matrix": {"workload.idle_connections": [0, 5]},
      "timing": {"warmup": "20ms", "measure": "60ms", "repeat": 1},
      "judge": {"metric": "server_cpu_us_per_request", "duets": 1, "slice": "2ms", "slices": 10}})";
  }

  Ended run_tiny(std::vector<std::string> more) const {
    more.insert(more.begin(), {"run", "tiny.json", "--no-report"});
    return run(std::move(more));
  }

  // Every trial of a run gets figures that somebody chose: what comes out is then no matter of this machine's mood.
  void make_steady(const std::string& name, const std::string& slower, double factor) const {
    for (const auto& entry : fs::directory_iterator(root_ + "/" + name + "/trials")) {
      auto trial = nlohmann::json::parse(read_text_file(entry.path()).value_or(""));
      constexpr int kRequests = 2000;
      const double unsteady = 1 + 0.001 * trial["block"].get<int>();
      trial["status"] = "ok";
      trial["reason"] = "";
      trial["load"]["requests_per_s"] = 20'000;
      trial["server"]["counts"]["requests"] = kRequests;
      trial["server"]["cpu_s"] = kRequests * 10e-6 * unsteady * (trial["series"] == slower ? factor : 1);
      std::ofstream(entry.path()) << trial.dump();
    }
  }
};

TEST_F(CommandRunTest, AFilteredRunIsThatPartAndWhatItsRatiosRestOn) {
  SCOPED_TRACE("--filter runs everything, or leaves nothing to compare with");
  const auto ended = run_tiny({"--out", "out", "--filter", "^blocking/idle_connections=5$", "-q"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.err, Not(HasSubstr("trial ")));  // -q
  std::set<std::string> cells;
  const auto plan = json_file("out/plan.json");
  EXPECT_EQ(plan["filter"], "^blocking/idle_connections=5$");
  for (const auto& trial : plan["trials"]) cells.insert(trial["cell"]);
  EXPECT_EQ(cells, (std::set<std::string>{"blocking/idle_connections=5", "epoll/idle_connections=5",
                                          "epoll (again)/idle_connections=5", "ceiling/idle_connections=5"}));
  const auto nothing = run_tiny({"--filter", "no-such-cell"});
  EXPECT_EQ(nothing.code, 2);
  EXPECT_THAT(nothing.err, HasSubstr("blocking/idle_connections=0"));
  EXPECT_EQ(run_tiny({"--filter", "("}).code, 2);
}

TEST_F(CommandRunTest, ShortFlagsAreSettingsAndCpusAreWhereItRuns) {
  SCOPED_TRACE("a flag is accepted and without effect");
  const auto ended = run_tiny({"--out", "out", "--warmup", "10ms", "--measure", "50ms", "--repeat", "2", "--baseline",
                               "blocking", "--max-connections", "4", "--cpus", "server=0,load=0", "--plain"});
  if (ended.code == 2 && ended.err.find("may not use CPU 0") != std::string::npos) GTEST_SKIP() << ended.err;
  ASSERT_EQ(ended.code, 0) << ended.err;
  const auto spec = json_file("out/spec.json");
  EXPECT_EQ(spec["timing"]["warmup"], "10ms");
  EXPECT_EQ(spec["timing"]["measure"], "50ms");
  EXPECT_EQ(spec["timing"]["repeat"], 2);
  EXPECT_EQ(spec["baseline"], "blocking");
  const auto environment = json_file("out/environment.json");
  EXPECT_EQ(environment["cpus"]["load"], 0);
  EXPECT_THAT(environment["command"].get<std::string>(), HasSubstr("--set timing.repeat=2"));
  const auto plan = json_file("out/plan.json");
  for (const auto& trial : plan["trials"]) {
    EXPECT_TRUE(trial["level"] == "idle_connections=0" || trial["series"] == "ceiling") << trial;
  }
  // --plain: a header and one line for each cell, nothing else.
  std::istringstream lines(ended.out);
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) EXPECT_THAT(line, HasSubstr("\t"));
  EXPECT_EQ(count, 1 + json_file("out/results.json")["cells"].size());
}

TEST_F(CommandRunTest, WrongFlagsRunNothing) {
  SCOPED_TRACE("a mistyped flag costs an hour of measuring the wrong thing");
  EXPECT_EQ(run_tiny({"--cpus", "server=0"}).code, 2);
  EXPECT_EQ(run_tiny({"--cpus", "server=0,load=9999"}).code, 2);
  EXPECT_EQ(run_tiny({"--cpus", "server=0-1,load=1"}).code, 2);
  EXPECT_EQ(run_tiny({"--max-memory", "1"}).code, 2);
  EXPECT_THAT(run_tiny({"--measure", "3"}).err, HasSubstr("has no unit"));
  EXPECT_FALSE(fs::exists("results"));
}

TEST_F(CommandRunTest, StrictRunsFailWhereNothingCanBeCalledClear) {
  SCOPED_TRACE("a script takes one trial of each for an answer");
  const auto strict = run_tiny({"--out", "out", "--strict", "--filter", "idle_connections=0"});
  EXPECT_EQ(strict.code, 7) << strict.err;
  EXPECT_THAT(strict.err, HasSubstr("no difference can be called clear"));
}

TEST_F(CommandRunTest, AServerThatTakesTooMuchMemoryIsStopped) {
  SCOPED_TRACE("a model that leaks takes the machine down, and the run with it");
  const auto ended = run_tiny({"--out", "out", "--models", "blocking", "--baseline", "blocking", "--set",
                               "idle_connections=3000", "--max-memory", "16MiB"});  // 3,000 stacks do not fit into it
  EXPECT_EQ(ended.code, 5) << ended.err;
  EXPECT_THAT(json_file("out/results.json")["notes"].dump(), HasSubstr("more than limits.memory allows"));
  EXPECT_THAT(json_file("out/duets/0000.json")["reason"].get<std::string>(), HasSubstr("limits.memory"));
}

TEST_F(CommandRunTest, WhatWasMeasuredCanBeExported) {
  SCOPED_TRACE("an export has other figures than the report, or an unknown format is taken for another");
  ASSERT_EQ(run_tiny({"--out", "out"}).code, 0);
  const auto csv = run({"export", "out", "--to", "csv"});
  EXPECT_EQ(csv.code, 0);
  EXPECT_EQ(csv.out, read_text_file("out/data.csv").value_or(""));
  ASSERT_EQ(run({"export", "out", "--to", "json", "--what", "cells", "--out", "cells.json"}).code, 0);
  const auto cells = json_file("cells.json");
  ASSERT_EQ(cells.size(), 8u);
  const auto results = json_file("out/results.json");
  for (std::size_t i = 0; i < cells.size(); ++i) {
    EXPECT_EQ(cells[i]["cell"], results["cells"][i]["id"]);
    EXPECT_NEAR(cells[i]["requests_per_s"].get<double>(),
                results["cells"][i]["metrics"]["requests_per_s"]["value"].get<double>(), 1);
  }
  const auto duets = nlohmann::json::parse(run({"export", "out", "--to", "json", "--what", "duets"}).out);
  ASSERT_EQ(duets.size(), 2u);
  EXPECT_GT(duets[0]["cpu_ratio"], 0);
  const auto unknown = run({"export", "out", "--to", "xlsx"});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("there are csv and json"));
  EXPECT_EQ(run({"export", "out", "--to", "csv", "--what", "cell"}).code, 2);
}

TEST_F(CommandRunTest, TwoRunsAreComparedAndAWrongQuestionIsRefused) {
  SCOPED_TRACE("a typing error in --fail-if lets every regression pass");
  ASSERT_EQ(run_tiny({"--out", "a"}).code, 0);
  ASSERT_EQ(run_tiny({"--out", "b", "--set", "connections=1"}).code, 0);
  std::filesystem::copy("a", "c", std::filesystem::copy_options::recursive);
  const auto itself = run({"compare", "a", "./a"});
  EXPECT_EQ(itself.code, 2);
  EXPECT_THAT(itself.err, HasSubstr("name two runs"));
  const auto same = run({"compare", "one=a", "two=c", "--fail-if", "latency_p50_us:+5%", "--all"});
  EXPECT_EQ(same.code, 4) << same.err;
  EXPECT_THAT(same.out, HasSubstr("two, that is c"));
  EXPECT_THAT(same.out, HasSubstr("cannot say"));
  EXPECT_THAT(same.err, HasSubstr("not one row could be judged"));
  const auto other = run({"compare", "a", "b", "--format", "json"});
  EXPECT_EQ(other.code, 0) << other.err;
  EXPECT_THAT(nlohmann::json::parse(other.out)["why_no_verdicts"].dump(), HasSubstr("workload"));
  EXPECT_EQ(run({"compare", "a", "b", "--fail-if", "latency_p50_us:+5%"}).code, 4);
  const auto expression = run({"compare", "a", "c", "--fail-if", "latency_p50:+5%"});
  EXPECT_EQ(expression.code, 2);
  EXPECT_THAT(expression.err, HasSubstr("latency_p50_us"));
  const auto metric = run({"compare", "a", "c", "--metric", "request_per_s"});
  EXPECT_EQ(metric.code, 2);
  EXPECT_THAT(metric.err, HasSubstr("did you mean \"requests_per_s\"?"));
  EXPECT_EQ(run({"compare", "a", "c", "--cells", "nothing-like-it"}).code, 2);
  EXPECT_THAT(run({"compare", "a", "b", "--format", "md"}).out, HasSubstr("|---|"));
}

TEST_F(CommandRunTest, ARegressionEndsAComparisonWithSix) {
  SCOPED_TRACE("a build goes on with a server that costs half as much again, or stops for one that became cheaper");
  const auto ran = run_tiny({"--out", "a", "--set", "idle_connections=0", "--set", "duets=0", "--repeat", "6"});
  ASSERT_THAT(ran.code, AnyOf(0, 5)) << ran.err;  // 5: a window without an answer; its figures are replaced, too
  fs::copy("a", "b", fs::copy_options::recursive);
  make_steady("a", "", 1);
  make_steady("b", "blocking", 1.5);
  const auto compare = [&](const char* before, const char* after, const char* limit) {
    return run({"compare", before, after, "--metric", "server_cpu_us_per_request", "--fail-if",
                std::string("server_cpu_us_per_request:+") + limit});
  };
  const auto worse = compare("a", "b", "5%");
  EXPECT_EQ(worse.code, 6) << worse.out << worse.err;
  EXPECT_THAT(worse.err, HasSubstr("Worse: server_cpu_us_per_request of blocking/idle_connections=0 is 1.500 times"));
  EXPECT_THAT(worse.err, Not(HasSubstr("of epoll/")));
  EXPECT_THAT(worse.out, HasSubstr("clearly more: worse"));
  const auto allowed = compare("a", "b", "60%");
  EXPECT_EQ(allowed.code, 0) << allowed.out << allowed.err;
  const auto better = compare("b", "a", "5%");
  EXPECT_EQ(better.code, 0) << better.out << better.err;
  EXPECT_THAT(better.out, HasSubstr("clearly less: better"));
}

}  // namespace
}  // namespace iolab::lab
