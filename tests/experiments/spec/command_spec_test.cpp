// `iolab spec` and `iolab list` as a person uses them: real processes, files, exit codes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "experiments/spec/spec_fields.h"
#include "experiments/spec/spec_values.h"
#include "tests/experiments/program_test.h"

namespace iolab::lab {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

class CommandSpecTest : public ProgramTest {
 protected:
  void write(const std::string& name, const std::string& more) {
    std::ofstream(root_ + "/" + name) << R"({"version": 1, "name": "mine", "question": "Why?")" << more << "}";
  }
};

TEST_F(CommandSpecTest, ANewFileIsValidAndIsNeverOverwritten) {
  SCOPED_TRACE("a beginner's first file has mistakes, or their work is gone");
  const auto made = run({"spec", "new", "my-tax"});
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_THAT(made.out, HasSubstr("Next: iolab spec validate my-tax.json"));
  const auto checked = run({"spec", "validate", "my-tax.json"});
  EXPECT_EQ(checked.code, 0) << checked.err;
  EXPECT_EQ(checked.err, "");
  EXPECT_THAT(checked.out,
              HasSubstr("my-tax.json: valid: 3 levels x (2 models + epoll (again) + ceiling) x 10 trials = "));
  EXPECT_THAT(checked.out, HasSubstr(" trials, about "));
  const auto text = read_text_file("my-tax.json");
  EXPECT_THAT(*text, HasSubstr("\"$schema\": "));
  const auto again = run({"spec", "new", "my-tax"});
  EXPECT_EQ(again.code, 2);
  EXPECT_THAT(again.err, HasSubstr("is there already"));
  EXPECT_EQ(*read_text_file("my-tax.json"), *text);
}

TEST_F(CommandSpecTest, ACopyOfAnExperimentKeepsItsComments) {
  SCOPED_TRACE("a copy has another question, or still the old name");
  const auto made = run({"spec", "new", "tax-2.json", "--from", "idle-tax"});
  ASSERT_EQ(made.code, 0) << made.err;
  const auto text = *read_text_file("tax-2.json");
  EXPECT_THAT(text, HasSubstr("\"name\": \"tax-2\""));
  EXPECT_THAT(text, HasSubstr("Banga and Mogul"));
  EXPECT_EQ(run({"spec", "validate", "tax-2.json"}).code, 0);
  const auto mistyped = run({"spec", "new", "tax-3", "--from", "idle-tex"});
  EXPECT_EQ(mistyped.code, 2);
  EXPECT_THAT(mistyped.err, HasSubstr("did you mean \"idle-tax\"?"));
  EXPECT_EQ(run({"spec", "new", "My Tax!"}).code, 2);
}

TEST_F(CommandSpecTest, ValidateTellsEveryProblemOfEveryFile) {
  SCOPED_TRACE("the second file is not looked at, or a wrong file ends with 0");
  write("first.json", R"(, "modles": 1, "quick": {"producer": {}})");
  write("second.json", R"(, "timing": {"repeat": 2.5})");
  const auto ended = run({"spec", "validate", "first.json", "second.json"});
  EXPECT_EQ(ended.code, 3);
  EXPECT_THAT(ended.err, HasSubstr("did you mean \"models\"?"));
  EXPECT_THAT(ended.err, HasSubstr("cannot be changed by a profile"));
  EXPECT_THAT(ended.err, HasSubstr("2 errors.\n"));
  EXPECT_THAT(ended.err, HasSubstr("second.json:1:"));
  EXPECT_EQ(run({"spec", "validate", "absent.json"}).code, 3);
  EXPECT_EQ(run({"spec", "validate", "idle-tex"}).code, 2);
}

TEST_F(CommandSpecTest, EveryBadFileOfTheCorpusIsRefused) {
  SCOPED_TRACE("a file with a mistake is called valid, or passes unseen among others");
  std::vector<std::string> arguments{"spec", "validate"};
  for (const auto& entry : fs::directory_iterator(IOLAB_SOURCE_DIR "/tests/experiments/specs/bad")) {
    arguments.push_back(entry.path());
  }
  ASSERT_GT(arguments.size(), 2u);
  const auto ended = run(arguments);
  EXPECT_EQ(ended.code, 3);
  EXPECT_EQ(ended.out, "");  // what has no error is called valid here
  for (std::size_t i = 2; i < arguments.size(); ++i) {
    EXPECT_TRUE(ended.err.contains("  --> " + arguments[i] + ":")) << arguments[i];
  }
}

TEST_F(CommandSpecTest, AWrongFileAloneEndsWithThree) {
  SCOPED_TRACE("a script takes a wrong file for a right one");
  const std::string bad = IOLAB_SOURCE_DIR "/tests/experiments/specs/bad/";
  for (const auto* file : {"bracket-not-closed", "unknown-key", "acks-zero", "target-and-models", "rate-zero"}) {
    EXPECT_EQ(run({"spec", "validate", bad + file + ".json"}).code, 3) << file;
  }
}

TEST_F(CommandSpecTest, ValidateTakesExperimentsAndTargets) {
  SCOPED_TRACE("an experiment that ships is not valid, or a broker of somebody else is taken for eleven models");
  EXPECT_EQ(run({"spec", "validate", "idle-tax", "few-busy", "nothing", "spin-cost"}).code, 0);
  write("mine.json", R"(, "target": {"bootstrap_servers": "127.0.0.1:9092"}, "timing": {"repeat": 6})");
  EXPECT_THAT(run({"spec", "validate", "mine.json"}).out, HasSubstr("valid: 1 level against 127.0.0.1:9092, 6 trials"));
}

TEST_F(CommandSpecTest, EveryKeyIsExplained) {
  SCOPED_TRACE("a key has no meaning that a person could look up, or an example that is itself refused");
  const auto all = run({"spec", "explain"});
  EXPECT_EQ(all.code, 0);
  for (const auto& field : spec_fields()) {
    EXPECT_THAT(all.out, HasSubstr(std::string(field.path)));
    EXPECT_FALSE(field.summary.empty() || field.summary_zh.empty()) << field.path;
    for (const auto text : {field.example, field.default_text}) {
      if (text.empty()) continue;
      const auto value = nlohmann::ordered_json::parse(text);
      const bool may_be_empty = field.path == "background";
      EXPECT_TRUE(may_be_empty || check_value(field, value, {}).empty()) << field.path << " " << text;
    }
  }
  const auto one = run({"spec", "explain", "idle_connections"});
  EXPECT_EQ(one.code, 0);
  EXPECT_THAT(one.out, HasSubstr("workload.idle_connections\n  connections that are open and silent"));
  EXPECT_THAT(one.out, HasSubstr("whole number, 0 to 100,000"));
  EXPECT_THAT(one.out, HasSubstr(R"("workload": { "idle_connections": 1000 })"));
  EXPECT_THAT(run({"spec", "explain", "limits"}).out, HasSubstr("limits.memory"));
  EXPECT_THAT(run({"spec", "explain", "broker.num.partitions"}).out, HasSubstr("broker properties"));
  const auto mistyped = run({"spec", "explain", "workload.conections"});
  EXPECT_EQ(mistyped.code, 2);
  EXPECT_THAT(mistyped.err, HasSubstr("did you mean \"workload.connections\"?"));
}

TEST_F(CommandSpecTest, WrongModelsOfTheCommandLineEndWithTwoEverywhere) {
  SCOPED_TRACE("a script cannot tell a mistyped flag from a wrong file");
  write("mine.json", "");
  const auto ended = run({"run", "mine.json", "--models", "epol"});
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.err, HasSubstr("error: --models: no model \"epol\": did you mean \"epoll\"?"));
  EXPECT_THAT(ended.err, HasSubstr("Nothing was run."));
  EXPECT_EQ(run({"broker", "--model", "epol"}).code, 2);
  EXPECT_EQ(run({"run", "mine.json", "--set", "repeat=0"}).code, 2);
  write("wrong.json", R"(, "modles": 1)");
  EXPECT_EQ(run({"run", "wrong.json", "--models", "epol"}).code, 3);
}

TEST_F(CommandSpecTest, ALongPlanNeedsAWord) {
  SCOPED_TRACE("a mistyped number of trials keeps a laptop busy for a day");
  write("mine.json", R"(, "models": ["epoll"], "limits": {"trials": 5})");
  const auto ended = run({"run", "mine.json"});
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.err, HasSubstr("the plan has 30 trials, and limits.trials allows 5: add --yes"));
  EXPECT_FALSE(fs::exists("results"));
  EXPECT_EQ(run({"run", "mine.json", "--dry-run"}).code, 0);
}

TEST_F(CommandSpecTest, ListShowsWhatIsAskedFor) {
  SCOPED_TRACE("a list lacks the models, or ignores what was asked for");
  const auto models = run({"list", "models"});
  EXPECT_EQ(models.code, 0);
  EXPECT_THAT(models.out, HasSubstr("io_uring-multishot"));
  EXPECT_THAT(models.out, Not(HasSubstr("idle-tax")));
  EXPECT_THAT(run({"list", "experiments"}).out, HasSubstr("idle-tax"));
  EXPECT_THAT(run({"list", "runs"}).out, HasSubstr("No runs in ./results yet."));
  const auto all = run({"list"});
  EXPECT_THAT(all.out, HasSubstr("idle-tax"));
  EXPECT_THAT(all.out, HasSubstr("io_uring-multishot"));
  const auto mistyped = run({"list", "model"});
  EXPECT_EQ(mistyped.code, 2);
  EXPECT_THAT(mistyped.err, HasSubstr("did you mean \"models\"?"));
}

}  // namespace
}  // namespace iolab::lab
