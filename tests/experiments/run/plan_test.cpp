#include "experiments/run/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

namespace iolab::lab {
namespace {

constexpr std::uint64_t kDescriptors = 20'000;

std::vector<ModelInfo> three_models() {
  return {{"select", "multiplexing", "", true, "", {}},
          {"epoll", "multiplexing", "", true, "", {}},
          {"sigio", "signal-driven", "", false, "no queued signals", {}}};
}

Spec spec_with(const std::string& more) {
  const std::string text = R"({"version": 1, "name": "plan-test", "question": "?",
    "matrix": {"workload.idle_connections": [0, 100, 5000]},
    "exclude": [{"models": ["select"], "when": "workload.idle_connections > 1000", "because": "FD_SETSIZE"}],
    "timing": {"repeat": 4}, "baseline": "epoll")" +
                           more + "}";
  auto spec = parse_spec(text, "plan-test.json", {});
  EXPECT_TRUE(spec) << (spec ? "" : to_text(spec.error().front()));
  return std::move(*spec);
}

TEST(Plan, EveryBlockHoldsEveryRunnableSeriesOnce) {
  SCOPED_TRACE("a ratio inside a block misses its partner, or a model runs more often than another");
  const Spec spec = spec_with("");
  const auto plan = make_plan(spec, three_models(), kDescriptors, 1);
  std::map<int, std::multiset<std::size_t>> series_by_block;
  std::map<int, std::set<std::size_t>> levels_by_block;
  for (const auto& trial : plan.trials) {
    series_by_block[trial.block].insert(trial.series);
    levels_by_block[trial.block].insert(trial.level);
  }
  EXPECT_EQ(series_by_block.size(), 12u);  // 3 levels, 4 rounds
  for (const auto& [block, series] : series_by_block) {
    ASSERT_EQ(levels_by_block[block].size(), 1u);
    const bool wall = spec.levels[*levels_by_block[block].begin()].workload.idle_connections > 1000;
    // select, epoll, epoll (again), sigio, ceiling
    EXPECT_EQ(series, wall ? (std::multiset<std::size_t>{1, 2, 4}) : (std::multiset<std::size_t>{0, 1, 2, 4})) << block;
  }
}

TEST(Plan, WhatAsksForMoreConnectionsThanAllowedIsARowWithItsReason) {
  SCOPED_TRACE("a borrowed laptop opens more connections than its owner allowed, or a level vanishes");
  const Spec spec = spec_with(R"(, "limits": {"connections": 116})");
  const auto plan = make_plan(spec, three_models(), kDescriptors, 1);
  for (const auto& trial : plan.trials) EXPECT_LE(spec.levels[trial.level].workload.idle_connections, 100);
  int rows = 0;
  for (const auto& entry : plan.not_run) {
    if (spec.levels[entry.level].workload.idle_connections != 5000) continue;
    EXPECT_EQ(entry.reason,
              "5,016 connections are more than limits.connections allows (116): raise it if this machine bears them");
    ++rows;
  }
  EXPECT_EQ(rows, 4);  // select, epoll, epoll (again), sigio; the ceiling leaves idle connections out
}

TEST(Plan, DuetsComeInRoundsAtTheLastLevelThatAllCanRun) {
  SCOPED_TRACE("a model is judged where another cannot run, or is missing from a round");
  const Spec spec = spec_with(R"(, "judge": {"metric": "server_cpu_us_per_request", "duets": 3})");
  const auto plan = make_plan(spec, three_models(), kDescriptors, 1);
  std::map<int, std::multiset<std::string>> rounds;
  for (const auto& duet : plan.duets) {
    EXPECT_EQ(spec.levels[duet.level].workload.idle_connections, 100);
    rounds[duet.round].insert(plan.series[duet.series].id);
  }
  ASSERT_EQ(rounds.size(), 3u);
  for (const auto& [round, series] : rounds) {
    EXPECT_EQ(series, (std::multiset<std::string>{"epoll (again)", "select"})) << "round " << round;
  }
  EXPECT_TRUE(make_plan(spec_with(""), three_models(), kDescriptors, 1).duets.empty());
}

TEST(Plan, TheLevelThatWasNamedIsJudgedOrNone) {
  SCOPED_TRACE("a level is judged that nobody fixed before the run");
  const auto judged = [](const std::string& more, std::uint64_t descriptors) {
    const Spec spec = spec_with(more + R"("judge": {"metric": "rss_mib", "at": "idle_connections=5000"})");
    const auto level = judged_level(make_plan(spec, three_models(), descriptors, 1), spec);
    return level ? spec.levels[*level].id : "none";
  };
  EXPECT_EQ(judged(", ", kDescriptors), "idle_connections=5000");
  EXPECT_EQ(judged(R"(, "focus": ["select"], )", kDescriptors), "idle_connections=5000") << "select cannot run there";
  EXPECT_EQ(judged(", ", 300), "none") << "nobody can run there";
}

TEST(Plan, DuetsSideBySideShareAGroupWithinARound) {
  SCOPED_TRACE("models of two rounds share a process, or a model misses its round");
  const Spec spec = spec_with(R"(, "variants": {"slow": {"model": "epoll", "broker": {"iolab.spin.rounds": 9}}},
    "judge": {"metric": "server_cpu_us_per_request", "duets": 3, "side_by_side": 2})");
  const auto plan = make_plan(spec, three_models(), kDescriptors, 1);
  ASSERT_EQ(plan.duets.size(), 9u);  // epoll (again), select, slow
  std::vector<std::size_t> sizes;
  for (std::size_t at = 0; at < plan.duets.size(); at += sizes.back()) {
    const auto together = group_from(plan.duets, at);
    sizes.push_back(together.size());
    for (const auto& duet : together) EXPECT_EQ(duet.round, together.front().round);
  }
  EXPECT_EQ(sizes, (std::vector<std::size_t>{2, 1, 2, 1, 2, 1}));
  const auto slow = std::ranges::find(plan.series, "slow", &Series::id);
  ASSERT_NE(slow, plan.series.end());
  EXPECT_EQ(broker_properties(*slow, spec.levels[0]), (Properties{{"iolab.spin.rounds", "9"}}));
}

TEST(Plan, AVariantMayServeWithThreadsOfItsOwn) {
  SCOPED_TRACE("two and four workers are measured, and all of them are one");
  const Spec spec = spec_with(R"(, "threads": 3, "variants": {"two": {"model": "epoll", "threads": 2}})");
  const auto plan = make_plan(spec, three_models(), kDescriptors, 1);
  const auto written = to_json(plan, spec)["series"];
  for (std::size_t at = 0; at < plan.series.size(); ++at) {
    const bool own = plan.series[at].id == "two";
    EXPECT_EQ(serving_threads(plan.series[at], spec), own ? 2 : 3) << plan.series[at].id;
    EXPECT_EQ(written[at].contains("threads"), own) << plan.series[at].id;
  }
}

TEST(Plan, WhatCannotRunIsARowWithItsReason) {
  SCOPED_TRACE("a model is missing from a report and nobody knows why");
  const auto plan = make_plan(spec_with(""), three_models(), kDescriptors, 1);
  std::map<std::string, int> reasons;
  for (const auto& entry : plan.not_run) ++reasons[entry.reason];
  EXPECT_EQ(reasons, (std::map<std::string, int>{{"FD_SETSIZE", 1}, {"no queued signals", 3}}));
}

TEST(Plan, SameSeedSameOrderOtherSeedOtherOrder) {
  SCOPED_TRACE("a run cannot be repeated in its own order, or every run has the same order");
  const Spec spec = spec_with("");
  const auto order = [&](std::uint64_t seed) {
    return to_json(make_plan(spec, three_models(), kDescriptors, seed), spec)["trials"].dump();
  };
  EXPECT_EQ(order(42), order(42));
  EXPECT_NE(order(42), order(43));
}

TEST(Plan, TheOrderOfASeedNeverChanges) {
  SCOPED_TRACE("another compiler or library runs another order under the same seed");
  const auto plan = make_plan(spec_with(R"(, "models": ["select", "epoll"])"), three_models(), kDescriptors, 7);
  std::vector<std::size_t> first;
  for (std::size_t i = 0; i < 4; ++i) first.push_back(plan.trials[i].series);
  EXPECT_EQ(std::set<std::size_t>(first.begin(), first.end()).size(), first.size());
  EXPECT_EQ(plan.trials.front().level, 1u);
  EXPECT_EQ(first, (std::vector<std::size_t>{3, 1, 0, 2}));
}

TEST(Plan, DescriptorsThatAreMissingAreNoticedBeforeAnythingRuns) {
  SCOPED_TRACE("5,000 connections fail one by one on a machine that allows 1,024 files");
  const auto plan = make_plan(spec_with(""), three_models(), 1024, 1);
  for (const auto& trial : plan.trials) EXPECT_LT(trial.level, 2u);
  int because_of_files = 0;
  for (const auto& entry : plan.not_run) because_of_files += entry.reason.find("open files") != std::string::npos;
  EXPECT_EQ(because_of_files, 4);  // select, epoll, its second entry and sigio at 5,000; a ceiling has no idle ones
}

TEST(Plan, AFilterKeepsWhatRatiosRestOn) {
  SCOPED_TRACE("a filtered run has nothing to compare with, or runs what nobody asked for, or hides what it left out");
  const Spec spec = spec_with("");
  const CellFilter filter{"^select/idle_connections=100$",
                          [](const std::string& cell) { return cell == "select/idle_connections=100"; }};
  const auto plan = make_plan(spec, three_models(), kDescriptors, 1, filter);
  std::multiset<std::string> cells;
  for (const auto& trial : plan.trials) cells.insert(cell_id(plan.series[trial.series], spec.levels[trial.level]));
  EXPECT_EQ(cells.size(), 16u);
  for (const auto* series : {"select", "epoll", "epoll (again)", "ceiling"}) {
    EXPECT_EQ(cells.count(std::string(series) + "/idle_connections=100"), 4u) << series;
  }
  EXPECT_EQ(plan.not_run.size(), 11u);
  EXPECT_EQ(plan.not_run.front().reason, "left out by --filter");
}

TEST(Plan, DurationCountsEveryTrial) {
  SCOPED_TRACE("the time that --dry-run promises is not the time that a run takes");
  const Spec spec = spec_with("");
  const auto plan = make_plan(spec, three_models(), kDescriptors, 1);
  EXPECT_GE(expected_duration(spec, plan),
            (spec.timing.warmup + spec.timing.measure) * static_cast<int>(plan.trials.size()));
}

}  // namespace
}  // namespace iolab::lab
