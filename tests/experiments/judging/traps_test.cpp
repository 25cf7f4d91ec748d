// The traps of a machine, planted into runs that never happened: each must be said, and none may fool a verdict.
#include "experiments/judging/traps.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <random>

#include "experiments/judging/judgement.h"
#include "experiments/report/report.h"
#include "tests/experiments/made_up_run.h"

namespace iolab::lab {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string notes_of(const RunData& data) {
  const Results results(data);
  std::string text;
  for (const auto& sentence : what_to_know(results)) text += sentence.text + "\n";
  return text;
}

// All models equal but for noise of 1 %; from one trial on the machine takes `slow` times as long for everything.
RunData run_with_change(double slow, double from_share) {
  std::mt19937_64 random(11);
  std::normal_distribution<> noise(0, 0.01);
  auto data = make_up_run(
      10, [](const Series&, const Level&, int) { return MadeUpTrial{}; },
      R"(, "judge": {"metric": "server_cpu_us_per_request", "ignore_below": "2%"})");
  const auto from = static_cast<int>(from_share * static_cast<double>(data.trials.size()));
  for (auto& trial : data.trials) trial.server.cpu_s *= std::exp(noise(random)) * (trial.index >= from ? slow : 1);
  return data;
}

TEST(Traps, TwoSpeedsAreSaidAndFoolNoVerdict) {
  SCOPED_TRACE("a machine that got slower in the middle of a run makes a model clearly dearer, or nobody hears of it");
  for (const double from : {0.3, 0.5, 0.51, 0.7}) {
    const auto data = run_with_change(1.55, from);
    EXPECT_THAT(notes_of(data), HasSubstr("The machine ran at two speeds, 1.5"));
    EXPECT_THAT(notes_of(data), HasSubstr("the speed changed 1 time."));
    const Results results(data);
    const auto judgement = judgement_of(results);
    ASSERT_TRUE(judgement);
    for (const auto& verdict : judgement->verdicts) {
      EXPECT_NE(verdict.word, Word::clearly_more) << verdict.of << " from " << from;
      EXPECT_NE(verdict.word, Word::clearly_less) << verdict.of << " from " << from;
    }
    for (const auto& sentence : what_was_found(results)) {
      EXPECT_THAT(sentence.text, Not(HasSubstr("epoll itself: "))) << "levels of different blocks are compared";
    }
  }
}

TEST(Traps, OneSpeedIsNotTwo) {
  SCOPED_TRACE("ordinary noise is called a change of speed");
  EXPECT_THAT(notes_of(run_with_change(1, 0.5)), Not(HasSubstr("two speeds")));
  EXPECT_THAT(notes_of(run_with_change(1.05, 0.5)), Not(HasSubstr("two speeds")));
}

TEST(Traps, TwoSpeedsNeedAGapAndNeighbours) {
  SCOPED_TRACE("noise, an outlier, or models that alternate are taken for a machine that changed its speed");
  const std::vector<double> changed{0, 0.01, 0, 0.02, 0.44, 0.45, 0.43, 0.44};
  const auto speeds = two_speeds(changed);
  ASSERT_TRUE(speeds);
  EXPECT_NEAR(speeds->ratio, 1.55, 0.03);
  EXPECT_EQ(speeds->slow, 4u);
  EXPECT_EQ(speeds->changes, 1u);
  EXPECT_FALSE(two_speeds(std::vector<double>{0, 0.44, 0, 0.44, 0, 0.44, 0, 0.44}));
  EXPECT_FALSE(two_speeds(std::vector<double>{0, 0.01, 0, 0.02, 0.9, 0.01, 0, 0.01}));
  EXPECT_FALSE(two_speeds(std::vector<double>{0, 0.44, 0.45}));
  EXPECT_FALSE(two_speeds(std::vector<double>{0, 0, 0, 0, 0}));
  int found = 0;
  constexpr int kRuns = 1000;
  for (unsigned run = 0; run < kRuns; ++run) {
    std::mt19937_64 random(run);
    std::normal_distribution<> noise(0, 0.15);
    std::vector<double> values(10);
    for (double& value : values) value = noise(random);
    found += two_speeds(values).has_value();
  }
  EXPECT_LE(found, kRuns / 50);
}

TEST(Traps, ColdMemoryADearWakeUpAndALoadedLoopbackAreSaid) {
  SCOPED_TRACE("what the machine does to a measurement stays in its files");
  auto data = make_up_run(3, [](const Series&, const Level&, int) { return MadeUpTrial{}; });
  EXPECT_THAT(notes_of(data), Not(HasSubstr("cold")));
  data.ceilings_before = {{"first_touch", "", "ms/GiB", 2100},
                          {"second_touch", "", "ms/GiB", 240},
                          {"wake_up_same", "", "us", 3},
                          {"wake_up", "", "us", 35}};
  for (auto& level : data.spec.levels) level.workload.connections = level.workload.in_flight = 1;
  for (auto& trial : data.trials) trial.load.cpu_system_s = 0.8 * trial.server.cpu_s;
  const auto notes = notes_of(data);
  EXPECT_THAT(notes, HasSubstr("Free memory was cold: its first touch took 2,100 ms for each GiB, the second 240 ms"));
  EXPECT_THAT(notes, HasSubstr("Waking a thread on the other CPU took 35.0 us, on the same CPU 3.00 us"));
  EXPECT_THAT(notes, HasSubstr("beside 5.00 us of the server, a request took 4.00 us of the client"));
}

TEST(Traps, DisturbedTrialsCountAndAreCounted) {
  SCOPED_TRACE("a disturbed trial is dropped, or its median is shown without a word");
  auto data = make_up_run(3, [](const Series&, const Level&, int) { return MadeUpTrial{}; });
  std::size_t disturbed = 0;
  for (auto& trial : data.trials) {
    if (trial.cell != "blocking/idle_connections=0" || disturbed == 2) continue;
    ++disturbed;
    trial.server.cpu_s *= 2;
    trial.machine.flags = {{"other-processes", "other processes used 80 % of a CPU"}};
  }
  const Results results(data);
  const auto& cell = results.cell(*results.find_series("blocking"), 0);
  EXPECT_EQ(cell.trials.size(), 3u);
  EXPECT_EQ(cell.flags.at("other-processes"), 2);
  EXPECT_THAT(cell.marks, testing::Contains("flagged"));
  const auto notes = notes_of(data);
  EXPECT_THAT(notes, HasSubstr("In 2 of 42 trials something else was going on on the machine (other processes in 2)"));
  EXPECT_THAT(notes, HasSubstr("blocking with 0 idle connections, server CPU per request: 10.0 us over all trials, "
                               "5.00 us without the disturbed ones."));
}

TEST(Traps, OverloadIsNamedWithBothRates) {
  SCOPED_TRACE("a latency is read as the server's that was spent waiting in line");
  auto data = make_up_run(3, [](const Series&, const Level&, int) { return MadeUpTrial{}; });
  for (auto& level : data.spec.levels) level.workload.rate_per_s = 150'000;
  for (auto& trial : data.trials) trial.load.overloaded = trial.series == "select";
  EXPECT_THAT(notes_of(data), HasSubstr("select with 0 idle connections served 100,000 of 150,000 requests/s"));
}

TEST(Traps, AClientThatSendsLateIsNamed) {
  SCOPED_TRACE("the load generator did not keep its own times, and its lateness is read as the server's latency");
  auto data = make_up_run(3, [](const Series&, const Level&, int) { return MadeUpTrial{}; });
  EXPECT_THAT(notes_of(data), Not(HasSubstr("more than 1 ms late")));
  for (auto& trial : data.trials) trial.load.client_kept_up = trial.series != "select" || trial.block != 0;
  EXPECT_THAT(notes_of(data), HasSubstr("more than 1 ms late"));
  const Results results(data);
  EXPECT_THAT(results.cell(*results.find_series("select"), 0).marks, testing::Contains("client-late"));
  EXPECT_THAT(results.cell(*results.find_series("epoll"), 0).marks, Not(testing::Contains("client-late")));
}

TEST(Marks, SteadyMeansSteadierThanTheNoise) {
  SCOPED_TRACE("a drift that is larger than anything the baseline shows is called steady, or noise a drift");
  auto data = make_up_run(6, [](const Series& series, const Level&, int block) {
    MadeUpTrial trial;
    if (series.role == Role::again) trial.requests_per_s *= block % 2 == 0 ? 1.04 : 0.97;
    return trial;
  });
  for (auto& trial : data.trials) {
    trial.load.second_half_per_s *= trial.series == "select" ? 1.1 : trial.series == "blocking" ? 1.02 : 1;
  }
  const Results results(data);
  EXPECT_THAT(results.cell(*results.find_series("select"), 0).marks, testing::Contains("not-steady"));
  EXPECT_THAT(results.cell(*results.find_series("blocking"), 0).marks, Not(testing::Contains("not-steady")));
}

}  // namespace
}  // namespace iolab::lab
