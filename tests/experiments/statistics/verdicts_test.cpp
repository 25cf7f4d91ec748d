// Words for ratios, against values worked out by hand and against simulated machines. A failure here means that a
// report says "clearly" of nothing, or does not say it of something.
#include "experiments/statistics/verdicts.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace iolab::lab {
namespace {

std::vector<Word> words_of(const std::vector<std::vector<double>>& all, double floor) {
  std::vector<Comparison> comparisons;
  for (const auto& ratios : all) comparisons.push_back({"", ratios});
  std::vector<Word> words;
  for (const Verdict& verdict : judge(comparisons, floor, 0.95)) words.push_back(verdict.word);
  return words;
}

TEST(Verdicts, SignTestCountsCoins) {
  SCOPED_TRACE("a p-value that no table has");
  EXPECT_DOUBLE_EQ(sign_test(10, 0), 2.0 / 1024);
  EXPECT_DOUBLE_EQ(sign_test(0, 10), 2.0 / 1024);
  EXPECT_NEAR(sign_test(9, 1), 22.0 / 1024, 1e-12);
  EXPECT_DOUBLE_EQ(sign_test(5, 5), 1);
  EXPECT_DOUBLE_EQ(sign_test(0, 0), 1);
}

TEST(Verdicts, HolmStepsDown) {
  SCOPED_TRACE("many comparisons are believed as if each were the only one, or fewer than may be");
  const std::vector<double> p{0.01, 0.04, 0.03, 0.005};
  const auto adjusted = holm(p);
  EXPECT_DOUBLE_EQ(adjusted[3], 0.02);
  EXPECT_DOUBLE_EQ(adjusted[0], 0.03);
  EXPECT_DOUBLE_EQ(adjusted[2], 0.06);
  EXPECT_DOUBLE_EQ(adjusted[1], 0.06) << "never surer than one with a smaller p";
  EXPECT_EQ(holm(std::vector<double>{0.9, 0.8}), (std::vector<double>{1, 1}));
}

TEST(Verdicts, EachWordHasItsPlace) {
  SCOPED_TRACE("a word that its interval does not support");
  const std::vector<double> far(10, 1.3), less(10, 0.7), near(10, 1.03),
      even{0.99, 1.01, 1.02, 0.98, 1.0, 1.01, 0.99, 1.0, 1.02, 0.98};
  const std::vector<double> partly{1.02, 1.03, 1.04, 1.05, 1.06, 1.06, 1.07, 1.08, 1.09, 1.1};
  const std::vector<double> wide{0.8, 1.3, 0.9, 1.2, 1.1, 0.85, 1.25, 0.95, 1.15, 1.0};
  EXPECT_EQ(words_of({far}, 0.05).front(), Word::clearly_more);
  EXPECT_EQ(words_of({less}, 0.05).front(), Word::clearly_less);
  EXPECT_EQ(words_of({near}, 0.05).front(), Word::same) << "what does not matter is the same, on whichever side of 1";
  EXPECT_EQ(words_of({partly}, 0.05).front(), Word::probably_more);
  EXPECT_EQ(words_of({even}, 0.05).front(), Word::same);
  EXPECT_EQ(words_of({wide}, 0.05).front(), Word::too_close);
  EXPECT_EQ(words_of({std::vector<double>(5, 1.3)}, 0.05).front(), Word::cannot_say);
  // 2/1024 for each: with 26 comparisons Holm's factor for the first is 26, and 0.0508 is not below 0.05.
  EXPECT_EQ(words_of(std::vector(25, far), 0.05).front(), Word::clearly_more);
  EXPECT_EQ(words_of(std::vector(26, far), 0.05).front(), Word::probably_more);
  const auto unknown = judge(std::vector<Comparison>{{"epoll", far}}, std::nullopt, 0.95);
  EXPECT_EQ(unknown.front().word, Word::cannot_say);
  EXPECT_FALSE(unknown.front().because.empty());
}

TEST(Verdicts, TheFloorIsNeverBelowWhatWasDeclared) {
  SCOPED_TRACE("a difference that was declared too small to matter is called one");
  EXPECT_FALSE(floor_of(std::vector<double>(5, 1.0), 0.05));
  const std::vector<double> quiet{1.0, 1.01, 0.99, 1.0, 1.02, 1.0};
  EXPECT_DOUBLE_EQ(*floor_of(quiet, 0.05), 0.05);
  EXPECT_NEAR(*floor_of(quiet, 0.001), 0.001, 1e-12);
  EXPECT_NEAR(*floor_of(std::vector<double>(6, 0.8), 0.01), 0.25, 1e-12) << "either way round";
}

TEST(Verdicts, NothingReachesToTheEndOfItsInterval) {
  SCOPED_TRACE("a run is graded by one disturbed block, or by the middle of its noise");
  EXPECT_FALSE(reach_of(std::vector<double>(5, 1.0)));
  EXPECT_DOUBLE_EQ(*reach_of(std::vector<double>(6, 1.0)), 0);
  EXPECT_NEAR(*reach_of(std::vector<double>{1.0, 1.0, 0.8, 1.0, 1.02, 1.0}), 0.25, 1e-12) << "either way round";
  // With ten ratios the second and the ninth count.
  EXPECT_NEAR(*reach_of(std::vector<double>{1.0, 1.0, 0.99, 1.0, 1.55, 1.0, 1.02, 1.0, 1.0, 1.0}), 0.02, 1e-12);
}

// A machine that changes between two speeds, 1.55 apart, every few minutes, and is never quite steady: what a trial
// takes on it. Two trials of a block are neighbours in time, so they mostly meet the same speed.
class RestlessMachine {
 public:
  RestlessMachine(std::uint64_t seed, double noise) : random_(seed), noise_(noise) {}
  double trial() {
    if (std::uniform_real_distribution<>(0, 1)(random_) < 0.03) slow_ = !slow_;
    return (slow_ ? 1.55 : 1.0) * std::exp(noise_ * std::normal_distribution<>()(random_));
  }

 private:
  std::mt19937_64 random_;
  double noise_;
  bool slow_ = false;
};

// One experiment of ten blocks: four models against a baseline that is entered twice. Returns how many are "clearly".
int clearly_in_one(std::uint64_t seed, double noise, double effect) {
  RestlessMachine machine(seed, noise);
  std::vector<Comparison> models(4);
  std::vector<double> same;
  for (int block = 0; block < 10; ++block) {
    const double baseline = machine.trial();
    same.push_back(machine.trial() / baseline);
    for (Comparison& model : models) model.ratios.push_back(effect * machine.trial() / baseline);
  }
  int clearly = 0;
  for (const Verdict& verdict : judge(models, floor_of(same, 0.05), 0.95)) {
    clearly += verdict.word == Word::clearly_more || verdict.word == Word::clearly_less;
  }
  return clearly;
}

TEST(Verdicts, NothingIsSeldomCalledSomething) {
  SCOPED_TRACE("more than one experiment in twenty finds a difference where there is none");
  for (const double noise : {0.01, 0.05, 0.2}) {
    int wrong = 0;
    for (std::uint64_t seed = 0; seed < 1000; ++seed) wrong += clearly_in_one(seed, noise, 1.0) > 0;
    EXPECT_LE(wrong, 50) << "noise " << noise;
  }
}

TEST(Verdicts, ALargeEffectIsFound) {
  SCOPED_TRACE("a fifth more, on a machine of 3 % noise, is not called clear");
  int found = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    std::vector<Comparison> one(1);
    std::vector<double> same;
    for (int block = 0; block < 10; ++block) {
      std::mt19937_64 random(seed * 1000 + static_cast<std::uint64_t>(block));
      std::normal_distribution<> noise(0, 0.03);
      same.push_back(std::exp(noise(random) - noise(random)));
      one[0].ratios.push_back(1.2 * std::exp(noise(random) - noise(random)));
    }
    found += judge(one, floor_of(same, 0.05), 0.95).front().word == Word::clearly_more;
  }
  EXPECT_GE(found, 950);
}

TEST(Verdicts, WhatItTakesToBeClearIsKnownBeforeTheRun) {
  SCOPED_TRACE("a plan promises a verdict that no outcome can give");
  EXPECT_EQ(fewest_signs(10, 1, 0.95), 9);    // 2 (1 + 10) / 1024 = 0.021
  EXPECT_EQ(fewest_signs(10, 10, 0.95), 10);  // ten times 2 / 1024
  EXPECT_EQ(fewest_signs(10, 26, 0.95), 11) << "not even all ten";
  EXPECT_EQ(fewest_signs(20, 4, 0.95), 16);
  EXPECT_EQ(fewest_signs(5, 1, 0.95), 6);
  EXPECT_EQ(fewest_signs(0, 1, 0.95), 1);
}

}  // namespace
}  // namespace iolab::lab
