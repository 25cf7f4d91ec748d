// Prices of causes: found again where they were put in, and never negative.
#include "experiments/statistics/least_squares.h"

#include <gtest/gtest.h>

#include <cmath>

namespace iolab::lab {
namespace {

TEST(NonnegativePrices, AreFoundAgain) {
  SCOPED_TRACE("a cost is laid at the wrong cause");
  std::vector<Observation> observations;
  for (int calls = 1; calls < 6; ++calls) {
    for (int kib = 0; kib < 5; ++kib) {
      observations.push_back({{1, double(calls), double(kib * kib)}, 2 + 0.5 * calls + 0.1 * kib * kib});
    }
  }
  const auto prices = nonnegative_prices(observations);
  ASSERT_EQ(prices.size(), 3u);
  EXPECT_NEAR(prices[0], 2, 1e-3);
  EXPECT_NEAR(prices[1], 0.5, 1e-3);
  EXPECT_NEAR(prices[2], 0.1, 1e-3);
  EXPECT_NEAR(predicted(prices, observations[7]), observations[7].cost, 1e-3);
}

TEST(NonnegativePrices, ACauseThatWouldPayBackCostsNothing) {
  SCOPED_TRACE("system calls are said to save time");
  std::vector<Observation> observations;
  for (int calls = 1; calls < 10; ++calls) observations.push_back({{1, double(calls)}, 20.0 - calls});
  const auto prices = nonnegative_prices(observations);
  EXPECT_GT(prices[0], 10);
  EXPECT_EQ(prices[1], 0);
}

TEST(NonnegativePrices, NothingComesOfNothing) {
  SCOPED_TRACE("an empty run ends the program");
  EXPECT_TRUE(nonnegative_prices({}).empty());
}

}  // namespace
}  // namespace iolab::lab
