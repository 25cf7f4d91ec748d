// Against values worked out by hand, as a reader with a pencil would check a report.
#include "experiments/statistics/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>

namespace iolab::lab {
namespace {

std::vector<double> one_to(int n) {
  std::vector<double> values(static_cast<std::size_t>(n));
  std::iota(values.begin(), values.end(), 1.0);
  return values;
}

TEST(Statistics, Median) {
  SCOPED_TRACE("the middle of a cell is not its middle");
  EXPECT_TRUE(std::isnan(median({})));
  EXPECT_DOUBLE_EQ(median(std::vector<double>{7}), 7);
  EXPECT_DOUBLE_EQ(median(std::vector<double>{3, 1, 2}), 2);
  EXPECT_DOUBLE_EQ(median(std::vector<double>{4, 1, 3, 2}), 2.5);
}

TEST(Statistics, IntervalOfTheMedianHasTheRanksOfTheTables) {
  SCOPED_TRACE("an interval promises 95 % and covers less");
  // 1 - 2/2^5 = 0.9375: five trials cannot do it.
  EXPECT_FALSE(median_interval(one_to(5)));
  EXPECT_FALSE(median_interval({}));
  struct Expected {
    int n, low, high;
    double coverage;
  };
  // n = 6: 1 - 2/64. n = 10: 1 - 2 (1 + 10)/1024. n = 20: 1 - 2 (1 + 20 + 190 + 1140 + 4845)/2^20.
  for (const auto& e :
       {Expected{6, 1, 6, 0.96875}, Expected{10, 2, 9, 0.978515625}, Expected{20, 6, 15, 0.9586105346679688}}) {
    const auto interval = median_interval(one_to(e.n));
    ASSERT_TRUE(interval) << e.n;
    EXPECT_EQ(interval->low_rank, e.low);
    EXPECT_EQ(interval->high_rank, e.high);
    EXPECT_DOUBLE_EQ(interval->low, e.low);
    EXPECT_DOUBLE_EQ(interval->high, e.high);
    EXPECT_NEAR(interval->coverage, e.coverage, 1e-12);
  }
}

TEST(Statistics, IntervalOfManyValuesDoesNotCollapse) {
  SCOPED_TRACE("of 5,000 slices the interval shrinks to their middle and claims to cover everything");
  const auto interval = median_interval(one_to(5000));
  ASSERT_TRUE(interval);
  // Half of 5,000, and 1.96 standard deviations of sqrt(5,000) / 2 each way.
  EXPECT_NEAR(interval->low, 2431, 3);
  EXPECT_NEAR(interval->high, 2570, 3);
  EXPECT_NEAR(interval->coverage, 0.95, 0.003);
}

TEST(Statistics, IntervalCoversTheMedianAsOftenAsItSays) {
  SCOPED_TRACE("an interval promises 95 % and covers less, on skewed data");
  std::mt19937_64 random(7);
  std::exponential_distribution<double> skewed(1.0);
  int covered = 0;
  constexpr int kRuns = 4000;
  for (int run = 0; run < kRuns; ++run) {
    std::vector<double> values(10);
    for (auto& value : values) value = skewed(random);
    const auto interval = median_interval(values);
    covered += interval->low <= std::log(2.0) && std::log(2.0) <= interval->high;
  }
  // Expected 0.9785 with a standard deviation of 0.0023 over 4,000 runs.
  EXPECT_GT(covered, kRuns * 0.965);
  EXPECT_LT(covered, kRuns * 0.992);
}

TEST(Statistics, AShareHasTheIntervalOfTheTables) {
  SCOPED_TRACE("a rate of errors is given with more certainty than so many tries can");
  const auto none = proportion(0, 60);
  EXPECT_DOUBLE_EQ(none.value, 0);
  EXPECT_DOUBLE_EQ(none.low, 0);
  EXPECT_NEAR(none.high, 0.0596, 1e-4);  // 1 - 0.025^(1/60)
  const auto all = proportion(30, 30);
  EXPECT_NEAR(all.low, 0.8843, 1e-4);
  EXPECT_DOUBLE_EQ(all.high, 1);
  const auto some = proportion(5, 10);  // the tables: 0.187, 0.813
  EXPECT_NEAR(some.low, 0.1871, 1e-4);
  EXPECT_NEAR(some.high, 0.8129, 1e-4);
}

TEST(Statistics, PercentilesNeedTenSamplesBeyondThem) {
  SCOPED_TRACE("a p99.9 of a few hundred requests is one request");
  EXPECT_TRUE(enough_for_percentile(1000, 0.99));
  EXPECT_FALSE(enough_for_percentile(999, 0.99));
  EXPECT_TRUE(enough_for_percentile(10'000, 0.999));
  EXPECT_FALSE(enough_for_percentile(9'999, 0.999));
  EXPECT_TRUE(enough_for_percentile(20, 0.5));
  EXPECT_FALSE(enough_for_percentile(19, 0.5));
}

TEST(Statistics, RatiosComeFromBlocksThatHaveBoth) {
  SCOPED_TRACE("a trial that failed is compared with another block's");
  const double missing = std::nan("");
  const std::vector<Pair> blocks{{18, 6}, {missing, 5}, {10, missing}, {8, 4}};
  EXPECT_EQ(ratios(blocks), (std::vector<double>{3, 2}));
}

TEST(Statistics, NoiseFloorIsTheFarthestEitherWay) {
  SCOPED_TRACE("0.8 of something counts as nearer than 1.25 of it");
  EXPECT_FALSE(noise_floor({}));
  EXPECT_NEAR(*noise_floor(std::vector<double>{1.02, 0.8, 1.1}), 0.25, 1e-12);
  EXPECT_NEAR(*noise_floor(std::vector<double>{1.0}), 0.0, 1e-12);
}

TEST(Statistics, DirectionNeedsEveryBlockBeyondTheNoise) {
  SCOPED_TRACE("a difference is claimed that one block contradicts, or that the A/A comparison shows as well");
  EXPECT_EQ(direction(std::vector<double>{1.3, 1.4, 1.21}, 0.2), Direction::above);
  EXPECT_EQ(direction(std::vector<double>{1.3, 1.4, 1.19}, 0.2), Direction::not_told);
  EXPECT_EQ(direction(std::vector<double>{0.8, 0.7, 0.5}, 0.2), Direction::below);
  EXPECT_EQ(direction(std::vector<double>{0.84, 0.7, 0.5}, 0.2), Direction::not_told);
  EXPECT_EQ(direction(std::vector<double>{5, 5}, 0.0), Direction::not_told);
  EXPECT_EQ(direction({}, 0.0), Direction::not_told);
}

}  // namespace
}  // namespace iolab::lab
