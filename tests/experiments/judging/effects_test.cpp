// What matters most in a run: shares of variance that are known, because the trials were made up.
#include "experiments/judging/effects.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/experiments/made_up_run.h"

namespace iolab::lab {
namespace {

// blocking and epoll run at all three levels; select does not, and is left out.
Effects effects_when(double of_model, double of_level, double of_both, double of_chance) {
  const auto data = make_up_run(4, [&](const Series& series, const Level& level, int block) {
    const double model = series.model == "blocking" ? 1 : 0;
    const auto step = static_cast<double>(level.at[0]);
    const double chance = block / 3 % 2 == 0 ? 1 : -1;
    MadeUpTrial trial;
    trial.cpu_us_per_request =
        std::exp(of_model * model + of_level * step + of_both * model * (step - 1) + of_chance * chance);
    return trial;
  });
  return effects_of(Results(data), "server_cpu_us_per_request").value_or(Effects{});
}

// Models blocking and epoll at two times two levels, and an axis of one value.
RunData made_up_square() {
  constexpr std::string_view kText = R"({"version": 1, "name": "square", "question": "Is it right?",
    "models": ["blocking", "epoll"], "watch": ["server_cpu_us_per_request", "latency_p99_us"],
    "matrix": {"workload.idle_connections": [0, 1000], "workload.connections": [8, 16],
               "workload.record_size": ["100B"]},
    "timing": {"repeat": 3}})";
  RunData data;
  data.spec = std::move(*parse_spec(kText, "square.json", {}));
  for (const auto* id : {"blocking", "epoll"}) data.models.push_back({id, "multiplexing", "", true, "", {}});
  data.plan = make_plan(data.spec, data.models, 20'000, 1);
  make_up_trials(data, [](const Series& series, const Level& level, int block) {
    MadeUpTrial trial;
    trial.cpu_us_per_request = (series.model == "epoll" ? 5 : 7) * (level.at[0] == 0 ? 1 : 2) + 0.1 * (block % 5);
    trial.latency_ns = 80'000 + 1000 * static_cast<std::uint64_t>(block);
    return trial;
  });
  return data;
}

TEST(Effects, SharesAreThoseThatWerePutIn) {
  SCOPED_TRACE("a report names the wrong cause of most of the differences");
  const auto effects = effects_when(1, 1, 0, 0);
  ASSERT_EQ(effects.shares.size(), 4u);
  EXPECT_EQ(effects.shares[0].factor, "model");
  EXPECT_NEAR(effects.shares[0].share, 1.5 / 5.5, 1e-3);  // six cells, half a unit from the middle
  EXPECT_EQ(effects.shares[1].factor, "workload.idle_connections");
  EXPECT_NEAR(effects.shares[1].share, 4 / 5.5, 1e-3);
  EXPECT_NEAR(effects.shares[2].share, 0, 1e-3);
  EXPECT_NEAR(effects.shares[3].share, 0, 1e-3);
  EXPECT_EQ(effects.left_out, std::vector<std::string>{"select"});
}

TEST(Effects, WhatFactorsDoOnlyTogetherIsNeithersOwn) {
  SCOPED_TRACE("an interaction is credited to one of its factors");
  const auto effects = effects_when(0, 0, 1, 0);
  ASSERT_EQ(effects.shares.size(), 4u);
  EXPECT_NEAR(effects.shares[0].share, 0, 1e-3);
  EXPECT_NEAR(effects.shares[1].share + effects.shares[2].share, 1, 1e-3);
  EXPECT_GT(effects.shares[2].share, 0.4);
}

TEST(Effects, ChanceIsNobodysMerit) {
  SCOPED_TRACE("noise between trials is read as an effect");
  const auto effects = effects_when(0, 0, 0, 0.3);
  ASSERT_EQ(effects.shares.size(), 4u);
  EXPECT_EQ(effects.shares[3].factor, "chance");
  EXPECT_NEAR(effects.shares[3].share, 1, 1e-3);
}

// Means over a hundred runs of three trials each, whose noise is of one size and as large as a step of `of_level`.
std::map<std::string, double> mean_shares(double of_level) {
  constexpr int kRuns = 100;
  std::mt19937_64 random(1);
  std::map<std::string, double> shares;
  for (int run = 0; run < kRuns; ++run) {
    const auto data = make_up_run(3, [&](const Series&, const Level& level, int) {
      double noise = 0;  // twelve even ones: nearly normal, the same from every library, and of variance 1
      for (int i = 0; i < 12; ++i) noise += static_cast<double>(random()) / 0x1p64 - 0.5;
      MadeUpTrial trial;
      trial.cpu_us_per_request = std::exp(of_level * static_cast<double>(level.at[0]) + noise);
      return trial;
    });
    const auto effects = effects_of(Results(data), "server_cpu_us_per_request").value_or(Effects{});
    for (const auto& effect : effects.shares) shares[effect.factor] += effect.share / kRuns;
  }
  return shares;
}

TEST(Effects, MeansOfThreeTrialsDifferByChance) {
  SCOPED_TRACE("of nothing but noise, nearly a third is laid at the causes, because three trials have no exact mean");
  const auto shares = mean_shares(0);
  ASSERT_EQ(shares.size(), 4u);
  EXPECT_GT(shares.at("chance"), 0.85);  // 1, but for what is more than average: a share is never below 0
  EXPECT_LT(shares.at("model"), 0.05);
  EXPECT_LT(shares.at("workload.idle_connections"), 0.06);
  EXPECT_LT(shares.at("together"), 0.06);
}

TEST(Effects, WhatChanceTakesIsNotTooMuch) {
  SCOPED_TRACE("a true effect is taken for chance");
  const auto shares = mean_shares(2);
  ASSERT_EQ(shares.size(), 4u);
  EXPECT_NEAR(shares.at("workload.idle_connections"), 16 / (16 + 17.0 / 3), 0.03);  // 5 / 3 and 12 / 3 are chance's
}

TEST(Effects, OneModelIsNoFactor) {
  SCOPED_TRACE("a probe without models says that the model explains nothing");
  auto data = made_up_square();
  for (auto& trial : data.trials) trial.ok = trial.ok && trial.model == "epoll";
  const auto effects = effects_of(Results(data), "server_cpu_us_per_request");
  ASSERT_TRUE(effects);
  ASSERT_EQ(effects->shares.size(), 4u);
  EXPECT_EQ(effects->shares[0].factor, "workload.idle_connections");
  EXPECT_EQ(effects->shares[1].factor, "workload.connections");
  EXPECT_EQ(effects->left_out, std::vector<std::string>{"blocking"});
}

TEST(Effects, EachFigureNamesTheModelsThatItIsWithout) {
  SCOPED_TRACE("the models that one figure is without are told of all figures, or of none");
  auto data = made_up_square();
  const auto same = effects_table(Results(data));
  ASSERT_TRUE(same);
  EXPECT_EQ(same->columns.size(), 6u);
  EXPECT_TRUE(same->notes.empty());
  for (auto& trial : data.trials) {
    if (trial.model == "blocking") trial.server.cpu_s = 0;  // of which there is no logarithm
  }
  const auto table = effects_table(Results(data));
  ASSERT_TRUE(table);
  ASSERT_EQ(table->notes.size(), 1u);
  EXPECT_NE(table->notes[0].find("server CPU per request"), std::string::npos) << table->notes[0];
  EXPECT_NE(table->notes[0].find("blocking"), std::string::npos) << table->notes[0];
  ASSERT_EQ(table->columns.size(), 6u);
  ASSERT_EQ(table->rows.size(), 2u);
  EXPECT_EQ(table->rows[0].cells[1].text, "-");
  EXPECT_NE(table->rows[1].cells[1].text, "-");
}

TEST(Effects, WithoutRepetitionNothingIsSaid) {
  SCOPED_TRACE("one trial of each cell seems to have no chance in it");
  const auto data = make_up_run(1, [](const Series&, const Level&, int) { return MadeUpTrial{}; });
  EXPECT_FALSE(effects_of(Results(data), "server_cpu_us_per_request"));
}

}  // namespace
}  // namespace iolab::lab
