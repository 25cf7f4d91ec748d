#include "experiments/judging/cost_model.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>

#include "experiments/machine/models.h"
#include "experiments/spec/sha256.h"
#include "experiments/statistics/least_squares.h"
#include "experiments/statistics/statistics.h"

namespace iolab::lab {
namespace {

using Chosen = std::vector<const CostCell*>;

double calls_of(const Cell& cell, std::string_view name) {
  const auto found = std::ranges::find(cell.calls_per_request, name, &std::pair<std::string, double>::first);
  return found == cell.calls_per_request.end() ? 0 : found->second;
}

bool calls_are_hidden(const Cell& cell) {
  return std::ranges::any_of(cell.calls_per_request, [](const auto& call) { return call.first.starts_with("aio_"); });
}

// Looked at for one request. Each loop has its part of the connections in its list. Only of the models that wait in
// these calls: sigio asks poll() as well, but of one descriptor, or of all after an overflow.
double descriptors_of(const Cell& cell, std::string_view model, const Workload& work, int threads) {
  constexpr int kItsOwn = 2;  // the listener and the bell
  if (model != "select" && model != "poll") return 0;
  const double watched = work.connections + work.idle_connections + work.stalled_connections;
  return calls_of(cell, model) * (watched / std::max(1, threads) + kItsOwn);  // 0 threads: their default, which is 1
}

// For one request, in the order of kCauses; that of the descriptors is added. Nothing, if one was not counted.
std::optional<std::array<double, kCauses.size()>> causes_of(const Cell& cell, double descriptors) {
  constexpr double kKib = 1024;
  const auto calls = cell.median_of("syscalls_per_request");
  const auto switches = cell.median_of("voluntary_switches_per_request");
  const auto bytes = cell.median_of("copied_bytes_per_request");
  if (!calls || !switches || !bytes) return std::nullopt;
  return std::array{1.0, *calls, *switches, *bytes / kKib, descriptors};
}

Observation observation_of(const CostCell& cell) {
  return {{cell.causes.begin(), cell.causes.end()}, cell.measured_us};
}

std::vector<double> prices_of(const Chosen& cells) {
  std::vector<Observation> observations;
  for (const auto* cell : cells) observations.push_back(observation_of(*cell));
  return nonnegative_prices(observations);
}

std::vector<CostTry> tried(const std::vector<double>& prices, const Chosen& cells) {
  std::vector<CostTry> tries;
  for (const auto* cell : cells) tries.push_back({cell, predicted(prices, observation_of(*cell))});
  return tries;
}

// In the order of the hashes of their names: every second one is in the half that is fitted. Two runs of one experiment
// have cells of the same names, which stay together: seen once, such a cell is no surprise.
std::array<Chosen, 2> halves_of(const std::vector<CostCell>& cells) {
  std::map<std::string, Chosen> order;
  for (const auto& cell : cells) order[sha256_hex(cell.run + "/" + cell.cell)].push_back(&cell);
  std::array<Chosen, 2> halves;
  std::size_t at = 0;
  for (const auto& [hash, own] : order) {
    auto& half = halves[at++ % 2];
    half.insert(half.end(), own.begin(), own.end());
  }
  return halves;
}

std::string group_of(const CostCell& cell, Unseen unseen) {
  if (unseen == Unseen::model) return cell.model;
  if (unseen == Unseen::level) return cell.run + ": " + cell.level;
  return cell.run;
}

// Each group once left out of the fit, and predicted by it.
CostTest left_out_in_turn(const std::vector<CostCell>& cells, Unseen unseen) {
  std::map<std::string, Chosen> groups;
  for (const auto& cell : cells) groups[group_of(cell, unseen)].push_back(&cell);
  CostTest test{.unseen = unseen, .tries = {}};
  if (groups.size() < 2) return test;
  for (const auto& [name, own] : groups) {
    Chosen rest;
    for (const auto& cell : cells) {
      if (group_of(cell, unseen) != name) rest.push_back(&cell);
    }
    test.tries[name] = tried(prices_of(rest), own);
  }
  return test;
}

bool asks(const Chosen& cells, std::size_t cause) {
  return std::ranges::any_of(cells, [&](const CostCell* cell) { return cell->causes[cause] > 0; });
}

// One cause is nearly the same multiple of the other in every cell: chance decides how their cost is parted. Seen as
// directions (of the causes' shares of each cell's cost), less than a hundredth of the one is not along the other.
bool are_alike(const Chosen& cells, std::size_t one, std::size_t other) {
  constexpr double kOwnPart = 0.01;
  double along = 0;
  double length = 0;
  double other_length = 0;
  for (const auto* cell : cells) {
    const double weight = cell->causes[one] / cell->measured_us;
    const double other_weight = cell->causes[other] / cell->measured_us;
    along += weight * other_weight;
    length += weight * weight;
    other_length += other_weight * other_weight;
  }
  return length > 0 && other_length > 0 && 1 - along * along / (length * other_length) < kOwnPart;
}

// As many models as there are, drawn with replacement, again and again. Whole models, because the cells of one are no
// independent witnesses. A draw in which no cell has a cause says nothing of its price.
void add_intervals(const Chosen& cells, std::vector<Price>& prices) {
  constexpr std::size_t kDraws = 400;
  std::map<std::string, Chosen> by_model;
  for (const auto* cell : cells) by_model[cell->model].push_back(cell);
  if (by_model.size() < kFewestModels) return;
  std::vector<Chosen> models;
  for (auto& [name, own] : by_model) models.push_back(std::move(own));
  std::vector<std::vector<double>> drawn(prices.size());
  std::mt19937_64 random(1);
  for (std::size_t draw = 0; draw < kDraws; ++draw) {
    Chosen sample;
    for (std::size_t i = 0; i < models.size(); ++i) {
      const auto& model = models[random() % models.size()];
      sample.insert(sample.end(), model.begin(), model.end());
    }
    const auto found = prices_of(sample);
    for (std::size_t cause = 0; cause < prices.size(); ++cause) {
      if (asks(sample, cause)) drawn[cause].push_back(found[cause]);
    }
  }
  for (std::size_t cause = 0; cause < prices.size(); ++cause) {
    auto& found = drawn[cause];
    if (found.size() < kDraws / 2) continue;
    std::ranges::sort(found);
    const std::size_t tail = found.size() / 40;  // 2.5 %
    prices[cause].low = found[tail];
    prices[cause].high = found[found.size() - 1 - tail];
  }
}

}  // namespace

void add_cost_cells(const Results& results, CostCells& to) {
  const auto& data = results.data();
  for (const auto& cell : results.cells()) {
    const auto measured = cell.median_of("server_cpu_us_per_request");
    if (!results.is_model(cell.series) || !measured || *measured <= 0) continue;
    const auto& series = data.plan.series[cell.series];
    const std::string model(model_id(series.model));
    const auto& level = data.spec.levels[cell.level];
    const int threads = serving_threads(series, data.spec);
    const auto causes = causes_of(cell, descriptors_of(cell, model, level.workload, threads));
    if (spins(data.models, series.model)) {
      // io_uring sleeps, io_uring:sqpoll=on does not.
      to.never_sleep.insert(never_sleeps(data.models, model) ? model : series.model);
    } else if (calls_are_hidden(cell)) {
      to.hidden.insert(model);
    } else if (causes) {
      to.cells.push_back({data.spec.name, cell.id, model, level.id, *measured, *causes});
    }
  }
}

CostError error_of(const std::vector<CostTry>& tries) {
  std::vector<double> sizes;
  for (const auto& one : tries) sizes.push_back(std::abs(one.error()));
  std::ranges::sort(sizes);
  const std::size_t rank = (9 * sizes.size() + 9) / 10;  // nearest rank, rounded up
  return {median(sizes), sizes[rank - 1], sizes.back()};
}

std::string_view name(Unseen unseen) {
  static constexpr std::array<std::string_view, 4> kNames{"half", "model", "level", "run"};
  return kNames[static_cast<std::size_t>(unseen)];
}

std::vector<CostTry> CostTest::all() const {
  std::vector<CostTry> list;
  for (const auto& [name, own] : tries) list.insert(list.end(), own.begin(), own.end());
  return list;
}

bool CostTest::is_bad() const {
  return !tries.empty() && error_of(all()).ninetieth > kBadError;
}

std::vector<Unseen> CostModel::bad() const {
  std::vector<Unseen> list;
  for (const auto& test : tests) {
    if (test.is_bad()) list.push_back(test.unseen);
  }
  return list;
}

std::optional<CostModel> fit_cost(const std::vector<CostCell>& cells) {
  if (cells.size() < 4 * kCauses.size()) return std::nullopt;
  const auto [fitted, other] = halves_of(cells);
  const auto prices = prices_of(fitted);
  CostModel model{.prices = {}, .fitted = fitted.size(), .tests = {}};
  for (std::size_t cause = 0; cause < kCauses.size(); ++cause) {
    Price price{.us = prices[cause], .asked = asks(fitted, cause), .low = {}, .high = {}, .alike = {}};
    for (std::size_t twin = 0; twin < kCauses.size(); ++twin) {
      if (twin != cause && are_alike(fitted, cause, twin)) price.alike.push_back(twin);
    }
    model.prices.push_back(std::move(price));
  }
  add_intervals(fitted, model.prices);
  model.tests.push_back({.unseen = Unseen::half, .tries = {{"", tried(prices, other)}}});
  for (const auto unseen : {Unseen::model, Unseen::level, Unseen::run}) {
    model.tests.push_back(left_out_in_turn(cells, unseen));
  }
  return model;
}

}  // namespace iolab::lab
