#include "experiments/judging/run_comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>

#include "experiments/statistics/rank_sum.h"
#include "tests/experiments/made_up_run.h"

namespace iolab::lab {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Every way in which `first` of `first + second` ranks can fall, counted one by one.
std::vector<double> counted_distribution(int first, int second) {
  std::vector<double> ways(static_cast<std::size_t>(first * second) + 1, 0);
  double all = 0;
  for (unsigned chosen = 0; chosen < 1U << (first + second); ++chosen) {
    if (std::popcount(chosen) != first) continue;
    int pairs = 0;
    for (int a = 0; a < first + second; ++a) {
      for (int b = 0; b < a; ++b) pairs += (chosen >> a & 1U) != 0 && (chosen >> b & 1U) == 0;
    }
    ++ways[static_cast<std::size_t>(pairs)];
    ++all;
  }
  for (auto& way : ways) way /= all;
  return ways;
}

TEST(RankSum, TheDistributionIsThatOfCounting) {
  SCOPED_TRACE("every interval and every p of a comparison is wrong");
  for (const auto& [first, second] : {std::pair{3, 5}, std::pair{5, 3}, std::pair{6, 6}, std::pair{1, 4}}) {
    const auto ways = counted_distribution(first, second);
    const RankSum chance(static_cast<std::size_t>(first), static_cast<std::size_t>(second));
    double sum = 0;
    for (std::size_t u = 0; u < ways.size(); ++u) {
      sum += ways[u];
      EXPECT_NEAR(chance.at_most(u), sum, 1e-12) << first << " and " << second << ", " << u;
    }
  }
}

TEST(RankSum, ThreeTrialsOfEachHaveNoInterval) {
  SCOPED_TRACE("a quick run is called clear");
  const std::vector<double> three{1, 1.1, 1.2};
  const std::vector<double> four{1, 1.1, 1.2, 1.3};
  EXPECT_FALSE(compare_groups(three, three, 0.95)->interval);
  EXPECT_TRUE(compare_groups(four, four, 0.95)->interval);
  EXPECT_FALSE(compare_groups({}, four, 0.95));
}

TEST(RankSum, TiesAreNoEvidence) {
  SCOPED_TRACE("two equal columns of counts differ");
  const std::vector<double> two(10, 2.0);
  const auto groups = compare_groups(two, two, 0.95);
  EXPECT_DOUBLE_EQ(groups->ratio, 1);
  EXPECT_DOUBLE_EQ(groups->p, 1);
  EXPECT_DOUBLE_EQ(groups->interval->low, 1);
  EXPECT_DOUBLE_EQ(groups->interval->high, 1);
}

TEST(RankSum, TheIntervalHoldsTheFactorAsOftenAsItSays) {
  SCOPED_TRACE("a 95 % range holds the truth less often");
  std::mt19937_64 random(3);
  std::lognormal_distribution<double> noise(0, 0.1);
  int held = 0;
  constexpr int kTries = 2000;
  for (int i = 0; i < kTries; ++i) {
    std::vector<double> first(8);
    std::vector<double> second(8);
    for (auto& value : first) value = 5 * noise(random);
    for (auto& value : second) value = 6 * noise(random);
    const auto interval = compare_groups(first, second, 0.95)->interval;
    held += interval->low <= 1.2 && 1.2 <= interval->high;
  }
  EXPECT_GE(held, kTries * 94 / 100);
}

// A run on a machine of this speed, with 3 % noise; `select` at 1,000 idle connections costs `factor` times as much.
RunData noisy_run(std::uint64_t seed, double speed, double factor, int repeat = 10, const std::string& more = "") {
  std::mt19937_64 random(seed);
  std::lognormal_distribution<double> noise(0, 0.03);
  auto data = make_up_run(
      repeat,
      [&](const Series& series, const Level& level, int) {
        const bool changed = series.id == "select" && level.workload.idle_connections == 1000;
        MadeUpTrial trial;
        trial.cpu_us_per_request = 5 / speed * noise(random) * (changed ? factor : 1);
        trial.requests_per_s = std::round(100'000 * speed * (series.role == Role::ceiling ? 1 : noise(random)));
        return trial;
      },
      more);
  return data;
}

RunComparison compared(const RunData& before, const RunData& after,
                       const std::vector<std::string>& metrics = {"server_cpu_us_per_request"}) {
  const Results first(before);
  const Results second(after);
  return compare_runs(first, second, metrics, {});
}

int clear(const RunComparison& comparison) {
  return static_cast<int>(std::ranges::count_if(comparison.cells, [](const CellPair& pair) {
    return pair.verdict.word == Word::clearly_more || pair.verdict.word == Word::clearly_less;
  }));
}

TEST(Comparison, AChangeOfTwentyPercentIsClearAndNothingElseIs) {
  SCOPED_TRACE("a regression passes, or one is seen where nothing changed");
  int found = 0;
  int false_alarms = 0;
  constexpr int kExperiments = 40;
  for (std::uint64_t i = 0; i < kExperiments; ++i) {
    const auto comparison = compared(noisy_run(2 * i + 1, 1, 1), noisy_run(2 * i + 2, 1, 1.2));
    for (const auto& pair : comparison.cells) {
      const bool is_clear = pair.verdict.word == Word::clearly_more || pair.verdict.word == Word::clearly_less;
      const bool changed = pair.cell == "select/idle_connections=1000";
      found += is_clear && changed;
      false_alarms += is_clear && !changed;
    }
  }
  EXPECT_GE(found, kExperiments * 95 / 100);
  EXPECT_LE(false_alarms, kExperiments * 5 / 100);
}

TEST(Comparison, AMachineThatBecameSlowerIsNoRegression) {
  SCOPED_TRACE("a neighbour on the same host fails somebody's change");
  const auto comparison = compared(noisy_run(1, 1, 1), noisy_run(2, 0.75, 1));
  EXPECT_EQ(clear(comparison), 0);
  for (const auto& pair : comparison.cells) EXPECT_NEAR(*pair.floor, 0.333, 0.001) << pair.cell;
}

TEST(Comparison, OtherWorkOrAnotherMachineGetsNoVerdict) {
  SCOPED_TRACE("a laptop is judged against a server, or one record size against another");
  const auto before = noisy_run(1, 1, 1);
  auto elsewhere = noisy_run(2, 1, 2);
  elsewhere.machine = "another one";
  const auto machines = compared(before, elsewhere);
  ASSERT_EQ(machines.why_no_verdicts.size(), 1u);
  EXPECT_THAT(machines.why_no_verdicts.front(), HasSubstr("another one"));
  EXPECT_EQ(clear(machines), 0);
  EXPECT_TRUE(machines.cells.front().before);  // side by side all the same
  const auto work = compared(before, noisy_run(2, 1, 2, 10, R"(, "producer": {"acks": "all"})"));
  EXPECT_THAT(work.why_no_verdicts, ElementsAre(HasSubstr("producer")));
  EXPECT_TRUE(compared(before, noisy_run(2, 1, 2, 12)).why_no_verdicts.empty()) << "more trials are the same work";
}

TEST(Comparison, ARunOfTwoBinariesGetsNoVerdict) {
  SCOPED_TRACE("half of a run was made by another build, and the mixture is judged");
  auto mixed = noisy_run(1, 1, 1);
  mixed.sessions.resize(2);
  mixed.sessions[0].fingerprint[kBinaryPrint] = "a";
  mixed.sessions[1].fingerprint[kBinaryPrint] = "b";
  EXPECT_TRUE(compared(mixed, noisy_run(2, 1, 2)).why_no_verdicts.empty()) << "the second session made nothing";
  for (auto& trial : mixed.trials) trial.session = trial.index % 2;
  EXPECT_THAT(compared(mixed, noisy_run(2, 1, 2)).why_no_verdicts, ElementsAre(HasSubstr("no one thing")));
}

TEST(Comparison, TooFewTrialsCannotSay) {
  SCOPED_TRACE("three trials of each decide, or five");
  for (const auto& pair : compared(noisy_run(1, 1, 1, 3), noisy_run(2, 1, 3, 3)).cells) {
    EXPECT_EQ(pair.verdict.word, Word::cannot_say) << pair.cell;
    EXPECT_FALSE(pair.verdict.because.empty()) << pair.cell;
  }
  auto fewer = noisy_run(1, 1, 1);
  for (auto& trial : fewer.trials) trial.ok = trial.series != "select" || trial.block % 2 == 0;
  for (const auto& pair : compared(fewer, noisy_run(2, 1, 3)).cells) {
    if (!pair.cell.starts_with("select/")) continue;
    EXPECT_EQ(pair.verdict.word, Word::cannot_say) << pair.cell;
  }
}

TEST(Comparison, ARuleFailsOnlyWhatIsClearlyWorseByMore) {
  SCOPED_TRACE("a build fails for noise, or passes with a regression");
  const auto worse = compared(noisy_run(1, 1, 1), noisy_run(2, 1, 1.5));
  const auto failing = [&](const RunComparison& comparison, const std::string& text) {
    const auto rule = parse_fail_if(text);
    EXPECT_TRUE(rule) << text;
    return std::ranges::count_if(comparison.cells, [&](const CellPair& pair) { return fails(pair, *rule); });
  };
  EXPECT_EQ(failing(worse, "server_cpu_us_per_request:+5%"), 1);
  EXPECT_EQ(failing(worse, "server_cpu_us_per_request:+60%"), 0);
  EXPECT_EQ(failing(compared(noisy_run(2, 1, 1.5), noisy_run(1, 1, 1)), "server_cpu_us_per_request:+5%"), 0);
  EXPECT_EQ(news(Word::clearly_more, "requests_per_s"), "better");
  EXPECT_EQ(news(Word::probably_more, "latency_p99_us"), "worse");
  EXPECT_EQ(news(Word::same, "latency_p99_us"), "");
}

TEST(Comparison, AWrongRuleSaysHowToWriteIt) {
  SCOPED_TRACE("a rule that can never fail is taken for one that passed");
  const auto complaint = [](const char* text) {
    const auto rule = parse_fail_if(text);
    return rule ? std::string() : rule.error();
  };
  EXPECT_THAT(complaint("latency_p99_us"), HasSubstr("METRIC:+PERCENT"));
  EXPECT_THAT(complaint("latency_p99_u:+5%"), HasSubstr("latency_p99_us"));
  EXPECT_THAT(complaint("latency_p99_us:-5%"), HasSubstr("latency_p99_us:+5%"));
  EXPECT_THAT(complaint("requests_per_s:+5%"), HasSubstr("requests_per_s:-5%"));
  EXPECT_THAT(complaint("latency_p99_us:+5"), HasSubstr("no unit"));
  EXPECT_THAT(complaint("latency_p99_us:+"), HasSubstr("5%"));
  EXPECT_THAT(complaint("steal_share:+5%"), HasSubstr("neither better nor worse"));
}

}  // namespace
}  // namespace iolab::lab
