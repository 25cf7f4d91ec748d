#include "experiments/judging/cost_model.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "experiments/machine/models.h"
#include "experiments/spec/sha256.h"
#include "experiments/statistics/least_squares.h"
#include "experiments/statistics/statistics.h"

namespace iolab::lab {
namespace {

double calls_of(const TrialRecord& trial, const std::string& name) {
  const auto found = trial.server.calls.find(name);
  return found == trial.server.calls.end() ? 0 : static_cast<double>(found->second);
}

// For one request, in the order of kCauses.
std::array<double, kCauses.size()> causes_of(const Results& results, const TrialRecord& trial, const Workload& work) {
  constexpr double kKib = 1024;
  constexpr int kItsOwn = 2;  // the listener and the bell
  const double requests = count_of(trial, "requests");
  const double descriptors = work.connections + work.idle_connections + kItsOwn;
  const double bytes = count_of(trial, "bytes_received") + count_of(trial, "bytes_sent");
  return {1, results.metric_of(trial, "syscalls_per_request").value_or(0), count_of(trial, "wake_ups") / requests,
          bytes / kKib / requests, (calls_of(trial, "select") + calls_of(trial, "poll")) * descriptors / requests};
}

// Every second cell in the order of the hashes of their names.
std::vector<const CostCell*> shuffled(const std::vector<CostCell>& cells) {
  std::vector<std::pair<std::string, const CostCell*>> order;
  for (const auto& cell : cells) order.emplace_back(sha256_hex(cell.run + "/" + cell.cell), &cell);
  std::ranges::sort(order);
  std::vector<const CostCell*> list;
  for (const auto& [hash, cell] : order) list.push_back(cell);
  return list;
}

}  // namespace

std::vector<CostCell> cost_cells(const Results& results) {
  const auto& data = results.data();
  std::vector<CostCell> cells;
  for (const auto& cell : results.cells()) {
    const auto measured = cell.median_of("server_cpu_us_per_request");
    if (!results.is_model(cell.series) || !measured || *measured <= 0 || cell.trials.empty()) continue;
    if (never_sleeps(data.models, data.plan.series[cell.series].model)) continue;
    CostCell own{.run = data.spec.name, .cell = cell.id, .measured_us = *measured, .causes = {}};
    for (std::size_t cause = 0; cause < kCauses.size(); ++cause) {
      std::vector<double> values;
      for (const auto* trial : cell.trials) {
        if (count_of(*trial, "requests") <= 0) continue;
        values.push_back(causes_of(results, *trial, data.spec.levels[cell.level].workload)[cause]);
      }
      if (!values.empty()) own.causes[cause] = median(values);
    }
    if (own.causes[0] > 0) cells.push_back(std::move(own));
  }
  return cells;
}

std::optional<CostModel> fit_cost(const std::vector<CostCell>& cells) {
  if (cells.size() < 4 * kCauses.size()) return std::nullopt;
  const auto order = shuffled(cells);
  const auto observation = [](const CostCell& cell) {
    return Observation{{cell.causes.begin(), cell.causes.end()}, cell.measured_us};
  };
  std::vector<Observation> half;
  for (std::size_t i = 0; i < order.size(); i += 2) half.push_back(observation(*order[i]));
  CostModel model{.prices_us = nonnegative_prices(half), .fitted = {}, .tried = {}};
  std::vector<double> errors;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const CostModel::Try one{order[i], predicted(model.prices_us, observation(*order[i]))};
    (i % 2 == 0 ? model.fitted : model.tried).push_back(one);
    if (i % 2 == 1) errors.push_back(std::abs(one.error()));
  }
  model.median_error = median(errors);
  model.largest_error = std::ranges::max(errors);
  return model;
}

}  // namespace iolab::lab
