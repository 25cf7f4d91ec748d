#include "experiments/judging/results.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "experiments/report/charts.h"
#include "experiments/report/report.h"
#include "experiments/report/sheets.h"
#include "tests/experiments/made_up_run.h"

namespace iolab::lab {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::size_t index_of(const Results& results, const char* series) {
  return *results.find_series(series);
}

TEST(Results, MediansIntervalsAndCountsOfACell) {
  SCOPED_TRACE("a figure of a report is not the one that was measured");
  const auto data = make_up_run(10, [](const Series& series, const Level&, int block) {
    MadeUpTrial trial;
    trial.cpu_us_per_request = 5 + block / 3;  // rounds 0 to 9 give 5 to 14
    trial.calls_per_request = series.id == "blocking" ? 2 : 3;
    return trial;
  });
  const Results results(data);
  const auto& cell = results.cell(index_of(results, "epoll"), 0);
  EXPECT_EQ(cell.status, CellStatus::ok);
  const auto& cpu = cell.metrics.find("server_cpu_us_per_request")->second;
  EXPECT_NEAR(*cpu.value, 9.5, 1e-9);
  EXPECT_NEAR(*cpu.low, 6, 1e-9);    // 2nd of 10
  EXPECT_NEAR(*cpu.high, 13, 1e-9);  // 9th of 10
  EXPECT_EQ(cpu.quality, Quality::ok);
  EXPECT_NEAR(*cell.median_of("syscalls_per_request"), 3, 1e-9);
  EXPECT_NEAR(*results.cell(index_of(results, "blocking"), 0).median_of("syscalls_per_request"), 2, 1e-9);
  EXPECT_THAT(cell.calls_per_request.front().first, testing::AnyOf("recv", "send", "epoll_wait"));
}

TEST(Results, FewTrialsHaveNoInterval) {
  SCOPED_TRACE("three trials are given an interval that they cannot support");
  const auto data = make_up_run(3, [](const Series&, const Level&, int) { return MadeUpTrial{}; });
  const Results results(data);
  const auto& value = results.cell(0, 0).metrics.find("server_cpu_us_per_request")->second;
  EXPECT_TRUE(value.value);
  EXPECT_FALSE(value.low);
  EXPECT_EQ(value.quality, Quality::preview);
  EXPECT_EQ(value.values.size(), 3u);
}

TEST(Results, PercentilesOfTooFewRequestsAreNotShown) {
  SCOPED_TRACE("a p99.9 is printed that one single request decided");
  const auto data = make_up_run(3, [](const Series&, const Level&, int block) {
    MadeUpTrial trial;
    trial.requests_per_s = block == 0 ? 5'000 : 50'000;
    return trial;
  });
  const Results results(data);
  const auto& cell = results.cell(0, 0);
  EXPECT_EQ(cell.metrics.find("latency_p99_9_us")->second.quality, Quality::too_few);
  EXPECT_FALSE(cell.median_of("latency_p99_9_us"));
  EXPECT_TRUE(cell.median_of("latency_p99_us"));
}

TEST(Results, FailedTrialsAreNamedAndNotCounted) {
  SCOPED_TRACE("the times of a trial that lost answers are averaged in");
  const auto data = make_up_run(3, [](const Series& series, const Level& level, int block) {
    MadeUpTrial trial;
    trial.ok = !(series.id == "blocking" && level.workload.idle_connections == 5000 && block < 3);
    if (!trial.ok) trial = {.cpu_us_per_request = 1000, .ok = false, .reason = "no thread left"};
    return trial;
  });
  const Results results(data);
  const auto& cell = results.cell(index_of(results, "blocking"), 2);
  EXPECT_EQ(cell.status, CellStatus::partial);
  EXPECT_EQ(cell.trials.size(), 2u);
  EXPECT_NEAR(*cell.median_of("server_cpu_us_per_request"), 5, 1e-9);
  EXPECT_EQ(cell.reason, "1 of 3 trials failed: no thread left");
  EXPECT_EQ(results.failed_trials(), 1);
}

TEST(Results, RatiosPairTrialsOfOneBlock) {
  SCOPED_TRACE("a fast minute of one model is compared with a slow minute of another");
  // The machine's speed changes threefold from block to block; inside a block select costs exactly twice epoll.
  const auto data = make_up_run(4, [](const Series& series, const Level&, int block) {
    MadeUpTrial trial;
    trial.cpu_us_per_request = (1 + block % 3) * (series.id == "select" ? 10.0 : 5.0);
    return trial;
  });
  const Results results(data);
  const auto ratios =
      results.block_ratios(index_of(results, "select"), index_of(results, "epoll"), 0, "server_cpu_us_per_request");
  EXPECT_THAT(ratios, ElementsAre(2, 2, 2, 2));
  EXPECT_NEAR(*results.noise("server_cpu_us_per_request"), 0, 1e-12);
}

TEST(Results, CellsNearTheClientsCeilingAreMarked) {
  SCOPED_TRACE("a figure that the client decided is read as the server's");
  const auto data = make_up_run(3, [](const Series& series, const Level& level, int) {
    MadeUpTrial trial;
    if (series.role == Role::ceiling) trial.requests_per_s = level.workload.idle_connections == 0 ? 120'000 : 300'000;
    return trial;
  });
  const Results results(data);
  EXPECT_THAT(results.cell(index_of(results, "epoll"), 0).marks, ElementsAre("client-limited"));
  EXPECT_TRUE(results.cell(index_of(results, "epoll"), 1).marks.empty());
}

TEST(Report, HoldsEveryCellAndEveryReason) {
  SCOPED_TRACE("a cell is missing from the report, or a gap has no reason");
  const auto data = make_up_run(3, [](const Series&, const Level&, int) { return MadeUpTrial{}; });
  const Results results(data);
  const auto report = make_report(results, nlohmann::ordered_json::array());
  EXPECT_EQ(report["schema"], "iolab-results-1");
  EXPECT_EQ(report["cells"].size(), 15u);  // 5 series, 3 levels
  for (const auto& cell : report["cells"]) {
    EXPECT_EQ(cell["status"] == "ok", cell["reason"] == "") << cell["id"];
  }
  for (const auto& chart : report["charts"]) {
    EXPECT_FALSE(chart["title"].get<std::string>().empty());
    if (chart["kind"] != "map") {
      EXPECT_FALSE(chart["x"]["ticks"].empty());
    }
  }
  const auto parsed = nlohmann::json::parse(report.dump());  // no NaN, no broken UTF-8
  EXPECT_EQ(parsed["run"]["trials_planned"], data.plan.trials.size());
}

TEST(Results, NoRatioCrossesTheBorderBetweenTwoSessions) {
  SCOPED_TRACE("what was measured before a restart of the machine is divided by what was measured after it");
  auto data = make_up_run(10, [](const Series&, const Level&, int) { return MadeUpTrial{}; });
  // The border divides a block: its first trial was made before, all others of the run after.
  const int first_of_block = data.plan.trials[data.plan.trials.size() / 2].block;
  bool after = false;
  for (auto& trial : data.trials) {
    trial.session = after ? 1 : 0;
    after = after || trial.block == first_of_block;
  }
  const auto border = std::ranges::find(data.trials, first_of_block, &TrialRecord::block);
  const Results results(data);
  const auto baseline = *results.baseline();
  for (std::size_t level = 0; level < data.spec.levels.size(); ++level) {
    for (const auto* series : {"blocking", "epoll (again)"}) {
      const auto ratios = results.block_ratios(index_of(results, series), baseline, level, "requests_per_s");
      const bool divided = border->level == data.spec.levels[level].id &&
                           (border->series == series || border->series == data.spec.baseline);
      EXPECT_EQ(ratios.size(), divided ? 9u : 10u) << series << ", level " << level;
    }
  }
}

TEST(Report, CsvHasOneLineForEachTrialAndAsManyFieldsAsNames) {
  SCOPED_TRACE("a spreadsheet reads a figure in the wrong column");
  const auto data = make_up_run(3, [](const Series& series, const Level&, int block) {
    MadeUpTrial trial;
    if (series.id == "select" && block == 0) trial = {.ok = false, .reason = "said \"no\", twice"};
    return trial;
  });
  const Results results(data);
  std::istringstream lines(to_csv(trials_sheet(results)));
  std::vector<std::size_t> fields;
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    std::size_t number = 1;
    bool quoted = false;
    for (const char c : line) {
      if (c == '"') quoted = !quoted;
      if (c == ',' && !quoted) ++number;
    }
    EXPECT_FALSE(quoted);
    fields.push_back(number);
  }
  EXPECT_EQ(count, data.trials.size() + 1);
  EXPECT_THAT(fields, testing::Each(fields.front()));
  EXPECT_THAT(to_csv(trials_sheet(results)), HasSubstr("\"said \"\"no\"\", twice\""));
}

TEST(Report, WideTablesAreContinuedBelow) {
  SCOPED_TRACE("the right half of a table is folded into the next line by the terminal");
  const auto data = make_up_run(3, [](const Series&, const Level&, int) { return MadeUpTrial{}; });
  const auto tables = make_tables(Results(data));
  for (const int width : {36, 45, 60, 120}) {
    const auto text = to_text(tables.front(), {.is_tty = false, .color = false, .width = width});
    std::istringstream lines(text);
    std::string line;
    std::getline(lines, line);  // title and caption may be folded by the terminal
    while (std::getline(lines, line)) EXPECT_LE(static_cast<int>(line.size()), width) << text;
    for (const auto* label : {"1,000", "5,000", "blocking"}) EXPECT_THAT(text, HasSubstr(label));
  }
}

TEST(Report, TicksAreRoundAndInside) {
  SCOPED_TRACE("an axis has no labels, or labels beyond its end");
  for (const double high : {0.7, 1.0, 2.6, 9.9, 37.0, 1234.0, 5e6}) {
    const auto ticks = linear_ticks(high);
    EXPECT_GE(ticks.size(), 3u) << high;
    EXPECT_LE(ticks.size(), 8u) << high;
    EXPECT_LE(ticks.back()["at"].get<double>(), high * 1.0001);
  }
  const auto ticks = logarithmic_ticks(3, 290);
  std::vector<double> at;
  for (const auto& tick : ticks) at.push_back(tick["at"].get<double>());
  EXPECT_THAT(at, ElementsAre(5, 10, 20, 50, 100, 200));
}

}  // namespace
}  // namespace iolab::lab
