// Whether a story came out refuted: each case puts a known truth into a made-up run, and a border beside it.
#include "experiments/judging/refutation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/experiments/made_up_run.h"

namespace iolab::lab {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr auto kHere = "select/idle_connections=1000";

// select costs `factor` times epoll with 1,000 idle connections, and in the first round `first` times.
RunData run_with(const std::string& refuted_when, double factor, double first, int repeat = 10) {
  return make_up_run(
      repeat,
      [=](const Series& series, const Level& level, int block) {
        MadeUpTrial trial;
        const bool dear = series.id == "select" && level.workload.idle_connections == 1000;
        if (dear) trial.cpu_us_per_request = 5 * (block < 3 ? first : factor);
        trial.requests_per_s = level.workload.idle_connections == 5000 ? 500 : 100'000;
        return trial;
      },
      R"(, "refuted_when": )" + refuted_when);
}

std::string against_epoll(const std::string& border) {
  return R"({"cell": "select/idle_connections=1000", "metric": "server_cpu_us_per_request",
             "against": "epoll/idle_connections=1000", )" +
         border + "}";
}

Refuted verdict_of(const RunData& data) {
  const auto refutation = refutation_of(Results(data));
  EXPECT_TRUE(refutation);
  return refutation ? refutation->verdict : Refuted::cannot_say;
}

Sentence said_of(const RunData& data) {
  std::vector<Sentence> found;
  say_refutation(Results(data), found);
  EXPECT_EQ(found.size(), 1u);
  return found.empty() ? Sentence{} : found.front();
}

TEST(Refutation, AStoryWithoutFiguresHasNoSentence) {
  SCOPED_TRACE("a report says of a story that nobody told whether it is refuted");
  const auto data = make_up_run(10, [](const Series&, const Level&, int) { return MadeUpTrial{}; });
  EXPECT_FALSE(refutation_of(Results(data)));
  std::vector<Sentence> found;
  say_refutation(Results(data), found);
  EXPECT_TRUE(found.empty());
}

TEST(Refutation, TheWholeIntervalDecides) {
  SCOPED_TRACE("a median beyond a border is called a refutation while trials lie on both sides of it");
  const auto list = "[" + against_epoll(R"("below": 2)") + "]";
  EXPECT_EQ(verdict_of(run_with(list, 1.5, 1.5)), Refuted::yes);
  EXPECT_EQ(verdict_of(run_with(list, 3, 3)), Refuted::no);
  EXPECT_EQ(verdict_of(run_with(list, 2, 2)), Refuted::no) << "the border itself is not below it";
  EXPECT_EQ(verdict_of(run_with(list, 1.5, 3, 3)), Refuted::cannot_say) << "with 3 trials the extremes count";
  EXPECT_EQ(verdict_of(run_with(list, 1.5, 3)), Refuted::yes) << "with 10 the interval leaves one out";
}

TEST(Refutation, OfAListAllMustHoldAndOfAnyOne) {
  SCOPED_TRACE("one figure of several refutes a story that needs them all, or none does although one is enough");
  const auto holds = against_epoll(R"("above": 2)");
  const auto fails = against_epoll(R"("above": 9)");
  const auto open = R"({"cell": "epoll/idle_connections=7", "metric": "rss_mib", "above": 1})";
  const auto verdict = [&](const std::string& first, const std::string& second, bool any) {
    const auto list = "[" + first + ", " + second + "]";
    return verdict_of(run_with(any ? R"({"any": )" + list + "}" : list, 3, 3));
  };
  EXPECT_EQ(verdict(holds, fails, false), Refuted::no);
  EXPECT_EQ(verdict(holds, fails, true), Refuted::yes);
  EXPECT_EQ(verdict(holds, open, false), Refuted::cannot_say);
  EXPECT_EQ(verdict(holds, open, true), Refuted::yes);
  EXPECT_EQ(verdict(fails, open, false), Refuted::no);
  EXPECT_EQ(verdict(fails, open, true), Refuted::cannot_say);
}

TEST(Refutation, CellsOfTwoLevelsAreComparedByTheirMedians) {
  SCOPED_TRACE("a model is never compared with itself, or pairs are made of trials that never were neighbours");
  const auto data = run_with(R"([{"cell": "select/idle_connections=1000", "metric": "server_cpu_us_per_request",
                                  "against": "select/idle_connections=0", "above": 2.5}])",
                             3, 3.5);
  const Results results(data);
  const auto refutation = refutation_of(results);
  ASSERT_TRUE(refutation);
  const auto& figure = refutation->figures.at(0);
  EXPECT_NEAR(figure.found.value.value(), 3, 1e-9);
  EXPECT_NEAR(figure.found.low, 3, 1e-9);
  EXPECT_EQ(refutation->verdict, Refuted::yes);
}

TEST(Refutation, OneMetricPerAnother) {
  SCOPED_TRACE("a share of two figures of one cell is taken for the first of them");
  const auto data = run_with(R"([{"cell": "select/idle_connections=1000", "metric": "server_cpu_us_per_request",
                                  "per": "threads", "above": 4.9, "below": 5.1}])",
                             3, 3);
  EXPECT_NEAR(refutation_of(Results(data))->figures.at(0).found.value.value(), 15.0 / 3, 1e-9);
  EXPECT_EQ(verdict_of(data), Refuted::yes);
}

TEST(Refutation, TheSentenceHasFigureIntervalBorderAndCells) {
  SCOPED_TRACE("a reader is told that a story is refuted, and not by what");
  const auto data = run_with("[" + against_epoll(R"("below": 2)") + "]", 3, 3.5, 3);
  const auto sentence = said_of(data);
  EXPECT_EQ(sentence.kind, "story");
  EXPECT_EQ(sentence.text,
            "Not refuted: server CPU per request, select (1,000 idle connections) over epoll (1,000 idle connections): "
            "3.00 times (3.00 to 3.50 times; refuted if below 2.00 times).");
  EXPECT_THAT(sentence.cells, ElementsAre(kHere, "epoll/idle_connections=1000"));
  const auto refuted = said_of(run_with("[" + against_epoll(R"("above": 2)") + "]", 3, 3));
  EXPECT_THAT(refuted.text, testing::StartsWith("Refuted: "));
}

TEST(Refutation, ATrialThatDiffersIsSaidThoughTheIntervalLeavesItOut) {
  SCOPED_TRACE("a figure stands alone as if all trials gave it");
  EXPECT_THAT(said_of(run_with("[" + against_epoll(R"("below": 2)") + "]", 3, 3)).text,
              HasSubstr(": 3.00 times (refuted if below"));
  const auto data = make_up_run(
      10,
      [](const Series&, const Level&, int block) {
        MadeUpTrial trial;
        trial.calls_per_request = block == 0 ? 2 : 4;
        return trial;
      },
      R"(, "refuted_when": [{"cell": "epoll/idle_connections=0", "metric": "syscalls_per_request", "above": 9}])");
  EXPECT_THAT(said_of(data).text, HasSubstr("4.00 (10 trials, 2.00 to 4.00; refuted if above 9.00)"));
}

TEST(Refutation, OnlyTheFiguresThatDecidedAreSaidAndFewOfThem) {
  SCOPED_TRACE("a sentence of ten figures, or one whose figures speak against its verdict");
  const auto holds = against_epoll(R"("above": 2)");
  const auto fails = against_epoll(R"("above": 9)");
  EXPECT_THAT(said_of(run_with(R"({"any": [)" + fails + ", " + holds + "]}", 3, 3)).text,
              testing::AllOf(HasSubstr("above 2.00 times"), testing::Not(HasSubstr("above 9.00 times"))));
  std::string list = fails;
  for (int i = 0; i < 4; ++i) list += ", " + fails;
  EXPECT_THAT(said_of(run_with(R"({"any": [)" + list + "]}", 3, 3)).text, HasSubstr("; and 2 others likewise."));
}

TEST(Refutation, WhatIsMissingIsNamed) {
  SCOPED_TRACE("a preview that lacks a cell says that the story holds");
  const auto text = [](const std::string& entry, int repeat = 10) {
    return said_of(run_with("[" + entry + "]", 3, 3, repeat)).text;
  };
  const std::string cannot = "Whether the story is refuted, this run cannot say: ";
  EXPECT_EQ(text(R"({"cell": "epoll/idle_connections=7", "metric": "rss_mib", "above": 1})"),
            cannot + "this run has no cell epoll/idle_connections=7.");
  EXPECT_EQ(text(R"({"cell": "select/idle_connections=5000", "metric": "threads", "above": 1})"),
            cannot + "select (5,000 idle connections) was not run: FD_SETSIZE is 1024.");
  EXPECT_EQ(text(R"({"cell": "epoll/idle_connections=5000", "metric": "latency_p99_us", "above": 1})"),
            cannot + "epoll (5,000 idle connections) has too few requests for latency, 99th percentile.");
  EXPECT_EQ(text(R"({"cell": "epoll/idle_connections=0", "metric": "wait_us", "above": 1})"),
            cannot + "epoll (0 idle connections) has no CPU of one wait.");
  EXPECT_EQ(text(against_epoll(R"("above": 2)"), 1), cannot + "1 trial of select (1,000 idle connections) is too few.");
  EXPECT_EQ(text(R"({"cell": "epoll/idle_connections=0", "metric": "syscalls_per_request", "above": 9})", 1),
            "Not refuted: system calls per request, epoll (0 idle connections): 3.00 (refuted if above 9.00).")
      << "a count needs no second trial";
}

}  // namespace
}  // namespace iolab::lab
