// Bounds against figures worked out by hand: a bound that is not one, or a limit of the wrong name, fails here.
#include "experiments/judging/limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "experiments/report/limits_report.h"
#include "experiments/report/report.h"
#include "tests/experiments/made_up_run.h"

namespace iolab::lab {
namespace {

using testing::HasSubstr;

std::vector<Ceiling> some_ceilings() {
  return {{.id = "null_syscall", .label = "", .unit = "ns", .value = 110, .low = 100, .high = 130},
          {.id = "switch", .label = "", .unit = "us", .value = 0.5, .low = 0.4, .high = 0.6},
          {.id = "wake_up", .label = "", .unit = "us", .value = 30, .low = 25, .high = 40},
          {.id = "loopback", .label = "", .unit = "MB/s", .value = 3000, .low = 2000, .high = 4000},
          {.id = "memcpy_cached", .label = "", .unit = "MB/s", .value = 90'000, .low = 80'000, .high = 100'000},
          {.id = "append", .label = "", .unit = "MB/s", .value = 3000, .low = 2900, .high = 4096},
          {.id = "fdatasync", .label = "", .unit = "us", .value = 250, .low = 200, .high = 300}};
}

// 1,000 requests in one second: 3 calls each, 100,000 bytes in and none out, a sleep for every second request.
TrialRecord some_trial() {
  TrialRecord trial;
  trial.model = "epoll";
  trial.load.duration_s = 1;
  trial.load.requests = 1000;
  trial.load.requests_per_s = 1000;
  trial.server.cpu_s = 0.1;
  trial.server.threads = 3;
  trial.server.calls = {{"recv", 1000}, {"send", 1000}, {"epoll_wait", 1000}, {"aio_read", 500}};
  trial.server.counts = {{"requests", 1000}, {"bytes_received", 100'000'000}};
  trial.server.voluntary_switches = 1000;
  trial.server.switches_requests = 2000;
  return trial;
}

double us_of(const std::vector<CostPart>& parts, std::string_view id) {
  const auto found = std::ranges::find(parts, id, &CostPart::id);
  return found == parts.end() ? -1 : found->us;
}

TEST(Limits, TheLeastCostIsWhatWasCountedAtTheBestPrice) {
  SCOPED_TRACE("a price is not the cheapest one, or a library's call is billed as an entry of the kernel");
  const auto parts = least_cost(some_trial(), {}, some_ceilings());
  EXPECT_NEAR(us_of(parts, "calls"), 3 * 0.1, 1e-9);
  EXPECT_NEAR(us_of(parts, "copies"), 100'000 / 100'000.0, 1e-9);  // bytes / (bytes per us)
  EXPECT_NEAR(us_of(parts, "sleeps"), 0.5 * 0.4, 1e-9);
  EXPECT_EQ(us_of(parts, "appends"), -1);
  EXPECT_TRUE(least_cost(some_trial(), {}, {}).empty());
}

TEST(Limits, SmallAppendsArePricedByTheBlockAndLargeOnesByTheCopy) {
  SCOPED_TRACE("a large write is billed at the price of small ones, which is no lower bound");
  auto trial = some_trial();
  trial.server.calls["pwrite"] = 1000;
  trial.load.payload_bytes = 1000 * 8192;  // half a block of 16 KiB each
  auto parts = least_cost(trial, {}, some_ceilings());
  // A block takes 16,384 / 4,096 = 4 us, of which 0.1 us are the entry: half of 3.9 us.
  EXPECT_NEAR(us_of(parts, "appends"), 1.95, 1e-9);
  EXPECT_NEAR(us_of(parts, "copies"), 1, 1e-9);
  trial.load.payload_bytes = 1000 * 100'000;
  parts = least_cost(trial, {}, some_ceilings());
  EXPECT_EQ(us_of(parts, "appends"), -1);
  EXPECT_NEAR(us_of(parts, "copies"), 2, 1e-9);
}

TEST(Limits, EveryResourceHasItsShare) {
  SCOPED_TRACE("the binding limit has the wrong name");
  auto trial = some_trial();
  trial.server.calls["fdatasync"] = 1000;
  trial.load.cpu_share = 0.3;
  std::map<std::string, double> shares;
  for (const auto& limit : rate_limits(trial, {}, some_ceilings(), 4000)) {
    shares[std::string(limit.id)] = limit.share();
  }
  EXPECT_NEAR(shares.at("server-cpu"), 0.1, 1e-9);
  EXPECT_NEAR(shares.at("client-cpu"), 0.3, 1e-9);
  EXPECT_NEAR(shares.at("client"), 0.25, 1e-9);
  EXPECT_NEAR(shares.at("loopback"), 100.0 / 4000, 1e-9);
  EXPECT_NEAR(shares.at("fdatasync"), 1000 * 200e-6, 1e-9);
  EXPECT_NEAR(shares.at("wake-up"), 500 * 25e-6, 1e-9);  // one thread that may sleep
  EXPECT_EQ(shares.count("append"), 0u);
}

RunData run_with_ceilings() {
  auto data = make_up_run(6, [](const Series&, const Level&, int) { return MadeUpTrial{.cpu_us_per_request = 5}; });
  data.sessions.resize(1);
  data.sessions[0].ceilings_before = data.ceilings_before = some_ceilings();
  return data;
}

TEST(Limits, ACellIsMeasuredAgainstTheCeilingsNearestInTime) {
  SCOPED_TRACE("a fast minute's figure is held against a slow minute's yardstick");
  auto data = run_with_ceilings();
  auto later = some_ceilings();
  later[0].low = 200;
  data.sessions[0].ceilings_between = {{data.trials.back().index - 1, 0, later}};
  EXPECT_EQ(nearest_ceilings(data, data.trials.front())[0].low, 100);
  EXPECT_EQ(nearest_ceilings(data, data.trials.back())[0].low, 200);
}

TEST(Limits, AreShownAsATableAndTwoCharts) {
  SCOPED_TRACE("the bounds are computed and nobody sees them");
  const auto data = run_with_ceilings();
  const Results results(data);
  const auto close = closeness_of(results, results.cell(*results.find_series("epoll"), 0));
  ASSERT_TRUE(close.of_cost);
  EXPECT_NEAR(close.of_cost->value, 0.3 / 5, 1e-6);
  EXPECT_TRUE(close.of_cost->low);
  EXPECT_EQ(close.largest_part, "calls");
  EXPECT_EQ(limits_table(results).rows.size(), 11u);
  const auto report = make_report(results, nlohmann::ordered_json::array());
  std::vector<std::string> charts;
  for (const auto& chart : report["charts"]) charts.push_back(chart["id"]);
  EXPECT_THAT(charts, testing::IsSupersetOf({"limits", "least-cost"}));
}

TEST(Limits, WhatBeatsItsBoundSaysThatTheCeilingWasUnderestimated) {
  SCOPED_TRACE("a report claims more than 100 % of a limit, or hides it");
  auto data = run_with_ceilings();
  for (auto& trial : data.trials) trial.server.cpu_s /= 100;
  const Results results(data);
  const auto report = make_report(results, nlohmann::ordered_json::array());
  EXPECT_THAT(report["notes"].dump(),
              HasSubstr("epoll with 0 idle connections, least CPU/req: ceiling underestimated: 0.050 us measured, "
                        "0.300 us at least."));
  for (const auto& chart : report["charts"]) {
    if (chart["id"] != "least-cost") continue;
    for (const auto& bar : chart["panels"][0]["bars"]) {
      EXPECT_LE(bar["value"], 100);
      EXPECT_EQ(bar["text"], "ceiling underestimated");
    }
  }
}

// What the chart of limits shows of each model, over all of its panels.
std::vector<std::pair<std::string, nlohmann::ordered_json>> bars_of_limits(const nlohmann::ordered_json& report) {
  std::vector<std::pair<std::string, nlohmann::ordered_json>> bars;
  for (const auto& chart : report["charts"]) {
    if (chart["id"] != "limits") continue;
    for (const auto& panel : chart["panels"]) {
      for (const auto& bar : panel["bars"]) bars.emplace_back(bar["series"], bar);
    }
  }
  return bars;
}

std::string title_of_limits(const nlohmann::ordered_json& report) {
  for (const auto& chart : report["charts"]) {
    if (chart["id"] == "limits") return chart["title"];
  }
  return "";
}

TEST(Limits, ARateBeyondItsLimitSaysSoInItsChart) {
  SCOPED_TRACE("a bar shows twice of what a CPU has, or the model that it belongs to is called closest to its limit");
  auto data = run_with_ceilings();
  for (auto& trial : data.trials) {
    if (trial.series == "epoll") trial.server.cpu_s *= 4;  // two seconds of CPU in every second
  }
  const auto report = make_report(Results(data), nlohmann::ordered_json::array());
  EXPECT_THAT(report["notes"].dump(),
              HasSubstr("epoll with 0 idle connections, the server's CPU: ceiling underestimated: 2.00 CPU s/s "
                        "reached, 1.00 measured at most."));
  int beyond = 0;
  int within = 0;
  for (const auto& [series, bar] : bars_of_limits(report)) {
    if (bar["value"].is_null()) continue;  // it cannot run there
    EXPECT_LE(bar["value"], 100) << series;
    const bool says_so = bar["text"] == "ceiling underestimated";
    EXPECT_EQ(says_so, series == "epoll") << bar;
    ++(says_so ? beyond : within);
  }
  EXPECT_GE(beyond, 2);  // both panels
  EXPECT_GE(within, 2);
  EXPECT_THAT(title_of_limits(report), HasSubstr("Closest to a limit: "));
  EXPECT_THAT(title_of_limits(report), testing::Not(HasSubstr("epoll")));
}

TEST(Limits, WhereEveryRateIsBeyondItsLimitNoneIsCalledClosest) {
  SCOPED_TRACE("a title names a model and a limit, and the limit is wrong for all of them");
  auto data = run_with_ceilings();
  for (auto& trial : data.trials) trial.server.cpu_s *= 4;
  const auto report = make_report(Results(data), nlohmann::ordered_json::array());
  EXPECT_THAT(title_of_limits(report), HasSubstr("the ceilings were underestimated"));
}

}  // namespace
}  // namespace iolab::lab
