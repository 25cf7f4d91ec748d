// The comparison that a spec fixes before its run: each case puts known ratios into a made-up run and reads the words.
#include "experiments/judging/judgement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/experiments/made_up_run.h"

namespace iolab::lab {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// Ten duets of each model: select costs `select` times the CPU of epoll, blocking as much as epoll, which differs from
// itself by up to 0.4 %.
RunData run_where_select_is(double select, const std::string& metric = "server_cpu_us_per_request") {
  const auto make = [&](const Series& series, const Level&, int block) {
    MadeUpTrial trial;
    trial.latency_ns = series.id == "select" ? 160'000 : 80'000 + static_cast<std::uint64_t>(block);
    return trial;
  };
  auto data = make_up_run(10, make, R"(, "judge": {"metric": ")" + metric + R"(", "ignore_below": "1%", "duets": 10})");
  for (const auto& planned : data.plan.duets) {
    const auto& series = data.plan.series[planned.series];
    const double wobble = 1 + 0.0005 * (planned.round % 9 - 4);
    DuetRecord duet{.index = planned.index, .round = planned.round, .series = series.id, .ok = true};
    duet.level = data.spec.levels[planned.level].id;
    duet.cpu_ratio = (series.id == "select" ? select : 1.0) * (series.role == Role::again ? 2 * wobble - 1 : wobble);
    duet.rate_ratio = 1 / duet.cpu_ratio;
    data.duets.push_back(duet);
  }
  return data;
}

std::string words_of(const RunData& data) {
  const Results results(data);
  const auto judgement = judgement_of(results);
  if (!judgement) return "nothing was judged";
  std::string text;
  for (const auto& sentence : judgement_in_words(results, *judgement)) text += sentence.text + "\n";
  return text;
}

TEST(Judgement, DuetsSayWhatIsClearAndWhatIsTheSame) {
  SCOPED_TRACE("an effect of 5 % is not called clear, or no effect is not called the same");
  const auto words = words_of(run_where_select_is(1.05));
  EXPECT_THAT(words, HasSubstr("Clearly more server CPU per request than epoll with 1,000 idle connections: select "
                               "1.050 times"));
  EXPECT_THAT(words, HasSubstr("10 of 10 pairs"));
  EXPECT_THAT(words, HasSubstr("The same server CPU per request as epoll within 1.0 %"));
  EXPECT_THAT(words, Not(HasSubstr("Clearly more server CPU per request than epoll with 1,000 idle connections: "
                                   "blocking")));
  EXPECT_THAT(words_of(run_where_select_is(0.9)), HasSubstr("Clearly less server CPU per request than epoll"));
}

TEST(Judgement, AReportOpensWithItsAnswer) {
  SCOPED_TRACE("the sentence that answers the question stands below counts that nobody asked for");
  const auto first = what_was_found(Results(run_where_select_is(1.05))).front();
  EXPECT_EQ(first.kind, "judged");
  EXPECT_THAT(first.text, HasSubstr("select 1.050 times"));
}

TEST(Judgement, ThoseThatTheQuestionNamesComeFirst) {
  SCOPED_TRACE("the model in question stands last in a list of ten");
  const auto data = run_where_select_is(1.0);  // blocking stands before select in the plan
  const Results results(data);
  const auto sentences = judgement_in_words(results, *judgement_of(results));
  ASSERT_GE(sentences.size(), 2U);
  EXPECT_THAT(sentences[0].text, AllOf(HasSubstr("select 1.000"), Not(HasSubstr("blocking"))));
  EXPECT_THAT(sentences[1].text, HasSubstr("blocking 1.000"));
}

TEST(Judgement, WhatWasDeclaredTooSmallIsNeverClear) {
  SCOPED_TRACE("a difference below the spec's own limit is called clear");
  const auto words = words_of(run_where_select_is(1.006));
  EXPECT_THAT(words, Not(HasSubstr("Clearly")));
}

TEST(Judgement, TailsAreJudgedByTrials) {
  SCOPED_TRACE("a latency is judged by slices of 10 ms, which hide what builds up");
  const auto words = words_of(run_where_select_is(1.0, "latency_p99_us"));
  EXPECT_THAT(words, HasSubstr("Clearly more latency, 99th percentile than epoll"));
  EXPECT_THAT(words, HasSubstr("10 of 10 blocks"));
}

TEST(Judgement, WithoutTheBaselineAgainstItselfNothingIsSaid) {
  SCOPED_TRACE("a verdict is given although nobody knows how large nothing is");
  auto data = run_where_select_is(1.5);
  std::erase_if(data.duets, [](const DuetRecord& duet) { return duet.series == "epoll (again)"; });
  EXPECT_EQ(words_of(data), "");
  const Results results(data);
  const auto judgement = judgement_of(results);
  ASSERT_TRUE(judgement);
  EXPECT_EQ(judgement->verdicts.front().word, Word::cannot_say);
  EXPECT_THAT(to_json(results, *judgement).dump(), HasSubstr("too few pairs of the baseline against itself"));
}

TEST(Judgement, AModelOfWhichNoDuetWorkedIsNotLeftOut) {
  SCOPED_TRACE("all duets of a model fail, and the report does not mention it");
  auto data = run_where_select_is(1.5);
  for (auto& duet : data.duets) {
    if (duet.series != "select") continue;
    duet.ok = false;
    duet.reason = "the server ended with signal 9";
  }
  const Results results(data);
  const auto judgement = judgement_of(results);
  ASSERT_TRUE(judgement);
  const auto select = std::ranges::find(judgement->verdicts, "select", &Verdict::of);
  ASSERT_NE(select, judgement->verdicts.end());
  EXPECT_EQ(select->word, Word::cannot_say);
  EXPECT_THAT(to_json(results, *judgement).dump(), HasSubstr(R"("ratio":null)"));
  std::string notes;
  for (const auto& note : what_to_know(results)) notes += note.text + "\n";
  EXPECT_THAT(notes,
              HasSubstr("10 of 10 duets of select failed and count for nothing: the server ended with signal 9."));
}

TEST(Judgement, DuetsThatTrialsContradictAreNotLeftAlone) {
  SCOPED_TRACE("duets of a few milliseconds say 3.5 times, trials of the same blocks 1, and nobody is told");
  const auto notes_of = [](const RunData& data) {
    std::string notes;
    for (const auto& note : what_to_know(Results(data))) notes += note.text + "\n";
    return notes;
  };
  EXPECT_THAT(notes_of(run_where_select_is(3.5)),
              AllOf(HasSubstr("Duets and trials disagree about select, server CPU per request with 1,000 idle "
                              "connections: 3.50 (3."),
                    HasSubstr("turns of 10 ms")));
  EXPECT_THAT(notes_of(run_where_select_is(1.0)), Not(HasSubstr("disagree")));
}

TEST(Judgement, ThePictureHoldsEveryInterval) {
  SCOPED_TRACE("an interval is cut off at the edge of its picture");
  const auto data = run_where_select_is(3.5);
  const Results results(data);
  const auto chart = judgement_chart(results, *judgement_of(results));
  ASSERT_EQ(chart["panels"][0]["rows"].size(), 2u);
  for (const auto& row : chart["panels"][0]["rows"]) {
    EXPECT_GT(row["low"].get<double>(), chart["x"]["min"].get<double>());
    EXPECT_LT(row["high"].get<double>(), chart["x"]["max"].get<double>());
  }
  EXPECT_GE(chart["x"]["ticks"].size(), 3u);
}

}  // namespace
}  // namespace iolab::lab
