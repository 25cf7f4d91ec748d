// Good and bad experiment files: a good one is read as it was meant, a bad one is refused with file, line, cause and
// the nearest word.
#include "experiments/spec/spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "experiments/spec/json_document.h"

namespace iolab::lab {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::vector<std::string> kModels{"blocking",  "blocking-pool", "nonblocking",       "select",
                                       "poll",      "epoll",         "epoll-et",          "sigio",
                                       "posix-aio", "io_uring",      "io_uring-multishot"};
const std::string kHead = "{\"version\": 1, \"name\": \"mine\", \"question\": \"Why?\"";

std::expected<Spec, std::vector<Problem>> parse(const std::string& text, SpecOptions options = {}) {
  options.known_models = kModels;
  return parse_spec(text, "my.json", options);
}

// What is refused, and where, is in tests/experiments/specs: spec_corpus_test.cpp.
TEST(Spec, SyntaxErrorsNameLineAndColumn) {
  SCOPED_TRACE("somebody has to find a missing comma without a line number");
  for (const auto* text : {"{", "{\"version\": 1,\n  \"name\" \"mine\"}", "{\"a\": 1}}", "{\"a\": tru}"}) {
    const auto spec = parse(text);
    ASSERT_FALSE(spec) << text;
    EXPECT_THAT(to_text(spec.error().front()), HasSubstr("my.json:")) << text;
  }
  EXPECT_THAT(to_text(parse("{\"version\": 1,\n  \"name\" \"mine\"}").error().front()),
              HasSubstr("my.json:2:8: a colon is missing"));
  EXPECT_THAT(to_text(parse("{\"a\": tru}").error().front()), HasSubstr("syntax error"));
  EXPECT_THAT(to_text(parse(" \n").error().front()), HasSubstr("the file is empty: iolab spec new"));
}

TEST(Spec, AllProblemsAtOnce) {
  SCOPED_TRACE("a file with three mistakes takes three attempts");
  const auto spec = parse(kHead + ",\n\"modles\": 1,\n\"timing\": {\"repeat\": 0},\n\"baseline\": \"epool\"}");
  ASSERT_FALSE(spec);
  EXPECT_EQ(spec.error().size(), 3u);
}

TEST(Spec, AKeyThatAppearsTwiceHidesNothing) {
  SCOPED_TRACE("a mistake in the first of two blocks of one name comes to light only when the second is gone");
  const auto spec = parse(kHead + ",\n\"timing\": {\"repeat\": 0},\n\"timing\": {\"measure\": 3}}");
  ASSERT_FALSE(spec);
  ASSERT_EQ(spec.error().size(), 3u);
  EXPECT_EQ(to_text(spec.error()[0]), "my.json:2:22: timing.repeat: 0 is out of range: 1 to 1,000");
  EXPECT_EQ(to_text(spec.error()[1]),
            "my.json:3:1: key \"timing\" appears twice, first in line 2: the second would win silently");
  EXPECT_EQ(to_text(spec.error()[2]),
            "my.json:3:23: timing.measure: 3 has no unit: write it as text with its unit, such as \"3s\"");
}

TEST(Spec, WhatIsAllowedAndNotMeantIsAWarning) {
  SCOPED_TRACE("three trials end in a report without a verdict, and nobody has said so before the run");
  const auto warnings = [](const std::string& more, SpecOptions options = {}) {
    const auto spec = parse(kHead + more + "}", std::move(options));
    EXPECT_TRUE(spec) << to_text(spec.error(), {}, "");
    std::string text;
    for (const auto& one : spec->warnings) text += to_text(one) + "\n";
    return text;
  };
  EXPECT_EQ(warnings(""), "");
  EXPECT_EQ(warnings(", \"timing\": {\"repeat\": 6}"), "");
  EXPECT_THAT(warnings(", \"timing\": {\"repeat\": 5}"), HasSubstr("warning: 5 trials cannot give a verdict: needs 6"));
  EXPECT_EQ(warnings(", \"timing\": {\"repeat\": 5}", {.profile = "careful"}), "");
  EXPECT_EQ(warnings("", {.profile = "quick"}), "") << "a preview promises no verdict";
  EXPECT_THAT(warnings("", {.settings = {{"repeat", {"3"}}}}), HasSubstr("--set timing.repeat: 3 trials cannot"));
  EXPECT_THAT(warnings(R"(, "judge": {"metric": "requests_per_s", "duets": 2})"), HasSubstr("2 duets cannot give"));
  EXPECT_THAT(warnings(R"(, "judge": {"metric": "requests_per_s", "slice": "4ms"})"),
              HasSubstr("outside of 5 to 20 ms"));
  EXPECT_EQ(warnings(R"(, "judge": {"metric": "requests_per_s", "better": "higher", "slice": "20ms"})"), "");
  EXPECT_THAT(warnings(R"(, "judge": {"metric": "requests_per_s"})"), HasSubstr("called better where it is worse"));
  EXPECT_THAT(warnings(R"(, "judge": {"metric": "latency_p99_us", "duets": 10})"), HasSubstr("judged by the trials"));
  EXPECT_THAT(warnings(R"(, "judge": {"metric": "rss_mib", "at": "connections=3"})", {.profile = "quick"}),
              HasSubstr("no level"));
  EXPECT_THAT(warnings(R"(, "judge": {"metric": "rss_mib"}, "timing": {"repeat": 6})"),
              HasSubstr("6 trials of each of 10 comparisons cannot make any difference clear: needs 9"));
  EXPECT_THAT(warnings(R"(, "models": ["poll"])"), HasSubstr("baseline: \"epoll\" is not among the models"));
  EXPECT_THAT(warnings(R"(, "workload": {"prefill": "1MiB"})"), HasSubstr("has no effect here"));
}

TEST(Spec, TheBrokerIsAskedAboutWhatOnlyItKnows) {
  SCOPED_TRACE("a mistyped property or option of a model comes to light when the first server starts");
  SpecOptions options;
  options.ask_broker = [](const std::vector<std::string>& flags) {
    const bool good = flags.back() == "log.segment.bytes=1048576" || flags.back() == "epoll:a=1";
    return good ? std::string() : "unknown property " + flags.back() + "; did you mean log.segment.bytes?";
  };
  EXPECT_TRUE(
      parse(kHead + R"(, "topic_config": {"segment.bytes": 1048576}, "models": ["epoll:a=1", "poll"]})", options));
  const std::string wrong =
      kHead + ",\n\"topic_config\": {\"segment.byte\": 1},\n\"models\": [\"epoll:b=1\", \"epoll\"]}";
  const auto spec = parse(wrong, options);
  ASSERT_FALSE(spec);
  EXPECT_EQ(to_text(spec.error()[0]),
            "my.json:2:34: topic_config: unknown property segment.byte=1: did you mean segment.bytes?");
  EXPECT_THAT(to_text(spec.error()[1]), HasSubstr("my.json:3:11: models: unknown property epoll:b=1"));
  const auto also =
      parse(kHead + ",\n\"topic_config\": {\"segment.byte\": 1, \"x\": []},\n\"timing\": {\"repeat\": 0},\n" +
                "\"models\": [\"epool:b=1\", \"epoll\"], \"variants\": {\"v\": 3}, \"matrix\": 4}",
            options);
  ASSERT_FALSE(also);
  std::string said;
  for (const auto& one : also.error()) said += to_text(one) + "\n";
  EXPECT_THAT(said, HasSubstr("my.json:2:34: topic_config: unknown property")) << "at once with the other mistakes";
  EXPECT_THAT(said, HasSubstr("my.json:3:22: timing.repeat: 0 is out of range"));
  EXPECT_THAT(said, Not(HasSubstr("unknown property epool"))) << "said once is enough";
}

TEST(Spec, BothLanguagesOfATextAreRead) {
  SCOPED_TRACE("a Chinese question is lost, or a plain one is taken for none");
  const auto spec = parse(R"({"version": 1, "name": "mine", "question": {"en": "Why?", "zh": "为什么？"},
      "background": "Plain.", "expected": {"en": "a"}, "refuted_by": {"en": "b", "zh": "乙"},
      "exclude": [{"models": ["poll"], "because": {"en": "no", "zh": "不"}}]})");
  ASSERT_TRUE(spec) << to_text(spec.error(), {}, "");
  EXPECT_EQ(spec->question, "Why?");
  EXPECT_EQ(spec->question_zh, "为什么？");
  EXPECT_EQ(spec->background, "Plain.");
  EXPECT_EQ(spec->background_zh, "");
  EXPECT_EQ(spec->expected, "a");
  EXPECT_EQ(spec->expected_zh, "");
  EXPECT_EQ(spec->refuted_by, "b");
  EXPECT_EQ(spec->refuted_by_zh, "乙");
  EXPECT_EQ(spec->exclusions.at(0).because, "no");
  EXPECT_EQ(spec->exclusions.at(0).because_zh, "不");
}

TEST(Spec, WhatIsPredictedAndWhatRefutesIsRead) {
  SCOPED_TRACE("an answer loses its Chinese words, or a border is taken for another one");
  const auto spec = parse(kHead + R"(, "predict": ["it grows", {"en": "it stays", "zh": "不变"}],
      "variants": {"two": {"model": "epoll", "threads": 2}},
      "refuted_when": [{"cell": "two/all", "metric": "rss_mib", "per": "threads", "against": "epoll/all", "above": 2},
                       {"cell": "poll/all", "metric": "latency_p99_us", "below": 0.5}]})");
  ASSERT_TRUE(spec) << to_text(spec.error(), {}, "");
  ASSERT_EQ(spec->predict.size(), 2u);
  EXPECT_EQ(spec->predict[0].text, "it grows");
  EXPECT_EQ(spec->predict[0].text_zh, "");
  EXPECT_EQ(spec->predict[1].text, "it stays");
  EXPECT_EQ(spec->predict[1].text_zh, "不变");
  EXPECT_EQ(spec->variants.at(0).threads, 2);
  const auto& refuted = spec->refuted_when;
  EXPECT_FALSE(refuted.any);
  ASSERT_EQ(refuted.checks.size(), 2u);
  EXPECT_EQ(refuted.checks[0].per, "threads");
  EXPECT_EQ(refuted.checks[0].against, "epoll/all");
  EXPECT_EQ(refuted.checks[0].above, 2.0);
  EXPECT_EQ(refuted.checks[0].below, std::nullopt);
  EXPECT_EQ(refuted.checks[1].below, 0.5);
  const auto any =
      parse(kHead + R"(, "refuted_when": {"any": [{"cell": "poll/all", "metric": "rss_mib", "above": 9}]}})");
  ASSERT_TRUE(any) << to_text(any.error(), {}, "");
  EXPECT_TRUE(any->refuted_when.any);
  EXPECT_TRUE(parse(kHead + "}")->predict.empty());
}

TEST(Spec, ACellThatAProfileLeavesOutIsNoMistake) {
  SCOPED_TRACE("a preview of fewer levels cannot be run, because the whole run has a figure that the preview lacks");
  const auto text = kHead + R"(, "matrix": {"workload.connections": [1, 100]},
      "refuted_when": [{"cell": "epoll/connections=100", "metric": "rss_mib", "above": 9}],
      "quick": {"matrix": {"workload.connections": [1]}}})";
  EXPECT_TRUE(parse(text, {.profile = "quick"}));
  EXPECT_TRUE(parse(text, {.models = {"poll"}}));
  EXPECT_TRUE(parse(text));
}

TEST(Spec, TargetPathAndLimitsAreRead) {
  SCOPED_TRACE("a broker of somebody else is not found, or a laptop is asked for more than was allowed");
  const auto usual = parse(kHead + "}");
  ASSERT_TRUE(usual);
  EXPECT_FALSE(usual->target);
  EXPECT_EQ(usual->path, PathKind::loopback);
  EXPECT_EQ(usual->limits.connections, 12'000);
  EXPECT_EQ(usual->limits.memory_bytes, std::uint64_t{1} << 30);
  EXPECT_EQ(usual->limits.trials, 500);
  const auto spec = parse(kHead + R"(, "target": {"bootstrap_servers": "[::1]:9093"}, "models": [],
      "limits": {"total": "5m", "connections": 100, "memory": "64MiB", "trials": 7}})");
  ASSERT_TRUE(spec) << to_text(spec.error(), {}, "");
  ASSERT_TRUE(spec->target);
  EXPECT_EQ(spec->target->host, "::1");
  EXPECT_EQ(spec->target->port, 9093);
  EXPECT_EQ(spec->longest, std::chrono::minutes(5));
  EXPECT_EQ(spec->limits.connections, 100);
  EXPECT_EQ(spec->limits.memory_bytes, std::uint64_t{64} << 20);
  EXPECT_EQ(spec->limits.trials, 7);
  const auto again = parse(spec->text);
  ASSERT_TRUE(again) << to_text(again.error(), {}, "");
  EXPECT_EQ(again->text, spec->text);
  EXPECT_EQ(parse(kHead + R"(, "path": "veth"})")->path, PathKind::veth);
}

TEST(Spec, NestingHasABound) {
  SCOPED_TRACE("a file of brackets overflows the stack");
  const auto spec = parse(std::string(100'000, '[') + std::string(100'000, ']'));
  ASSERT_FALSE(spec);
  EXPECT_THAT(spec.error().front().what, HasSubstr("nested"));
}

TEST(Spec, DefaultsAreWrittenOut) {
  SCOPED_TRACE("what a run did by default is nowhere to be read");
  const auto spec = parse(kHead + "}");
  ASSERT_TRUE(spec);
  EXPECT_EQ(spec->levels.size(), 1u);
  EXPECT_EQ(spec->timing.repeat, 10);
  const auto written = nlohmann::json::parse(spec->text);
  EXPECT_EQ(written["timing"]["measure"], "3s");
  EXPECT_EQ(written["workload"]["connections"], 16);
  EXPECT_EQ(written["baseline"], "epoll");
  // What was written out is itself a valid spec and means the same.
  const auto again = parse(spec->text);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->text, spec->text);
  EXPECT_EQ(again->sha256, spec->sha256);
}

TEST(Spec, CommentsAndKafkaNames) {
  SCOPED_TRACE("properties pasted from Kafka's documentation do not reach the broker");
  const auto spec = parse(kHead + R"(, // a comment
    /* and another */ "broker": {"num.partitions": 4},
    "topic_config": {"segment.bytes": 1048576, "iolab.flush": "commit"},
    "producer": {"acks": "all", "compression.type": "lz4"}})");
  ASSERT_TRUE(spec);
  const Properties expected{{"num.partitions", "4"}, {"log.segment.bytes", "1048576"}, {"iolab.flush", "commit"}};
  EXPECT_EQ(spec->levels.front().broker, expected);
  EXPECT_EQ(spec->levels.front().producer.front(), (std::pair<std::string, std::string>{"acks", "all"}));
}

TEST(Spec, MatrixIsEveryCombination) {
  SCOPED_TRACE("a combination of the matrix is missing or named wrongly");
  const auto spec = parse(kHead + R"(,
      "matrix": {"workload.record_size": ["100B", "64KiB"], "workload.connections": [1, 32]}})");
  ASSERT_TRUE(spec);
  ASSERT_EQ(spec->levels.size(), 4u);
  EXPECT_EQ(spec->levels[1].id, "record_size=100B,connections=32");
  EXPECT_EQ(spec->levels[1].label, "100 B records, 32 busy connections");
  EXPECT_EQ(spec->levels[2].label, "64 KiB records, 1 busy connection");
  EXPECT_EQ(spec->levels[3].workload.record_bytes, 65536u);
  EXPECT_EQ(spec->levels[3].workload.connections, 32);
  EXPECT_EQ(spec->axes[1].labels, (std::vector<std::string>{"1", "32"}));
}

TEST(Spec, BrokerPropertiesCanBeAnAxis) {
  SCOPED_TRACE("an axis over a broker property changes nothing");
  const auto spec = parse(kHead + R"(, "matrix": {"topic_config.iolab.flush": ["os", "commit"]}})");
  ASSERT_TRUE(spec);
  EXPECT_EQ(spec->levels[1].id, "iolab.flush=commit");
  EXPECT_EQ(spec->levels[1].broker, (Properties{{"iolab.flush", "commit"}}));
}

TEST(Spec, ProfilesReplaceWhatTheyName) {
  SCOPED_TRACE("--profile quick runs the long version");
  const std::string text =
      kHead + R"(, "matrix": {"workload.idle_connections": [0, 100, 1000]}, "timing": {"repeat": 10},
    "quick": {"matrix": {"workload.idle_connections": [0, 1000]}, "timing": {"measure": "500ms"}}})";
  const auto standard = parse(text);
  const auto quick = parse(text, {.profile = "quick"});
  const auto careful = parse(text, {.profile = "careful"});
  ASSERT_TRUE(standard && quick && careful);
  EXPECT_EQ(standard->levels.size(), 3u);
  EXPECT_EQ(standard->timing.repeat, 10);
  EXPECT_EQ(quick->levels.size(), 2u);
  EXPECT_EQ(quick->timing.repeat, 3);
  const auto short_one = parse(kHead + R"(, "timing": {"measure": "200ms", "warmup": "50ms"}})", {.profile = "quick"});
  ASSERT_TRUE(short_one);
  EXPECT_EQ(short_one->timing.measure, std::chrono::milliseconds(200)) << "a preview is longer than its run";
  EXPECT_EQ(short_one->timing.warmup, std::chrono::milliseconds(50));
  EXPECT_EQ(quick->timing.measure, std::chrono::milliseconds(500));
  EXPECT_EQ(careful->timing.repeat, 20);
  EXPECT_EQ(careful->timing.measure, std::chrono::seconds(10));
}

TEST(Spec, SettingsOverrideAxesAndFields) {
  SCOPED_TRACE("--set is silently without effect");
  const std::string text = kHead + R"(, "matrix": {"workload.idle_connections": [0, 100, 1000]}})";
  const auto spec = parse(
      text, {.models = {"epoll", "poll"},
             .settings = {{"idle_connections", {"0", "50"}}, {"repeat", {"2"}}, {"record_size", {"1KiB", "2KiB"}}}});
  ASSERT_TRUE(spec) << to_text(parse(text, {.settings = {{"repeat", {"2"}}}}).error().front());
  EXPECT_EQ(spec->models, (std::vector<std::string>{"epoll", "poll"}));
  EXPECT_EQ(spec->timing.repeat, 2);
  EXPECT_EQ(spec->levels.size(), 4u);
  const auto wrong = parse(text, {.settings = {{"idle_conections", {"1"}}}});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(to_text(wrong.error().front()),
            "--set: unknown key \"idle_conections\": did you mean \"idle_connections\"?");
  EXPECT_FALSE(parse(text, {.settings = {{"repeat", {"many"}}}}));
  EXPECT_FALSE(parse(text, {.models = {"epol"}}));
}

TEST(Spec, ConditionsCompareSums) {
  SCOPED_TRACE("select is run over FD_SETSIZE, or left out below it");
  Workload work;
  work.connections = 16;
  work.idle_connections = 1000;
  EXPECT_TRUE(*condition_holds("workload.connections + workload.idle_connections > 1000", work));
  EXPECT_FALSE(*condition_holds("workload.idle_connections > 1000", work));
  EXPECT_TRUE(*condition_holds("workload.idle_connections >= 1000", work));
  EXPECT_TRUE(*condition_holds("", work));
  EXPECT_TRUE(*condition_holds("probe_config.first >= 1024", work, {{"first", "2000"}}));
  EXPECT_FALSE(*condition_holds("probe_config.first >= 1024", work, {{"first", "500"}}));
  EXPECT_FALSE(condition_holds("workload.idle_connections > many", work));
  EXPECT_FALSE(condition_holds("workload.idle_connections =! 3", work));
}

TEST(Spec, TheExperimentsOfThisTreeAreValidInEveryProfile) {
  SCOPED_TRACE("an experiment that ships cannot be run");
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(IOLAB_SOURCE_DIR) + "/experiments")) {
    if (entry.path().extension() != ".json" || entry.path().filename() == "claims.json") continue;
    ++files;
    const auto text = read_text_file(entry.path());
    ASSERT_TRUE(text);
    for (const auto* profile : {"quick", "standard", "careful"}) {
      const auto spec = parse(*text, {.profile = profile});
      ASSERT_TRUE(spec) << to_text(spec.error().front());
      EXPECT_EQ(spec->name, entry.path().stem().string());
    }
  }
  EXPECT_GE(files, 2);
}

}  // namespace
}  // namespace iolab::lab
