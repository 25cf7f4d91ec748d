// Good and bad experiment files: a good one is read as it was meant, a bad one is refused with file, line, cause and
// the nearest word.
#include "experiments/spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "experiments/json_document.h"

namespace iolab::lab {
namespace {

using testing::HasSubstr;

const std::vector<std::string> kModels{"blocking",  "blocking-pool", "nonblocking",       "select",
                                       "poll",      "epoll",         "epoll-et",          "sigio",
                                       "posix-aio", "io_uring",      "io_uring-multishot"};
const std::string kHead = "{\"version\": 1, \"name\": \"mine\", \"question\": \"Why?\"";

std::expected<Spec, std::vector<Problem>> parse(const std::string& text, SpecOptions options = {}) {
  options.known_models = kModels;
  return parse_spec(text, "my.json", options);
}

struct BadSpec {
  std::string text;
  std::string complaint;  // with file, line and column
};

class RefusedSpec : public testing::TestWithParam<BadSpec> {};

TEST_P(RefusedSpec, NamesPlaceCauseAndRemedy) {
  SCOPED_TRACE("a wrong experiment file is run anyway, or refused without saying where and why");
  const auto spec = parse(GetParam().text);
  ASSERT_FALSE(spec) << GetParam().text;
  EXPECT_EQ(to_text(spec.error().front()), GetParam().complaint) << GetParam().text;
}

const std::vector<BadSpec> kRefused{
    BadSpec{kHead + ",\n \"workload\": {\n  \"conections\": 1}}",
            "my.json:3:3: unknown key \"conections\": did you mean \"connections\"?"},
    BadSpec{kHead + ",\n\"modles\": [\"epoll\"]}", "my.json:2:1: unknown key \"modles\": did you mean \"models\"?"},
    BadSpec{kHead + ",\n\"models\": [\"epol\"]}", "my.json:2:1: models: no model \"epol\": did you mean \"epoll\"?"},
    BadSpec{kHead + ",\n\"models\": []}", "my.json:2:1: models: needs a list of at least one model"},
    BadSpec{kHead + ",\n\"models\": [\"poll\", \"poll\"]}",
            "my.json:2:1: models: model \"poll\" is named twice: the baseline is entered twice by itself"},
    BadSpec{kHead + ",\n\"baseline\": \"uring\"}",
            "my.json:2:1: baseline: no model \"uring\": known are: blocking, blocking-pool, nonblocking, select, poll, "
            "epoll, epoll-et, sigio, posix-aio, io_uring, io_uring-multishot"},
    BadSpec{kHead + ",\n\"timing\": {\"measure\": 3}}",
            "my.json:2:12: timing.measure: 3 is not text: quantities carry their unit, as in \"3s\""},
    BadSpec{kHead + ",\n\"timing\": {\"measure\": \"3\"}}",
            "my.json:2:12: timing.measure: \"3\" has no unit: write for example \"3s\" (us, ms, s, m or h)"},
    BadSpec{kHead + ",\n\"timing\": {\"measure\": \"3sec\"}}",
            "my.json:2:12: timing.measure: \"3sec\" has the unknown unit \"sec\": known are us, ms, s, m or h"},
    BadSpec{kHead + ",\n\"timing\": {\"measure\": \"1ms\"}}",
            "my.json:2:12: timing.measure: \"1ms\" is out of range: 50 ms to 1 h"},
    BadSpec{kHead + ",\n\"timing\": {\"repeat\": 0}}", "my.json:2:12: timing.repeat: 0 is out of range: 1 to 1,000"},
    BadSpec{kHead + ",\n\"timing\": {\"repeat\": 2.5}}", "my.json:2:12: timing.repeat: 2.5 is not a whole number"},
    BadSpec{kHead + ",\n\"workload\": {\"record_size\": \"64K\"}}",
            "my.json:2:14: workload.record_size: \"64K\" has the unknown unit \"K\": known are B, KiB, MiB, GiB, "
            "KB, MB or GB"},
    BadSpec{kHead + ",\n\"workload\": {\"kind\": \"prodce\"}}",
            "my.json:2:14: workload.kind: \"prodce\" is unknown: did you mean \"produce\"?"},
    BadSpec{kHead + ",\n\"workload\": 16}", "my.json:2:1: \"workload\" must be an object { ... }"},
    BadSpec{kHead + ",\n\"matrix\": {\"workload.idle\": [1]}}",
            "my.json:2:12: matrix: unknown path \"workload.idle\": did you mean \"workload.idle_connections\"?"},
    BadSpec{kHead + ",\n\"matrix\": {\"workload.connections\": 4}}",
            "my.json:2:12: matrix: \"workload.connections\" needs a list of at least one value"},
    BadSpec{kHead + ",\n\"matrix\": {\"workload.connections\": [4, 8, 4]}}",
            "my.json:2:43: matrix: workload.connections names the value 4 twice"},
    BadSpec{kHead + ",\n\"matrix\": {\"workload.connections\": [\"4\"]}}",
            "my.json:2:37: matrix: workload.connections: \"4\" is not a whole number"},
    BadSpec{kHead + ",\n\"exclude\": [{\"models\": [\"select\"]}]}",
            "my.json:2:13: exclude: key \"because\" is missing: a thing that is not run is a row with its reason"},
    BadSpec{kHead + ",\n\"exclude\": [{\"models\": [\"select\"], \"when\": \"workload.conections > 3\", "
                    "\"because\": \"x\"}]}",
            "my.json:2:36: exclude: when: unknown path \"workload.conections\": did you mean "
            "\"workload.connections\"?"},
    BadSpec{
        kHead + ",\n\"exclude\": [{\"models\": [\"select\"], \"when\": \"workload.connections\", \"because\": \"x\"}]}",
        "my.json:2:36: exclude: when: \"workload.connections\" compares nothing: write \"workload.idle_connections "
        "> 1000\""},
    BadSpec{kHead + ",\n\"watch\": [\"latency\"]}",
            "my.json:2:1: watch: no metric \"latency\": did you mean \"latency_p50_us\"?"},
    BadSpec{kHead + ",\n\"judge\": {\"better\": \"lower\"}}", "my.json:2:1: key \"metric\" is missing: one metric"},
    BadSpec{kHead + ",\n\"quick\": {\"name\": \"other\"}}",
            "my.json:2:11: key \"name\" cannot be changed by a profile"},
    BadSpec{kHead + ",\n\"quick\": {\"timing\": {\"mesure\": \"1s\"}}}",
            "my.json:2:22: unknown key \"mesure\": did you mean \"measure\"?"},
    BadSpec{kHead + ",\n\"producer\": {\"ack\": 1}}",
            "my.json:2:14: producer: the load generator has no property \"ack\": did you mean \"acks\"?"},
    BadSpec{kHead + ",\n\"producer\": {\"acks\": 0}}",
            "my.json:2:14: producer: acks=0 sends no answer, so there is nothing to measure: write 1 or \"all\""},
    BadSpec{kHead + ",\n\"workload\": {\"arrivals\": {\"mode\": \"open\"}}}",
            "my.json:2:14: workload.arrivals: an open loop needs a rate: write \"rate\": \"20000/s\""},
    BadSpec{kHead + ",\n\"workload\": {\"arrivals\": {\"rate\": \"10/s\"}}}",
            "my.json:2:14: workload.arrivals: a rate without \"mode\": \"open\" would be ignored"},
    BadSpec{kHead + ",\n\"name\": \"again\"}",
            "my.json:2:1: key \"name\" appears twice, first in line 1: the second would win silently"},
    BadSpec{"{\"version\": 2, \"name\": \"mine\", \"question\": \"Why?\"}",
            "my.json:1:2: version: 2 is not known: write 1"},
    BadSpec{"{\"version\": 1, \"name\": \"Mine!\", \"question\": \"Why?\"}",
            "my.json:1:16: name: \"Mine!\" is no name: up to 60 lower-case letters, digits and hyphens"},
    BadSpec{"{\"version\": 1, \"question\": \"Why?\"}",
            "my.json:1:1: key \"name\" is missing: lower-case words joined by hyphens; also the name of the run"},
    BadSpec{"[1, 2]", "my.json:1:1: an experiment is one object { ... }"},
};

INSTANTIATE_TEST_SUITE_P(Files, RefusedSpec, testing::ValuesIn(kRefused));

TEST(Spec, SyntaxErrorsNameLineAndColumn) {
  SCOPED_TRACE("somebody has to find a missing comma without a line number");
  for (const auto* text : {"", "{", "{\"version\": 1,\n  \"name\" \"mine\"}", "{\"a\": 1}}", "{\"a\": tru}"}) {
    const auto spec = parse(text);
    ASSERT_FALSE(spec) << text;
    EXPECT_THAT(to_text(spec.error().front()), HasSubstr("syntax error")) << text;
  }
  EXPECT_THAT(to_text(parse("{\"version\": 1,\n  \"name\" \"mine\"}").error().front()), HasSubstr("my.json:2:"));
}

TEST(Spec, AllProblemsAtOnce) {
  SCOPED_TRACE("a file with three mistakes takes three attempts");
  const auto spec = parse(kHead + ",\n\"modles\": 1,\n\"timing\": {\"repeat\": 0},\n\"baseline\": \"epool\"}");
  ASSERT_FALSE(spec);
  EXPECT_EQ(spec.error().size(), 3u);
}

TEST(Spec, NestingHasABound) {
  SCOPED_TRACE("a file of brackets overflows the stack");
  const auto spec = parse(std::string(100'000, '[') + std::string(100'000, ']'));
  ASSERT_FALSE(spec);
  EXPECT_THAT(spec.error().front().text, HasSubstr("nested"));
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
  EXPECT_FALSE(condition_holds("workload.idle_connections > many", work));
  EXPECT_FALSE(condition_holds("workload.idle_connections =! 3", work));
}

TEST(Spec, TheExperimentsOfThisTreeAreValidInEveryProfile) {
  SCOPED_TRACE("an experiment that ships cannot be run");
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(IOLAB_SOURCE_DIR) + "/experiments")) {
    if (entry.path().extension() != ".json") continue;
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
