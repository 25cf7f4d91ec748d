// The letter of a run: from a known noise to a grade, and from a grade to whether a verdict may be given.
#include "experiments/judging/grade.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "experiments/judging/judgement.h"
#include "experiments/report/report.h"
#include "tests/experiments/made_up_run.h"

namespace iolab::lab {
namespace {

using testing::HasSubstr;

// select costs four times as much; epoll differs from itself by up to `noise`.
RunData graded_run(int repeat, double noise, double steal = 0) {
  auto data = make_up_run(
      repeat,
      [=](const Series& series, const Level&, int block) {
        MadeUpTrial trial;
        if (series.role == Role::again) trial.cpu_us_per_request *= block % 2 == 0 ? 1 + noise : 1 / (1 + noise);
        if (series.id == "select") trial.cpu_us_per_request *= 4;
        return trial;
      },
      R"(, "judge": {"metric": "server_cpu_us_per_request", "ignore_below": "2%"})");
  for (auto& trial : data.trials) trial.machine.steal_share = steal;
  return data;
}

char letter(const RunData& data) {
  return grade_of(Results(data)).letter;
}

TEST(Grade, FollowsNoiseStealAndRepetitions) {
  SCOPED_TRACE("a noisy run is graded like a quiet one");
  EXPECT_EQ(letter(graded_run(10, 0.01)), 'A');
  EXPECT_EQ(letter(graded_run(10, 0.01, 0.02)), 'B');
  EXPECT_EQ(letter(graded_run(8, 0.01)), 'B');
  EXPECT_EQ(letter(graded_run(10, 0.04)), 'B');
  EXPECT_EQ(letter(graded_run(10, 0.1)), 'C');
  EXPECT_EQ(letter(graded_run(10, 0.3)), 'D');
  EXPECT_EQ(letter(graded_run(3, 0.01)), 'D');
}

TEST(Grade, OfDGivesNoVerdict) {
  SCOPED_TRACE("a verdict is given on a machine that differs from itself by a third");
  const auto noisy = graded_run(10, 0.3);
  const Results results(noisy);
  const auto judgement = judgement_of(results);
  ASSERT_TRUE(judgement);
  for (const auto& verdict : judgement->verdicts) {
    EXPECT_EQ(verdict.word, Word::cannot_say);
    EXPECT_THAT(verdict.because, HasSubstr("Grade D: the same model against itself differs by up to 30 %"));
  }
  const auto report = make_report(results, nlohmann::ordered_json::array());
  EXPECT_EQ(report["run"]["grade"]["letter"], "D");
  EXPECT_EQ(report["run"]["grade"]["why"].size(), 2u);  // noise and repetitions; that no time was stolen is no reason
  EXPECT_THAT(report["notes"].dump(), HasSubstr("No verdict, because this run is of grade D"));
  EXPECT_THAT(terminal_summary(results, {}), HasSubstr("Grade D: "));

  const auto quiet = graded_run(10, 0.01);
  EXPECT_EQ(judgement_of(Results(quiet))->verdicts.front().word == Word::cannot_say, false);
}

TEST(Grade, EveryReportHoldsTheBaselineAgainstItself) {
  SCOPED_TRACE("a report says nothing of how large nothing is, because nothing was judged");
  const auto data = make_up_run(6, [](const Series& series, const Level&, int) {
    return MadeUpTrial{.cpu_us_per_request = series.role == Role::again ? 5.2 : 5};
  });
  const auto table = self_table(Results(data));
  EXPECT_EQ(table.rows.size(), 6u);  // 2 metrics, 3 levels
  EXPECT_EQ(table.rows.front().cells.at(4).text, "4.0 %");
  const auto report = make_report(Results(data), nlohmann::ordered_json::array());
  EXPECT_THAT(report["tables"].dump(), HasSubstr("epoll against itself (A/A)"));
  EXPECT_EQ(report["run"]["grade"]["letter"], "B");
}

}  // namespace
}  // namespace iolab::lab
