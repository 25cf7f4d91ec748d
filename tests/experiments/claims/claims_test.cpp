// The textbook's claims: verdicts follow from figures, and the file that ships asks only for what there is.
#include "experiments/claims/claims.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "experiments/claims/claims_page.h"
#include "experiments/claims/figures.h"
#include "tests/experiments/made_up_run.h"

namespace iolab::lab {
namespace {

using testing::HasSubstr;

std::string claim_text(const std::string& more) {
  return R"({"version": 1, "claims": [{"id": "X1", "group": "phases", "kind": ["measured"], "experiment": "made-up",
    "claim": {"en": "It is so.", "zh": "就是这样。"}, "test": {"en": "Look.", "zh": "看。"})" +
         more + "}]}";
}

// select takes 8 us, epoll 5 at every level.
RunData a_run() {
  return make_up_run(6, [](const Series& series, const Level&, int) {
    MadeUpTrial trial;
    trial.cpu_us_per_request = series.model == "select" ? 8 : 5;
    return trial;
  });
}

Ruling ruling_of(const std::string& more) {
  const auto data = a_run();
  const Results results(data);
  const auto claims = parse_claims(claim_text(more));
  EXPECT_TRUE(claims) << claims.error();
  return judge(claims->front(), [&](const std::string& run) { return run == "made-up" ? &results : nullptr; }).ruling;
}

const std::string kDearer = R"({"run": "made-up", "cell": "select/idle_connections=0",
  "against": "epoll/idle_connections=0", "metric": "server_cpu_us_per_request", "above": 1.5})";
const std::string kMuchDearer = R"({"run": "made-up", "cell": "select/idle_connections=0",
  "against": "epoll/idle_connections=0", "metric": "server_cpu_us_per_request", "above": 3})";
const std::string kNowhere = R"({"run": "another", "cell": "select/idle_connections=0",
  "metric": "server_cpu_us_per_request", "above": 1})";
const std::string kOnlyIf = R"(, "only_if": {"en": "few", "zh": "少"})";

TEST(Claims, TheVerdictFollowsFromTheFigures) {
  SCOPED_TRACE("a claim is called supported by figures that refute it");
  EXPECT_EQ(ruling_of(R"(, "checks": [)" + kDearer + "]"), Ruling::supported);
  EXPECT_EQ(ruling_of(R"(, "checks": [)" + kMuchDearer + "]"), Ruling::contradicted);
  EXPECT_EQ(ruling_of(R"(, "checks": [)" + kDearer + R"(], "limits": [)" + kDearer + "]" + kOnlyIf), Ruling::only_if);
  EXPECT_EQ(ruling_of(R"(, "checks": [)" + kDearer + R"(], "limits": [)" + kMuchDearer + "]" + kOnlyIf),
            Ruling::supported);
}

TEST(Claims, WhatIsMissingIsSaid) {
  SCOPED_TRACE("a claim has a verdict although a figure of it is missing");
  EXPECT_EQ(ruling_of(R"(, "checks": [)" + kDearer + "," + kNowhere + "]"), Ruling::cannot_say);
  EXPECT_EQ(ruling_of(""), Ruling::cannot_say);
  const auto claims = parse_claims(claim_text(R"(, "checks": [)" + kNowhere + "]"));
  ASSERT_TRUE(claims);
  const auto judged = judge(claims->front(), [](const std::string&) { return nullptr; });
  EXPECT_THAT(judged.why, HasSubstr("there is no run of another"));
}

// select takes 4 us in one block and 12 in the next, epoll 5: no border between 0.8 and 2.4 can be told from.
RunData a_noisy_run() {
  return make_up_run(6, [](const Series& series, const Level&, int block) {
    MadeUpTrial trial;
    if (series.model == "select") trial.cpu_us_per_request = block % 2 == 0 ? 4 : 12;
    return trial;
  });
}

Judged judged_by(const std::string& more, const Results& results) {
  static std::vector<Claim> claims;  // Judged refers to them
  claims = parse_claims(claim_text(more)).value();
  return judge(claims.front(), [&](const std::string& run) { return run == "made-up" ? &results : nullptr; });
}

TEST(Claims, ABorderInsideTheIntervalDecidesNothing) {
  SCOPED_TRACE("chance decides about a claim");
  const auto data = a_noisy_run();
  const Results results(data);
  const auto judged = judged_by(R"(, "checks": [)" + kDearer + "]", results);
  EXPECT_EQ(judged.ruling, Ruling::cannot_say);
  EXPECT_EQ(judged.checks.front().standing, Standing::open);
  EXPECT_THAT(judged.why, HasSubstr("on both sides of the border"));
  EXPECT_EQ(judged_by(R"(, "checks": [)" + kMuchDearer + "]", results).ruling, Ruling::contradicted)
      << "the whole interval lies below 3";
}

TEST(Claims, ARatioOfTwoLevelsReachesAsFarAsBothMayBeWrong) {
  SCOPED_TRACE("cells that share no block are compared as if they did");
  const auto data = a_noisy_run();
  const Results results(data);
  const auto judged = judged_by(R"(, "checks": [{"run": "made-up", "cell": "select/idle_connections=1000",
    "against": "select/idle_connections=0", "metric": "server_cpu_us_per_request", "above": 0.5}])",
                                results);
  const auto& figure = judged.checks.front();
  EXPECT_EQ(figure.found.of, "medians");
  EXPECT_NEAR(figure.found.low, 4.0 / 12, 0.01);
  EXPECT_NEAR(figure.found.high, 3, 0.01);
  EXPECT_EQ(judged.ruling, Ruling::cannot_say);
}

TEST(Claims, OneTrialIsAnAnecdote) {
  SCOPED_TRACE("a claim is supported by one trial, which for a story would be too few");
  const auto data = make_up_run(1, [](const Series& series, const Level&, int) {
    MadeUpTrial trial;
    trial.cpu_us_per_request = series.model == "select" ? 8 : 5;
    return trial;
  });
  const Results results(data);
  const auto judged = judged_by(R"(, "checks": [)" + kDearer + "]", results);
  EXPECT_EQ(judged.ruling, Ruling::cannot_say);
  EXPECT_EQ(judged.why, "1 trial of select/idle_connections=0 is too few");
  const auto counted = judged_by(R"(, "checks": [{"run": "made-up", "cell": "select/idle_connections=0",
    "metric": "syscalls_per_request", "above": 2}])",
                                 results);
  EXPECT_EQ(counted.ruling, Ruling::supported) << "a count needs no second trial";
  EXPECT_THAT(figure_text(results.words(), counted.checks.front()), HasSubstr("(1 trial, all alike)"));
}

TEST(Claims, AllAlikeIsSaidOfTrialsAndNotOfTheEndsOfAnInterval) {
  SCOPED_TRACE("nine trials of 4 and one of 2 are called all alike");
  const auto text_with = [](double first) {
    const auto data = make_up_run(10, [first](const Series&, const Level&, int block) {
      MadeUpTrial trial;
      trial.calls_per_request = block == 0 ? first : 4;
      return trial;
    });
    const Results results(data);
    const auto judged = judged_by(R"(, "checks": [{"run": "made-up", "cell": "select/idle_connections=0",
      "metric": "syscalls_per_request", "above": 1}])",
                                  results);
    return figure_text(results.words(), judged.checks.front());
  };
  EXPECT_THAT(text_with(2), HasSubstr("4.00 (10 trials, 2.00 to 4.00)"));
  EXPECT_THAT(text_with(4), HasSubstr("4.00 (10 trials, all alike)"));
}

TEST(Claims, ThePageLeadsToTheTrials) {
  SCOPED_TRACE("a verdict cannot be followed to what was measured");
  auto data = a_run();
  data.command = "iolab run made-up --set timing.repeat=6";
  const Results results(data);
  const auto judged = judged_by(R"(, "expected": "contradicted", "checks": [)" + kDearer + "]", results);
  const auto page = claims_page(Words::in(Language::english), {judged}, {{"made-up", "../made-up", &results}});
  const auto& claim = page["claims"][0];
  EXPECT_EQ(claim["surprise"], true);
  EXPECT_EQ(claim["commands"][0], "iolab run made-up --set timing.repeat=6") << "as it was made";
  const auto& sources = claim["checks"][0]["trials"];
  ASSERT_EQ(sources.size(), 2u) << "both cells of the ratio";
  EXPECT_EQ(sources[0]["values"].size(), 6u);
  EXPECT_EQ(sources[0]["values"][0], "8.00");
  EXPECT_EQ(page["runs"][0]["report"], "../made-up/report.html");
  EXPECT_THAT(claims_summary({judged}), HasSubstr("| X1 | It is so. | contradicted | supported |"));
}

TEST(Claims, HistoryIsCitedWithItsFigures) {
  SCOPED_TRACE("history is called supported because something runs today");
  auto text = claim_text(R"(, "checks": [)" + kDearer + "]");
  text.replace(text.find("measured"), 8, "historical");
  const auto claims = parse_claims(text);
  ASSERT_TRUE(claims);
  const auto data = a_run();
  const Results results(data);
  const auto judged = judge(claims->front(), [&](const std::string&) { return &results; });
  EXPECT_EQ(judged.ruling, Ruling::historical);
  EXPECT_TRUE(judged.checks.front().found.value);
}

TEST(Claims, DefinitionsAndHistoryHaveNoVerdict) {
  SCOPED_TRACE("a definition is called supported");
  auto text = claim_text("");
  text.replace(text.find("measured"), 8, "definitional");
  const auto claims = parse_claims(text);
  ASSERT_TRUE(claims);
  EXPECT_EQ(judge(claims->front(), [](const std::string&) { return nullptr; }).ruling, Ruling::definitional);
}

TEST(Claims, AWrongFileIsASentence) {
  SCOPED_TRACE("a typing error in claims.json is a check that nobody makes");
  EXPECT_THAT(
      parse_claims(claim_text(R"(, "checks": [{"run": "x", "cell": "y", "metric": "nonsense", "above": 1}])")).error(),
      HasSubstr("X1: there is no metric"));
  EXPECT_THAT(parse_claims(claim_text(R"(, "checks": [{"run": "x", "cell": "y", "metric": "threads"}])")).error(),
              HasSubstr("no border"));
  EXPECT_THAT(parse_claims(claim_text(R"(, "checks": [)" + kDearer + R"(], "limits": [)" + kDearer + "]")).error(),
              HasSubstr("only_if"));
}

TEST(Claims, TheFileThatShipsAsksForExperimentsThatShip) {
  SCOPED_TRACE("a claim waits for ever for a run that nobody can make");
  std::ifstream file(IOLAB_SOURCE_DIR "/experiments/claims.json");
  std::stringstream text;
  text << file.rdbuf();
  const auto claims = parse_claims(text.str());
  ASSERT_TRUE(claims) << claims.error();
  EXPECT_GE(claims->size(), 40u);
  for (const auto& run : runs_needed(*claims)) {
    EXPECT_TRUE(std::ifstream(std::string(IOLAB_SOURCE_DIR "/experiments/") + run + ".json").good()) << run;
  }
  std::set<std::string> ids;
  for (const auto& claim : *claims) {
    EXPECT_TRUE(ids.insert(claim.id).second) << claim.id;
    EXPECT_FALSE(claim.claim.zh.empty()) << claim.id;
    EXPECT_FALSE(claim.test.zh.empty()) << claim.id;
    EXPECT_FALSE(claim.source.empty()) << claim.id;
    if (claim.checks.empty() && claim.is("measured") && claim.kinds.size() == 1) {
      EXPECT_FALSE(claim.why.zh.empty()) << claim.id << ": nobody says what it waits for";
    }
  }
}

}  // namespace
}  // namespace iolab::lab
