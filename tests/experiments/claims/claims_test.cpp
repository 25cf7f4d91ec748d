// The textbook's claims: verdicts follow from figures, and the file that ships asks only for what there is.
#include "experiments/claims/claims.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

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
  }
}

}  // namespace
}  // namespace iolab::lab
