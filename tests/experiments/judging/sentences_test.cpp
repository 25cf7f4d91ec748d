// What may be said, and what may not: each case puts a known truth into a made-up run and reads the sentences.
#include "experiments/judging/sentences.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/experiments/made_up_run.h"

namespace iolab::lab {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string all(const std::vector<Sentence>& sentences) {
  std::string text;
  for (const auto& sentence : sentences) text += "[" + sentence.kind + "] " + sentence.text + "\n";
  return text;
}

std::string found_in(const RunData& data) {
  return all(what_was_found(Results(data)));
}

// epoll differs from itself by up to 4 %; select costs `factor` times as much with 1,000 idle connections.
RunData run_with(double factor, int repeat = 3) {
  return make_up_run(repeat, [=](const Series& series, const Level& level, int block) {
    MadeUpTrial trial;
    trial.cpu_us_per_request = 5;
    if (series.role == Role::again) trial.cpu_us_per_request = block % 2 == 0 ? 5.2 : 4.9;
    if (series.id == "select" && level.workload.idle_connections == 1000) trial.cpu_us_per_request = 5 * factor;
    trial.calls_per_request = series.id == "blocking" ? 2 : 3;
    return trial;
  });
}

TEST(Sentences, ALargeDifferenceInEveryBlockIsSaid) {
  SCOPED_TRACE("select costs four times as much and the report does not say so");
  const auto text = found_in(run_with(4));
  EXPECT_THAT(text, HasSubstr("select against epoll, server CPU per request: 4.00 times with 1,000 idle connections."));
  EXPECT_THAT(text, HasSubstr("select and epoll cannot be told apart with 0 idle connections (1.00 times)"));
}

TEST(Sentences, ADifferenceWithinTheNoiseIsNotClaimed) {
  SCOPED_TRACE("a difference is claimed that epoll shows against itself");
  const auto text = found_in(run_with(1.03));
  EXPECT_THAT(text,
              HasSubstr("cannot be told apart with 0 idle connections (1.00 times) and with 1,000 idle connections"));
  EXPECT_THAT(text, Not(HasSubstr("select against epoll")));
  EXPECT_THAT(text, HasSubstr("[noise] The same model entered twice (epoll) differed by up to 4.0 %"));
}

TEST(Sentences, OneContradictingBlockIsEnoughToSayNothing) {
  SCOPED_TRACE("a difference is claimed that one of the blocks contradicts");
  const auto data = make_up_run(5, [](const Series& series, const Level&, int block) {
    MadeUpTrial trial;
    if (series.id == "select") trial.cpu_us_per_request = block == 0 ? 4 : 9;
    return trial;
  });
  const Results results(data);
  EXPECT_EQ(direction(results.block_ratios(*results.find_series("select"), *results.baseline(), 0,
                                           "server_cpu_us_per_request"),
                      0.05),
            Direction::not_told);
  EXPECT_THAT(found_in(data), Not(HasSubstr("select against epoll, server CPU per request: 0")));
}

TEST(Sentences, WhatIsZeroHasNoRatio) {
  SCOPED_TRACE("ten trials of a model that needs nothing are called too few");
  const auto text = found_in(make_up_run(10, [](const Series&, const Level&, int) {
    MadeUpTrial trial;
    trial.cpu_us_per_request = 0;
    return trial;
  }));
  EXPECT_THAT(text, HasSubstr("No ratio of server CPU per request to epoll can be formed"));
  EXPECT_THAT(text, Not(HasSubstr("Too few pairs")));
}

TEST(Sentences, TwoTrialsAreNoComparison) {
  SCOPED_TRACE("two trials are enough for a claim");
  const auto text = found_in(run_with(4, 1));
  EXPECT_THAT(text, Not(HasSubstr("against epoll")));
}

TEST(Sentences, CountsComeFirst) {
  SCOPED_TRACE("a time that needs statistics stands above a count that needs none");
  const auto sentences = what_was_found(Results(run_with(4)));
  ASSERT_FALSE(sentences.empty());
  EXPECT_EQ(sentences.front().kind, "exact");
  EXPECT_EQ(sentences.front().text,
            "System calls per request with 0 idle connections: 2.00 in blocking; 3.00 in select and epoll.");
  bool times_seen = false;
  for (const auto& sentence : sentences) {
    EXPECT_FALSE(times_seen && sentence.kind == "exact");
    times_seen = times_seen || sentence.kind == "measured";
  }
}

TEST(Sentences, WhatDidNotRunIsSaidWithItsReason) {
  SCOPED_TRACE("a line of a chart ends and nobody knows why");
  EXPECT_THAT(found_in(run_with(4)),
              HasSubstr("[not-run] Not run: select with 5,000 idle connections: FD_SETSIZE is 1024."));
}

TEST(Sentences, NobodyWins) {
  SCOPED_TRACE("a report ranks");
  auto data = run_with(4);
  const auto text = found_in(data) + all(what_to_know(Results(data)));
  for (const auto* word : {"winner", "wins", "best", "fastest", "beats", "significant", "proves"}) {
    EXPECT_THAT(text, Not(HasSubstr(word)));
  }
}

TEST(Sentences, EverySentenceOfAMeasurementNamesItsCells) {
  SCOPED_TRACE("a claim cannot be traced to its figures");
  const auto data = run_with(4);
  const Results results(data);
  for (const auto& sentence : what_was_found(results)) {
    const bool claim = sentence.kind == "measured" || sentence.kind == "exact";
    EXPECT_TRUE(!claim || !sentence.cells.empty()) << sentence.text;
    EXPECT_TRUE(sentence.text.ends_with('.') || sentence.kind == "preview") << sentence.text;
  }
}

TEST(Sentences, EqualModelsAreRarelyCalledDifferent) {
  SCOPED_TRACE("on a noisy machine equal models are called different");
  int claims = 0;
  constexpr int kRuns = 200;
  for (unsigned run = 0; run < kRuns; ++run) {
    std::mt19937_64 random(run);
    std::lognormal_distribution<double> noise(0, 0.1);
    const auto data = make_up_run(
        3, [&](const Series&, const Level&, int) { return MadeUpTrial{.cpu_us_per_request = 5 * noise(random)}; });
    const Results results(data);
    const auto floor = results.noise("server_cpu_us_per_request");
    const auto ratios =
        results.block_ratios(*results.find_series("select"), *results.baseline(), 0, "server_cpu_us_per_request");
    claims += direction(ratios, *floor) != Direction::not_told;
  }
  // All three blocks beyond the farthest of nine A/A ratios, all on one side: far below one in fifty.
  EXPECT_LE(claims, kRuns / 50);
}

}  // namespace
}  // namespace iolab::lab
