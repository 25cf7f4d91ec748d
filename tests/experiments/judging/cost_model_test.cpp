// What a request costs: prices that were put in come out, and what cannot be known from the cells is said.
#include "experiments/judging/cost_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/experiments/made_up_run.h"

namespace iolab::lab {
namespace {

constexpr std::array<double, kCauses.size()> kPrices{3, 0.8, 2.5, 0.3, 0.01};

double sum_of(const CostCell& cell) {
  double sum = 0;
  for (std::size_t i = 0; i < kCauses.size(); ++i) sum += kPrices[i] * cell.causes[i];
  return sum;
}

// Eight models at six levels in two runs, each with its own mixture of causes. `cost` fills in what was measured.
std::vector<CostCell> made_up_cells(
    const std::function<double(const CostCell&, std::size_t at)>& cost,
    const std::function<void(CostCell&)>& changed = [](CostCell&) {}) {
  std::vector<CostCell> cells;
  for (int model = 0; model < 8; ++model) {
    for (int level = 0; level < 6; ++level) {
      CostCell cell{.run = level < 3 ? "few" : "many",
                    .cell = "m" + std::to_string(model) + "/l" + std::to_string(level),
                    .model = "m" + std::to_string(model),
                    .level = "l" + std::to_string(level),
                    .measured_us = 0,
                    .causes = {1, 1.0 + (model * 5 + level * 3) % 7, (model * 3 + level * 2) % 5 * 0.5,
                               0.2 + (model * 7 + level * 5) % 11, model % 2 == 0 ? 0 : 50.0 * (1 + level)}};
      changed(cell);
      cell.measured_us = cost(cell, cells.size());
      cells.push_back(std::move(cell));
    }
  }
  return cells;
}

const CostTest& test_of(const CostModel& model, Unseen unseen) {
  return model.tests[static_cast<std::size_t>(unseen)];
}

TEST(CostModel, PricesThatWerePutInComeOut) {
  SCOPED_TRACE("the cost is laid at the wrong cause, or a right model of it is called bad");
  const auto cells = made_up_cells([](const CostCell& cell, std::size_t) { return sum_of(cell); });
  const auto model = fit_cost(cells);
  ASSERT_TRUE(model);
  EXPECT_EQ(model->fitted, 24u);
  for (std::size_t i = 0; i < kCauses.size(); ++i) {
    EXPECT_NEAR(model->prices[i].us, kPrices[i], kPrices[i] / 100) << kCauses[i];
    EXPECT_TRUE(model->prices[i].told_from_0()) << kCauses[i];
  }
  EXPECT_EQ(test_of(*model, Unseen::half).all().size(), 24u);
  for (const auto unseen : {Unseen::model, Unseen::level, Unseen::run}) {
    EXPECT_EQ(test_of(*model, unseen).all().size(), cells.size()) << name(unseen);
  }
  EXPECT_EQ(test_of(*model, Unseen::model).tries.size(), 8u);
  EXPECT_EQ(test_of(*model, Unseen::level).tries.size(), 6u);
  EXPECT_EQ(test_of(*model, Unseen::run).tries.size(), 2u);
  EXPECT_TRUE(model->bad().empty());
}

TEST(CostModel, NoiseWidensTheIntervalAndIsNoBadPrediction) {
  SCOPED_TRACE("an interval does not hold the price that was put in, or a tenth of noise is called bad");
  const auto cells = made_up_cells([](const CostCell& cell, std::size_t at) {
    return sum_of(cell) * (1 + 0.1 * (static_cast<double>(at * 37 % 11) / 5 - 1));
  });
  const auto model = fit_cost(cells);
  ASSERT_TRUE(model);
  for (const std::size_t cause : {0u, 1u, 2u, 3u}) {
    const auto& price = model->prices[cause];
    ASSERT_TRUE(price.low && price.high) << kCauses[cause];
    EXPECT_LE(*price.low, kPrices[cause]) << kCauses[cause];
    EXPECT_GE(*price.high, kPrices[cause]) << kCauses[cause];
    EXPECT_GT(*price.high, *price.low) << kCauses[cause];
  }
  EXPECT_TRUE(model->prices[1].told_from_0());
  EXPECT_TRUE(model->bad().empty());
}

TEST(CostModel, ACauseThatNobodyCountedMakesItPredictBadly) {
  SCOPED_TRACE("what costs is not among the causes, and the prediction is praised all the same");
  const auto cells =
      made_up_cells([](const CostCell& cell, std::size_t at) { return sum_of(cell) + (at * 29 % 7 < 2 ? 40.0 : 0.0); });
  const auto model = fit_cost(cells);
  ASSERT_TRUE(model);
  EXPECT_TRUE(test_of(*model, Unseen::half).is_bad());
  EXPECT_TRUE(test_of(*model, Unseen::level).is_bad());
}

TEST(CostModel, TwoRunsOfOneExperimentAreNoTestOfEachOther) {
  SCOPED_TRACE("a cell is predicted from the same cell of an earlier run, and the prediction is praised");
  auto cells = made_up_cells([](const CostCell& cell, std::size_t) { return sum_of(cell); });
  const auto again = cells;
  cells.insert(cells.end(), again.begin(), again.end());
  const auto model = fit_cost(cells);
  ASSERT_TRUE(model);
  EXPECT_EQ(model->fitted, 48u);
  std::map<std::string, int> tried;
  for (const auto& one : test_of(*model, Unseen::half).all()) ++tried[one.cell->run + "/" + one.cell->cell];
  EXPECT_EQ(tried.size(), 24u);
  for (const auto& [name, times] : tried) EXPECT_EQ(times, 2) << name;
  EXPECT_EQ(test_of(*model, Unseen::run).tries.size(), 2u);
}

TEST(CostModel, FewCellsFarOffAreNotHiddenByTheMedian) {
  SCOPED_TRACE("one cell in six costs twice what is said, and the median says that all is well");
  std::vector<CostTry> tries;
  const CostCell right{.run = "", .cell = "right", .model = "", .level = "", .measured_us = 10, .causes = {}};
  const CostCell wrong{.run = "", .cell = "wrong", .model = "", .level = "", .measured_us = 20, .causes = {}};
  for (int i = 0; i < 10; ++i) tries.push_back({&right, 10.1});
  for (int i = 0; i < 2; ++i) tries.push_back({&wrong, 10});
  const auto error = error_of(tries);
  EXPECT_NEAR(error.median, 0.01, 1e-9);
  EXPECT_NEAR(error.ninetieth, 0.5, 1e-9);
  EXPECT_NEAR(error.largest, 0.5, 1e-9);
  EXPECT_TRUE((CostTest{.unseen = Unseen::half, .tries = {{"", tries}}}.is_bad()));
}

TEST(CostModel, KinDoNotVouchForEachOther) {
  SCOPED_TRACE("a model with a cost of its own is predicted from its own other cells, and nobody sees it");
  // What m7 does besides is seen in one cause only that nobody else has: with m7 left out, that cause has no price.
  const auto cells = made_up_cells([](const CostCell& cell, std::size_t) { return sum_of(cell); },
                                   [](CostCell& cell) { cell.causes[4] = cell.model == "m7" ? 5000 : 0; });
  const auto model = fit_cost(cells);
  ASSERT_TRUE(model);
  EXPECT_FALSE(test_of(*model, Unseen::half).is_bad());
  const auto& left_out = test_of(*model, Unseen::model).tries;
  EXPECT_GT(error_of(left_out.at("m7")).ninetieth, 0.5);
  EXPECT_LT(error_of(left_out.at("m3")).largest, 0.05);
}

TEST(CostModel, TwoCausesThatAlwaysComeTogetherAreNotToldApart) {
  SCOPED_TRACE("a sum of two prices is parted by chance, and the parts are told as if they were known");
  const auto cells = made_up_cells([](const CostCell& cell, std::size_t) { return sum_of(cell); },
                                   [](CostCell& cell) { cell.causes[1] = 3.07; });
  const auto model = fit_cost(cells);
  ASSERT_TRUE(model);
  EXPECT_EQ(model->prices[0].alike, std::vector<std::size_t>{1});
  EXPECT_EQ(model->prices[1].alike, std::vector<std::size_t>{0});
  EXPECT_FALSE(model->prices[0].told_from_0());
  EXPECT_FALSE(model->prices[1].told_from_0());
  EXPECT_NEAR(model->prices[0].us + 3.07 * model->prices[1].us, kPrices[0] + 3.07 * kPrices[1], 0.05);
  EXPECT_TRUE(model->prices[2].alike.empty());
  EXPECT_TRUE(model->prices[2].told_from_0());
}

TEST(CostModel, WhatNoCellHasHasNoPrice) {
  SCOPED_TRACE("descriptors are said to cost nothing by a run in which nobody looked at any");
  const auto cells = made_up_cells([](const CostCell& cell, std::size_t) { return sum_of(cell); },
                                   [](CostCell& cell) { cell.causes[4] = 0; });
  const auto model = fit_cost(cells);
  ASSERT_TRUE(model);
  EXPECT_FALSE(model->prices[4].asked);
  EXPECT_FALSE(model->prices[4].told_from_0());
  EXPECT_TRUE(model->prices[4].alike.empty());
}

TEST(CostModel, WhatCostsNothingIsNotToldFrom0) {
  SCOPED_TRACE("a cause that costs nothing is given a price");
  const auto cells = made_up_cells([](const CostCell& cell, std::size_t at) {
    return (sum_of(cell) - kPrices[2] * cell.causes[2]) * (1 + 0.02 * (static_cast<double>(at % 3) - 1));
  });
  const auto model = fit_cost(cells);
  ASSERT_TRUE(model);
  EXPECT_FALSE(model->prices[2].told_from_0());
  EXPECT_TRUE(model->prices[1].told_from_0());
}

TEST(CostModel, TooFewCellsHaveNoPrices) {
  SCOPED_TRACE("five prices are told from five cells");
  auto cells = made_up_cells([](const CostCell& cell, std::size_t) { return sum_of(cell); });
  cells.resize(4 * kCauses.size() - 1);
  EXPECT_FALSE(fit_cost(cells));
}

TEST(CostModel, WithoutSecondModelOrRunNothingIsLeftOut) {
  SCOPED_TRACE("one model is left out of itself, or an interval is drawn from it");
  const auto cells = made_up_cells([](const CostCell& cell, std::size_t) { return sum_of(cell); },
                                   [](CostCell& cell) {
                                     cell.model = "m";
                                     cell.run = "r";
                                   });
  const auto model = fit_cost(cells);
  ASSERT_TRUE(model);
  EXPECT_TRUE(test_of(*model, Unseen::model).tries.empty());
  EXPECT_FALSE(test_of(*model, Unseen::model).is_bad());
  EXPECT_TRUE(test_of(*model, Unseen::run).tries.empty());
  EXPECT_EQ(test_of(*model, Unseen::level).tries.size(), 6u);
  EXPECT_FALSE(model->prices[0].low);
  EXPECT_FALSE(model->prices[0].told_from_0());
}

// A run of the models blocking, select and epoll in which everybody sleeps once for each request.
RunData slept_once() {
  auto data = make_up_run(4, [](const Series&, const Level&, int) { return MadeUpTrial{}; });
  for (auto& trial : data.trials) {
    trial.server.voluntary_switches = trial.load.requests;
    trial.server.switches_requests = trial.load.requests;
    trial.server.counts["bytes_received"] = trial.load.requests * 1024;
  }
  return data;
}

TEST(CostCells, AWakeUpIsASwitchInEveryModel) {
  SCOPED_TRACE("a thread that sleeps in recv() is said to wake up for nothing, because it makes no call that waits");
  auto data = slept_once();
  for (auto& trial : data.trials) {
    trial.server.counts["wake_ups"] = trial.model == "blocking" ? 0 : trial.load.requests / 2;
  }
  CostCells found;
  add_cost_cells(Results(data), found);
  ASSERT_EQ(found.cells.size(), 8u);  // three models at three levels, but for select above 1,000
  for (const auto& cell : found.cells) {
    EXPECT_EQ(cell.causes, (std::array<double, kCauses.size()>{1, 3, 1, 1, 0})) << cell.cell;
    EXPECT_EQ(cell.run, "made-up");
    EXPECT_NEAR(cell.measured_us, 5, 1e-3);
  }
}

TEST(CostCells, DescriptorsAreThoseThatSelectLookedAt) {
  SCOPED_TRACE("a list of a thousand descriptors is as cheap as one of ten, because nobody counted them");
  auto data = slept_once();
  for (auto& trial : data.trials) {
    if (trial.model == "select") trial.server.calls["select"] = trial.load.requests / 2;
  }
  CostCells found;
  add_cost_cells(Results(data), found);
  for (const auto& cell : found.cells) {
    const double busy = data.spec.levels[0].workload.connections;
    const double idle = cell.level == data.spec.levels[0].id ? 0 : 1000;
    EXPECT_NEAR(cell.causes[4], cell.model == "select" ? (busy + idle + 2) / 2 : 0, 1e-9) << cell.cell;
  }
}

TEST(CostCells, ALoopLooksAtItsOwnPartAndAtTheStalled) {
  SCOPED_TRACE("each of four loops is said to look at everybody's connections, or at none of the stalled ones");
  auto data = slept_once();
  for (auto& trial : data.trials) {
    if (trial.model == "select") trial.server.calls["select"] = trial.load.requests;
  }
  for (auto& level : data.spec.levels) level.workload.stalled_connections = 100;
  data.spec.threads = 4;
  CostCells found;
  add_cost_cells(Results(data), found);
  const double busy = data.spec.levels[0].workload.connections;
  const auto first = std::ranges::find(found.cells, "select", &CostCell::model);
  ASSERT_NE(first, found.cells.end());
  EXPECT_NEAR(first->causes[4], (busy + 100) / 4 + 2, 1e-9) << first->cell;
}

TEST(CostCells, AQuestionOfOneDescriptorIsNoList) {
  SCOPED_TRACE("what sigio asks of one descriptor is charged as if it had asked of all");
  auto data = slept_once();
  for (auto& trial : data.trials) trial.server.calls["poll"] = trial.load.requests;
  CostCells found;
  add_cost_cells(Results(data), found);
  for (const auto& cell : found.cells) EXPECT_EQ(cell.causes[4], 0) << cell.cell;
}

TEST(CostCells, ModelsWhoseWorkIsNotCountedAreLeftOutByName) {
  SCOPED_TRACE("calls of glibc's threads, or a loop that never sleeps, are laid at the causes of everybody else");
  auto data = slept_once();
  for (auto& trial : data.trials) {
    if (trial.model == "epoll") trial.server.calls["aio_read"] = trial.load.requests;
    if (trial.model == "blocking") trial.server.calls["thread_create"] = trial.load.requests;  // hides nothing
  }
  for (auto& model : data.models) {
    if (model.id == "select") model.features = {"never-sleeps"};
  }
  CostCells found;
  add_cost_cells(Results(data), found);
  EXPECT_EQ(found.hidden, std::set<std::string>{"epoll"});
  EXPECT_EQ(found.never_sleep, std::set<std::string>{"select"});
  ASSERT_EQ(found.cells.size(), 3u);
  for (const auto& cell : found.cells) EXPECT_EQ(cell.model, "blocking");
}

}  // namespace
}  // namespace iolab::lab
