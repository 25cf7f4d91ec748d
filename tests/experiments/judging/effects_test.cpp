// What matters most in a run: shares of variance that are known, because the trials were made up.
#include "experiments/judging/effects.h"

#include <gtest/gtest.h>

#include <cmath>

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

TEST(Effects, WithoutRepetitionNothingIsSaid) {
  SCOPED_TRACE("one trial of each cell seems to have no chance in it");
  const auto data = make_up_run(1, [](const Series&, const Level&, int) { return MadeUpTrial{}; });
  EXPECT_FALSE(effects_of(Results(data), "server_cpu_us_per_request"));
}

}  // namespace
}  // namespace iolab::lab
