// Two languages, one report: the catalogues hold the same, everything that can be recorded can be retold, and a Chinese
// report of the recorded runs holds no English sentence.
#include "experiments/words/words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>

#include "experiments/judging/retold.h"
#include "experiments/machine/assets.h"
#include "experiments/machine/ceilings.h"
#include "experiments/machine/environment.h"
#include "experiments/report/report.h"
#include "experiments/spec/json_document.h"
#include "experiments/spec/metrics.h"
#include "experiments/trace/first_look.h"
#include "experiments/words/characters.h"
#include "io_models/registry.h"
#include "tests/experiments/made_up_run.h"

namespace iolab::lab {
namespace {

using Json = nlohmann::ordered_json;
using testing::HasSubstr;

const Words& english() {
  return Words::in(Language::english);
}
const Words& chinese() {
  return Words::in(Language::chinese);
}

TEST(Phrase, FillsSlotsChoosesFormsAndBeginsSentences) {
  SCOPED_TRACE("\"1 trials\", a sentence that begins with a small letter, or a slot that stays empty without a word");
  const Phrase phrase("{Model} needs {n} {n|call|calls}.");
  const auto one = std::array{Slot("model", "select"), Slot("n", 1)};
  const auto many = std::array{Slot("model", "select"), Slot("n", 1200)};
  EXPECT_EQ(phrase.filled(one), "Select needs 1 call.");
  EXPECT_EQ(phrase.filled(many), "Select needs 1,200 calls.");
  EXPECT_THAT(phrase.filled(std::array{Slot("n", 1)}).error(), HasSubstr("{model} was not filled"));
  EXPECT_THAT(phrase.filled(std::array{one[0], one[1], Slot("x", "y")}).error(), HasSubstr("no slot {x}"));
}

TEST(Phrase, TakesApartWhatItFilled) {
  SCOPED_TRACE("a recorded text is not recognised, or its numbers change places when it is said again");
  const Phrase phrase("{call} in vain, {times} {times|time|times} in {us} us");
  const auto slots = phrase.taken_apart("recv in vain, 2,650 times in 3,107 us");
  ASSERT_TRUE(slots);
  ASSERT_EQ(slots->size(), 3u);
  EXPECT_EQ((*slots)[0].text, "recv");
  EXPECT_EQ((*slots)[1].text, "2,650");
  EXPECT_EQ((*slots)[2].text, "3,107");
  EXPECT_FALSE(phrase.taken_apart("recv returned 120 after 3 us"));
  EXPECT_FALSE(phrase.taken_apart(""));
}

TEST(Words, TheCataloguesHoldTheSameKeysAndSlots) {
  SCOPED_TRACE("a sentence exists in one language only, or leaves out a number in the other");
  for (const auto& [key, phrase] : english().phrases()) {
    ASSERT_TRUE(chinese().knows(key)) << key;
    const auto& other = chinese().phrases().find(key)->second;
    EXPECT_EQ(phrase.slots(), other.slots()) << key;
    const bool separator = key.starts_with("list.");
    EXPECT_TRUE(separator || !phrase.text().empty()) << key;
    EXPECT_TRUE(separator || !other.text().empty()) << key;
  }
  EXPECT_EQ(english().phrases().size(), chinese().phrases().size());
}

TEST(Words, NothingRanksAndNothingIsProved) {
  SCOPED_TRACE("a template ranks models, or promises what a measurement cannot");
  const std::regex banned(
      R"((winner|\bwins\b|\bbest\b|fastest|blazing|\bproves?\b|significant|beats|% (faster|slower|better)))",
      std::regex::icase);
  for (const auto& [key, phrase] : english().phrases()) {
    EXPECT_FALSE(std::regex_search(phrase.text(), banned)) << key << ": " << phrase.text();
  }
  for (const auto& [key, phrase] : chinese().phrases()) {
    for (const auto* word : {"最快", "最好", "最佳", "胜出", "冠军", "证明", "显著", "碾压"}) {
      EXPECT_EQ(phrase.text().find(word), std::string::npos) << key << ": " << phrase.text();
    }
  }
}

TEST(Words, ChinesePunctuationIsFullWidth) {
  SCOPED_TRACE("half-width punctuation stands behind a Chinese character");
  for (const auto& [key, phrase] : chinese().phrases()) {
    const auto text = characters(phrase.text());
    for (std::size_t i = 1; i < text.size(); ++i) {
      const bool narrow = std::string_view(",;:?!()").contains(text[i].bytes);
      EXPECT_FALSE(narrow && text[i - 1].wide()) << key << ": " << phrase.text();
    }
  }
}

TEST(Words, ListsAreSaidInTheirLanguage) {
  SCOPED_TRACE("a Chinese list is joined with English commas, or holds spaces between its characters");
  const std::vector<std::string> models{"select", "poll", "epoll"};
  EXPECT_EQ(english().listed(models), "select, poll and epoll");
  EXPECT_EQ(chinese().listed(models), "select、poll 和 epoll");
  EXPECT_EQ(chinese().listed(std::vector<std::string>{"内存", "磁盘"}), "内存和磁盘");
  EXPECT_EQ(english().listed(std::vector<std::string>{"epoll"}), "epoll");
  EXPECT_EQ(english().listed(std::vector<std::string>{}), "");
}

TEST(Words, AnUnknownKeyIsABugWithASentence) {
  SCOPED_TRACE("a missing text is printed as an empty line");
  EXPECT_DEATH(english().say("no.such.key"), "bug: the text \"no.such.key\" cannot be said");
  EXPECT_DEATH(english().say("found.counts"), "was not filled");
}

TEST(Words, EveryMetricHasItsWords) {
  SCOPED_TRACE("a metric was added without its name, and the first report that shows it ends with a bug");
  for (const auto& metric : metrics()) {
    for (const Words* words : {&english(), &chinese()}) {
      EXPECT_FALSE(metric_label(*words, metric).empty());
      EXPECT_FALSE(metric_short_label(*words, metric).empty());
    }
  }
}

TEST(Retold, ModelsAndMachinesAreToldInChinese) {
  SCOPED_TRACE("the registry or the machine records a text that no catalogue knows: the Chinese report stays English");
  for (const auto& entry : io::models()) {
    const bool measured = entry.id != "null";
    EXPECT_EQ(chinese().retold(entry.summary) != entry.summary, measured) << entry.id;
  }
  for (const auto& fact : environment_facts()) {
    const bool has_a_word = fact.label != "somaxconn";
    EXPECT_EQ(chinese().retold(fact.label) != fact.label, has_a_word) << fact.label;
  }
  for (const auto& ceiling : measure_ceilings({0, 0}, "/tmp", std::chrono::milliseconds(1))) {
    EXPECT_NE(chinese().retold(ceiling.label), ceiling.label);
    EXPECT_NE(chinese().retold(ceiling.meaning), ceiling.meaning);
  }
  const auto machine = one_line(read_machine());
  EXPECT_EQ(chinese().retold(machine).find(" x "), std::string::npos) << machine;
  EXPECT_EQ(english().retold("anything"), "anything");
  EXPECT_EQ(chinese().retold("Cannot allocate memory"), "Cannot allocate memory");
}

TEST(Retold, PartsOfARecordedTextAreRetoldToo) {
  SCOPED_TRACE("half of a Chinese sentence is English");
  EXPECT_EQ(chinese().retold("asked 2,650 times in vain; answered after 61.2 us"), "落空 2,650 次；61.2 us 后得到应答");
  EXPECT_EQ(chinese().retold("slept 3,012 us on 14.2 us of CPU; answered after at most 50.9 us"),
            "睡了 3,012 us，用 14.2 us CPU；至多 50.9 us 后得到应答");
}

// Every text of a report by its path, without those that are the same in every language by their nature.
void collect(const Json& node, const std::string& path, std::vector<std::pair<std::string, std::string>>& texts) {
  static const std::regex foreign(
      R"(/(run/(id|experiment|command|.*sha256|commit|started|finished)|next/.*|environment/\d+/text)$)"
      R"(|/charts/\d+/(panels|steps)/.*/(where|source)$)");
  if (node.is_string()) {
    if (!std::regex_search(path, foreign)) texts.emplace_back(path, node.get<std::string>());
    return;
  }
  if (!node.is_structured()) return;
  for (const auto& [key, value] : node.items()) collect(value, path + "/" + key, texts);
}

void expect_no_english(const Json& report) {
  // Three words in a row are a sentence, unless they are ids, calls, flags or the name of a processor, or quote what a
  // probe said when it gave up.
  static const std::regex sentence(R"(([A-Za-z']{2,}[ ,;:]+){2,}[A-Za-z']{2,})");
  static const std::regex allowed(
      R"(`[^`]*`|iolab [a-z-]+( [a-z0-9_.-]+)*( --[a-z]+ [a-z]+)*|Intel Xeon[^,，]*|apt-get install [a-z-]+)"
      R"(|[a-z_-]+:[a-z]+=[a-z]+|the probe gave no figures: [^。]*)");
  std::vector<std::pair<std::string, std::string>> texts;
  collect(report, "", texts);
  EXPECT_GT(texts.size(), 100u);
  for (const auto& [path, text] : texts) {
    EXPECT_FALSE(std::regex_search(std::regex_replace(text, allowed, "#"), sentence)) << path << ": " << text;
  }
}

Json chinese_report(const RunData& data, const Json& charts) {
  const RunData told = retold(data, chinese());
  return make_report(Results(told, chinese()), retold(charts, data.spec, chinese()));
}

std::vector<std::string> recorded_runs() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(IOLAB_SOURCE_DIR) + "/results/reference")) {
    if (std::filesystem::exists(entry.path() / "plan.json")) names.push_back(entry.path().filename());
  }
  std::ranges::sort(names);
  return names;
}

class RecordedRun : public testing::TestWithParam<std::string> {};

TEST_P(RecordedRun, ChineseReportHoldsNoEnglishSentence) {
  SCOPED_TRACE("a Chinese reader comes upon an English sentence");
  std::filesystem::current_path(IOLAB_SOURCE_DIR);
  const auto directory = RunDirectory::find("results/reference/" + GetParam());
  ASSERT_TRUE(directory) << directory.error();
  const auto data = load_run(*directory);
  ASSERT_TRUE(data) << data.error();
  Json charts = Json::array();
  if (const auto text = read_text_file(directory->file("traces/charts.json"))) charts = Json::parse(*text);
  const auto report = chinese_report(*data, charts);
  expect_no_english(report);
  EXPECT_EQ(report["run"]["language"], "zh");
}

TEST_P(RecordedRun, SaysWhatItsFiguresSay) {
  SCOPED_TRACE("a recorded report says what the rules of today do not say of its figures: draw it again");
  std::filesystem::current_path(IOLAB_SOURCE_DIR);
  const auto directory = RunDirectory::find("results/reference/" + GetParam());
  ASSERT_TRUE(directory) << directory.error();
  const auto data = load_run(*directory);
  ASSERT_TRUE(data) << data.error();
  const auto stored = Json::parse(read_text_file(directory->file("results.json")).value_or("{}"));
  const auto today = make_report(Results(*data), Json::array());
  EXPECT_EQ(stored.at("found").dump(1), today.at("found").dump(1));
  EXPECT_EQ(stored.at("judgement").dump(1), today.at("judgement").dump(1));
}

INSTANTIATE_TEST_SUITE_P(Reference, RecordedRun, testing::ValuesIn(recorded_runs()));

TEST(Experiments, EveryShippedOneSpeaksBothLanguages) {
  SCOPED_TRACE("an experiment was added without its Chinese question, or a reason without its Chinese half");
  std::filesystem::current_path(IOLAB_SOURCE_DIR);
  for (const auto& file : find_experiments()) {
    const auto spec = parse_spec(*read_text_file(file.path), file.name, {});
    ASSERT_TRUE(spec) << file.name;
    EXPECT_FALSE(spec->question_zh.empty()) << file.name;
    EXPECT_EQ(spec->background.empty(), spec->background_zh.empty()) << file.name;
    for (const auto& exclusion : spec->exclusions) EXPECT_FALSE(exclusion.because_zh.empty()) << exclusion.because;
  }
}

TEST(Experiments, WhatARunWroteDownCanBeReadAgain) {
  SCOPED_TRACE("a finished run cannot be reported or resumed, because its spec with all defaults is refused");
  std::filesystem::current_path(IOLAB_SOURCE_DIR);
  for (const auto& file : find_experiments()) {
    for (const auto* profile : {"quick", "standard", "careful"}) {
      const auto spec = parse_spec(*read_text_file(file.path), file.name, {.profile = profile});
      ASSERT_TRUE(spec) << file.name;
      const auto again = parse_spec(spec->text, file.name, {});
      ASSERT_TRUE(again) << to_text(again.error(), {}, "");
      EXPECT_EQ(again->text, spec->text) << file.name << " " << profile;
    }
  }
}

// What differs between two values that are to be the same but for their texts.
std::vector<std::string> differences(const Json& one, const Json& other, const std::string& path) {
  if (one.is_string() && other.is_string()) return {};
  if (one.type() != other.type() || one.size() != other.size()) return {path};
  if (!one.is_structured()) return one == other ? std::vector<std::string>{} : std::vector{path};
  std::vector<std::string> list;
  for (const auto& [key, value] : one.items()) {
    const auto* same = one.is_array() ? &other[std::stoul(key)] : other.contains(key) ? &other[key] : nullptr;
    const auto inner = same == nullptr ? std::vector{path + "/" + key} : differences(value, *same, path + "/" + key);
    list.insert(list.end(), inner.begin(), inner.end());
  }
  return list;
}

// A run of a shipped experiment that never happened: some trials of sigio failed, select and blocking cost most.
RunData made_up(const std::string& text, const std::string& profile) {
  RunData data;
  data.spec = std::move(*parse_spec(text, "shipped", {.profile = profile}));
  for (const auto& entry : io::models()) {
    if (entry.id == "null") continue;
    data.models.push_back({std::string(entry.id), std::string(entry.family), std::string(entry.summary), true, "", {}});
  }
  data.models.back().features.push_back("never-sleeps");
  data.plan = make_plan(data.spec, data.models, 8'000, 1);  // too few descriptors for 10,000 connections
  data.cpus = {0, 1};
  data.facts = environment_facts();
  data.machine = one_line(read_machine());
  data.status = "time-limit";
  data.dirty = true;
  make_up_trials(data, [](const Series& series, const Level&, int block) {
    MadeUpTrial trial;
    trial.cpu_us_per_request = series.id == "select" || series.id == "blocking" ? 20 : 5 + 0.01 * (block % 3);
    trial.ok = series.id != "sigio" || block % 3 > 0;
    if (!trial.ok) trial.reason = "没有线程";
    return trial;
  });
  return data;
}

TEST(Experiments, EveryShippedOneIsReportedInChinese) {
  SCOPED_TRACE("a rule that only one experiment reaches says an English sentence, or ends the report with a bug");
  std::filesystem::current_path(IOLAB_SOURCE_DIR);
  std::vector<std::string> texts{std::string(first_look_spec())};
  for (const auto& file : find_experiments()) texts.push_back(*read_text_file(file.path));
  for (const auto& text : texts) {
    for (const auto* profile : {"quick", "standard"}) {
      const auto data = made_up(text, profile);
      SCOPED_TRACE(data.spec.name);
      const auto report = make_report(Results(data), Json::array());
      const auto told = chinese_report(data, Json::array());
      expect_no_english(told);
      EXPECT_THAT(differences(report, told, ""), testing::IsEmpty());
    }
  }
}

TEST(Report, BothLanguagesHoldTheSameNumbersAndMembers) {
  SCOPED_TRACE("a figure differs between the two languages of one run");
  const auto make = [](const Series& series, const Level&, int block) {
    MadeUpTrial trial;
    trial.cpu_us_per_request = series.id == "select" ? 9 : 5 + 0.01 * (block % 3);
    return trial;
  };
  for (const int repeat : {1, 3, 10}) {
    const auto data = make_up_run(repeat, make, R"(, "judge": {"metric": "server_cpu_us_per_request"})");
    const auto report = make_report(Results(data), Json::array());
    const auto told = chinese_report(data, Json::array());
    EXPECT_THAT(differences(report, told, ""), testing::IsEmpty());
    EXPECT_EQ(report["cells"].size(), told["cells"].size());
    EXPECT_EQ(report["think"].size(), 3u);
    EXPECT_GE(report["threats"].size(), 6u);
    EXPECT_EQ(report["run"]["language"], "en");
    EXPECT_EQ(report["words"]["page.section.answer"], "1 Answer");
    EXPECT_EQ(told["words"]["page.section.answer"], "1 结论");
  }
}

TEST(Report, ChineseSentencesReadAsATeacherWritesThem) {
  SCOPED_TRACE("slots and spaces of a Chinese sentence are put together wrongly");
  const auto make = [](const Series& series, const Level&, int block) {
    MadeUpTrial trial;
    trial.calls_per_request = series.id == "blocking" ? 2 : 3;
    trial.cpu_us_per_request = series.id == "select" ? 20 : 5 + 0.01 * (block % 3);
    return trial;
  };
  const auto report = chinese_report(make_up_run(3, make), Json::array());
  EXPECT_EQ(report["found"][0]["text"],
            "每个请求的系统调用次数（0 个空闲连接）：blocking 为 2.00；select 和 epoll 为 3.00。");
  std::string all;
  for (const auto& sentence : report["found"]) all += sentence["text"].get<std::string>() + "\n";
  EXPECT_THAT(all, HasSubstr("select 与 epoll 相比，每个请求的服务器 CPU 时间："));
  EXPECT_THAT(all, HasSubstr("没有运行：select（5,000 个空闲连接）。原因："));
}

}  // namespace
}  // namespace iolab::lab
