// The program as a person uses it: real processes, a tiny plan, exit codes, and Ctrl-C in the middle of a run.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include "experiments/machine/kernel_calls.h"
#include "tests/experiments/program_test.h"

namespace iolab::lab {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::HasSubstr;

class CommandTest : public ProgramTest {
 protected:
  // A few connections, a few milliseconds: what a run does, not what it measures.
  std::string tiny_spec(int repeat, const std::string& more = "") {
    const std::string path = root_ + "/tiny.json";
    std::ofstream(path)
        << R"({"version": 1, "name": "tiny", "question": "Does it work?", "models": ["blocking", "epoll"],
      "workload": {"connections": 2}, "matrix": {"workload.idle_connections": [0, 5]},
      "timing": {"warmup": "20ms", "measure": "60ms", "repeat": )"
        << repeat << "}" << more << "}";
    return path;
  }
};

TEST_F(CommandTest, FirstScreenFitsAndNamesWhatToTypeNext) {
  SCOPED_TRACE("a newcomer has to scroll, or does not know where to start");
  const auto help = run({"--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_LE(std::ranges::count(help.out, '\n'), 24);
  EXPECT_THAT(help.out, HasSubstr("iolab doctor"));
  EXPECT_THAT(help.out, HasSubstr("iolab first-look"));
  EXPECT_THAT(help.out, HasSubstr("130 interrupted"));
  EXPECT_THAT(help.out, HasSubstr("  idle-tax                Why does select collapse with idle connections?"));
}

TEST_F(CommandTest, QuestionsAreAskedInTheReadersLanguage) {
  SCOPED_TRACE("a Chinese class finds neither help nor the questions in its language");
  const auto help = run({"--lang", "zh", "--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_LE(std::ranges::count(help.out, '\n'), 24);
  EXPECT_THAT(help.out, HasSubstr("从这里开始"));
  EXPECT_THAT(help.out, HasSubstr("  idle-tax                有了空闲连接，select 为什么会垮掉？"));
  EXPECT_THAT(run({"list", "experiments", "--lang=zh"}).out, HasSubstr("什么时候 epoll 胜不过线程？"));
  EXPECT_THAT(run({"list", "experiments"}).out, HasSubstr("When does epoll not beat threads?"));
}

TEST_F(CommandTest, MistypedCommandsAndFlagsNameTheNearest) {
  SCOPED_TRACE("a typing error ends in a list of options");
  const auto command = run({"docter"});
  EXPECT_EQ(command.code, 2);
  EXPECT_THAT(command.err, HasSubstr("did you mean `iolab doctor`?"));
  const auto flag = run({"run", "x.json", "--profil", "quick"});
  EXPECT_EQ(flag.code, 2);
  EXPECT_THAT(flag.err, HasSubstr("did you mean --profile?"));
  const auto experiment = run({"run", "few-bsuy"});
  EXPECT_EQ(experiment.code, 2);
  EXPECT_THAT(experiment.err, HasSubstr("did you mean \"few-busy\"?"));
  tiny_spec(1);
  EXPECT_THAT(run({"run", "tiny"}).err, HasSubstr("did you mean tiny.json?"));
}

TEST_F(CommandTest, AWrongSpecEndsWithThreeAndRunsNothing) {
  SCOPED_TRACE("a run starts from a file that says something else than was meant");
  const auto path = tiny_spec(1, ", \"basline\": \"epoll\"");
  const auto ended = run({"run", path});
  EXPECT_EQ(ended.code, 3);
  EXPECT_THAT(ended.err, HasSubstr("did you mean \"baseline\"?"));
  EXPECT_THAT(ended.err, HasSubstr("Nothing was run."));
  EXPECT_FALSE(fs::exists(root_ + "/results"));
}

TEST_F(CommandTest, APropertyThatTheBrokerRefusesIsAWrongSpec) {
  SCOPED_TRACE("every trial of a run fails for a mistyped property");
  const auto ended = run({"run", tiny_spec(1, R"(, "broker": {"num.partitons": 4})"), "--no-report"});
  EXPECT_EQ(ended.code, 3) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("num.partitions"));
}

TEST_F(CommandTest, DryRunShowsThePlanAndRunsNothing) {
  SCOPED_TRACE("--dry-run starts servers");
  const auto ended = run({"run", tiny_spec(2), "--dry-run"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("trials     16"));
  EXPECT_FALSE(fs::exists(root_ + "/results"));
  const auto asked = run({"run", tiny_spec(2, R"(, "predict": ["it does", "it does not"])"), "--dry-run"});
  EXPECT_THAT(asked.out, HasSubstr("  predict    a) it does\n             b) it does not\n"));
}

TEST_F(CommandTest, AVariantServesWithItsOwnThreads) {
  SCOPED_TRACE("the threads of a variant are lost on the way to its server, or on the way back from its run");
  const auto path = tiny_spec(1, R"(, "variants": {"four": {"model": "epoll", "threads": 4}},
      "predict": ["it does", "it does not"],
      "refuted_when": [{"cell": "four/idle_connections=5", "metric": "threads", "against": "epoll/idle_connections=5",
                        "below": 1}])");
  const auto ended = run({"run", path, "--out", root_ + "/out", "--no-report"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  const auto medians = [&] {
    const auto results = nlohmann::json::parse(*read_text_file(root_ + "/out/results.json"));
    EXPECT_EQ(results["run"]["predict"], nlohmann::json({"it does", "it does not"}));
    EXPECT_EQ(std::ranges::count(results["found"], "story", [](const auto& one) { return one["kind"]; }), 1);
    std::map<std::string, double> threads;
    for (const auto& cell : results["cells"]) {
      const auto metric = cell["metrics"].value("threads", nlohmann::json());
      if (!metric.is_null() && metric["value"].is_number()) threads[cell["id"]] = metric["value"];
    }
    return threads;
  };
  auto threads = medians();
  EXPECT_EQ(threads["four/idle_connections=5"], threads["epoll/idle_connections=5"] + 3);
  ASSERT_EQ(run({"report", root_ + "/out", "--no-report"}).code, 0);
  EXPECT_EQ(medians(), threads);
  const auto plan = nlohmann::json::parse(*read_text_file(root_ + "/out/plan.json"));
  for (const auto& series : plan["series"]) EXPECT_EQ(series.value("threads", 0), series["id"] == "four" ? 4 : 0);
}

TEST_F(CommandTest, ARunLeavesEverythingThatWasPromised) {
  SCOPED_TRACE("a run ends without its files, or with the data of its servers still there");
  const auto ended = run({"run", tiny_spec(1), "--out", root_ + "/out", "--no-report", "--seed", "7"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  for (const auto* file : {"spec.json", "plan.json", "environment.json", "results.json", "data.csv"}) {
    EXPECT_TRUE(fs::exists(root_ + "/out/" + file)) << file;
  }
  const auto results = nlohmann::json::parse(*read_text_file(root_ + "/out/results.json"));
  EXPECT_EQ(results["run"]["status"], "complete");
  EXPECT_EQ(results["run"]["trials_done"], 8);
  EXPECT_EQ(results["run"]["seed"], 7);
  const bool may_count = KernelCalls::watch(getpid()).has_value();
  for (const auto* model : {"blocking", "epoll"}) {
    const auto count = nlohmann::json::parse(*read_text_file(fmt::format("{}/out/counts/{}.json", root_, model)));
    const bool counted = count["reason"] == "" && count["requests"] > 0 && !count["compared"].empty();
    EXPECT_EQ(counted, may_count) << count;
    EXPECT_TRUE(may_count || count["reason"] != "") << count;
  }
  for (const auto& cell : results["cells"]) {
    EXPECT_EQ(cell["status"], "ok") << cell["id"] << cell["reason"];
    if (cell["series"] == "ceiling") continue;
    EXPECT_GT(cell["metrics"]["server_cpu_us_per_request"]["value"], 0) << cell["id"];
    EXPECT_GE(cell["metrics"]["syscalls_per_request"]["value"], 2) << cell["id"];
    EXPECT_GE(cell["metrics"]["threads"]["value"], 1) << cell["id"];
  }
  for (const auto& entry : fs::directory_iterator(root_ + "/out")) {
    EXPECT_FALSE(entry.path().filename().string().starts_with("data-")) << entry.path();
  }
  // The report can be made again, and says the same.
  fs::remove(root_ + "/out/results.json");
  const auto again = run({"report", root_ + "/out", "--no-report"});
  ASSERT_EQ(again.code, 0) << again.err;
  const auto rebuilt = nlohmann::json::parse(*read_text_file(root_ + "/out/results.json"));
  EXPECT_EQ(rebuilt["cells"], results["cells"]);
  EXPECT_EQ(rebuilt["found"], results["found"]);
  EXPECT_EQ(rebuilt["tables"], results["tables"]);
}

TEST_F(CommandTest, TheLanguageOfASummaryIsChosen) {
  SCOPED_TRACE("a Chinese class reads English summaries, or --lang does not beat the environment");
  const auto ran = run({"run", tiny_spec(1), "--out", root_ + "/out", "--no-report", "--lang", "zh"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("发现 "));
  EXPECT_THAT(ran.out, HasSubstr("每个请求的系统调用次数"));
  EXPECT_TRUE(fs::exists(root_ + "/out/results.json"));
  EXPECT_TRUE(fs::exists(root_ + "/out/results.zh.json"));
  const std::vector<std::string> again{"report", root_ + "/out", "--no-report"};
  ASSERT_EQ(::setenv("LC_ALL", "zh_CN.UTF-8", 1), 0);
  EXPECT_THAT(run(again).out, HasSubstr("发现 "));
  ASSERT_EQ(::setenv("IOLAB_LANG", "en", 1), 0);
  EXPECT_THAT(run(again).out, HasSubstr("Found "));
  EXPECT_THAT(run({"--lang", "zh", "report", root_ + "/out", "--no-report"}).out, HasSubstr("发现 "));
  EXPECT_EQ(run({"report", root_ + "/out", "--lang", "fr"}).code, 2);
}

TEST_F(CommandTest, CtrlCKeepsWhatIsFinished) {
  SCOPED_TRACE("an interrupted run is lost, or leaves servers behind");
  auto child = start({"run", tiny_spec(200), "--yes", "--out", root_ + "/out", "--no-report"});
  const auto deadline = ChildProcess::Clock::now() + 100s;
  while (!fs::exists(root_ + "/out/trials/0002.json") && ChildProcess::Clock::now() < deadline) {
    if (child.wait(ChildProcess::Clock::now() + 10ms)) break;
  }
  ASSERT_TRUE(fs::exists(root_ + "/out/trials/0002.json")) << read_text_file(root_ + "/stderr").value_or("");
  ::kill(child.pid(), SIGINT);
  const auto ended = end(child);
  EXPECT_EQ(ended.code, 130) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("What is finished is kept"));
  const auto results = nlohmann::json::parse(*read_text_file(root_ + "/out/results.json"));
  EXPECT_EQ(results["run"]["status"], "interrupted");
  EXPECT_GE(results["run"]["trials_done"], 3);
  EXPECT_LT(results["run"]["trials_done"], results["run"]["trials_planned"]);
  EXPECT_EQ(run({"report", root_ + "/out", "--no-report"}).code, 0);
}

TEST_F(CommandTest, TheTimeLimitEndsARunInOrder) {
  SCOPED_TRACE("--max-time is without effect, or throws away what is finished");
  const auto ended = run({"run", tiny_spec(500), "--yes", "--out", root_ + "/out", "--no-report", "--max-time", "3s"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  const auto results = nlohmann::json::parse(*read_text_file(root_ + "/out/results.json"));
  EXPECT_EQ(results["run"]["status"], "time-limit");
  EXPECT_THAT(results["run"]["status_text"].get<std::string>(), HasSubstr("time limit"));
}

TEST_F(CommandTest, DoctorSpeaksToProgramsToo) {
  SCOPED_TRACE("a script cannot ask what this machine can do");
  const auto ended = run({"doctor", "--json"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  const auto diagnosis = nlohmann::json::parse(ended.out);
  EXPECT_GE(diagnosis["models"].size(), 8u);
  EXPECT_GE(diagnosis["ceilings"].size(), 6u);
  EXPECT_GE(diagnosis["experiments"].size(), 2u);
}

}  // namespace
}  // namespace iolab::lab
