#include "clients/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace iolab::clients {
namespace {

// Spread over nine decades, as latencies are: some nanoseconds to some seconds, with ties and exact powers of two.
std::vector<std::uint64_t> latencies(std::size_t how_many, unsigned seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> exponent(0, 33);
  std::vector<std::uint64_t> values{0, 1, 2047, 2048, 2049, 4095, 4096};
  while (values.size() < how_many) values.push_back(static_cast<std::uint64_t>(std::exp2(exponent(random))));
  return values;
}

std::uint64_t exact_percentile(const std::vector<std::uint64_t>& sorted, double fraction) {
  const auto rank = static_cast<std::size_t>(std::ceil(fraction * static_cast<double>(sorted.size())));
  return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
}

TEST(Histogram, PercentilesAgreeWithSortedDataToThreeDigits) {
  SCOPED_TRACE("a percentile of a report is off by more than 0.1 %, or flatters the server");
  for (unsigned seed = 1; seed <= 20; ++seed) {
    auto values = latencies(seed * 501, seed);
    Histogram histogram;
    for (const auto value : values) histogram.record(value);
    std::ranges::sort(values);
    for (const double fraction : {0.0, 0.001, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 0.9999, 1.0}) {
      const auto exact = exact_percentile(values, fraction), read = histogram.percentile(fraction);
      EXPECT_GE(read, exact) << fraction;
      EXPECT_LE(static_cast<double>(read - exact), 0.001 * static_cast<double>(exact)) << fraction;
    }
    EXPECT_EQ(histogram.min(), values.front());
    EXPECT_EQ(histogram.max(), values.back());
    EXPECT_EQ(histogram.count(), values.size());
    EXPECT_EQ(histogram.percentile(1), values.back());
  }
}

TEST(Histogram, MergingIsTheSameAsRecordingEverythingInOne) {
  SCOPED_TRACE("percentiles over threads or trials differ from those over all requests");
  Histogram one, all;
  for (unsigned part = 0; part < 5; ++part) {
    Histogram histogram;
    for (const auto value : latencies(1000, part)) {
      histogram.record(value);
      all.record(value);
    }
    one.merge(histogram);
  }
  one.merge(Histogram());
  EXPECT_EQ(one.serialise(), all.serialise());
  EXPECT_NEAR(one.mean(), all.mean(), all.mean() * 1e-9);
}

TEST(Histogram, TextReadsBackAsTheSameHistogram) {
  SCOPED_TRACE("a stored result cannot be read back, or reads back as another one");
  Histogram histogram;
  for (const auto value : latencies(3000, 7)) histogram.record(value, 1 + value % 3);
  histogram.record(Histogram::kHighest + 5);
  const auto read = Histogram::parse(histogram.serialise());
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(*read, histogram);
  const auto empty = Histogram::parse(Histogram().serialise());
  ASSERT_TRUE(empty) << empty.error();
  EXPECT_EQ(*empty, Histogram());
}

TEST(Histogram, DamagedTextIsRefusedWithTheLine) {
  SCOPED_TRACE("a damaged result file is taken for a measurement");
  Histogram histogram;
  histogram.record(15, 2);
  histogram.record(5000);
  const auto text = histogram.serialise();
  const auto replaced = [&](std::string_view from, std::string_view to) {
    auto copy = text;
    return copy.replace(copy.find(from), from.size(), to);
  };
  for (const auto& damaged : {std::string(), std::string("something else\n"), replaced("count=3", "count=4"),
                              replaced("15 2", "15 -2"), replaced("15 2", "15"), replaced("15 2", "15 2 1"),
                              replaced("15 2", "9999999999999999 2"), replaced("15 2", "6000 2"),
                              replaced("min=15", "min=70000"), text + "15 1\n", text.substr(0, text.size() - 3)}) {
    const auto read = Histogram::parse(damaged);
    ASSERT_FALSE(read) << damaged;
    EXPECT_TRUE(read.error().starts_with("line ")) << read.error();
  }
}

TEST(Histogram, WhatIsTooLargeIsClippedAndSaid) {
  SCOPED_TRACE("a latency of hours wraps around and looks small");
  Histogram histogram;
  histogram.record(~std::uint64_t{0});
  EXPECT_EQ(histogram.max(), Histogram::kHighest);
  EXPECT_EQ(histogram.percentile(0.5), Histogram::kHighest);
  EXPECT_EQ(histogram.clipped(), 1u);
  histogram.clear();
  EXPECT_EQ(histogram, Histogram());
  EXPECT_EQ(histogram.percentile(0.5), 0u);
}

TEST(Histogram, CountsUpToAValue) {
  SCOPED_TRACE("the share of sends that were punctual is wrong");
  Histogram histogram;
  for (std::uint64_t value = 1; value <= 100; ++value) histogram.record(value);
  EXPECT_EQ(histogram.count_up_to(0), 0u);
  EXPECT_EQ(histogram.count_up_to(40), 40u);
  EXPECT_EQ(histogram.count_up_to(1'000'000), 100u);
}

}  // namespace
}  // namespace iolab::clients
