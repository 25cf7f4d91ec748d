// What a reader is warned of at a single cell: words of a fixed list ("mark." in the catalogue), set when every cell is
// filled, because "steady" means steadier than the run's own noise.
#include <algorithm>
#include <cmath>

#include "experiments/judging/results.h"

namespace iolab::lab {
namespace {

// Of the two halves of the windows: the median over the trials of one half's rate to the other's, as |ratio - 1|.
double drift(const Cell& cell) {
  std::vector<double> halves;
  for (const auto* trial : cell.trials) {
    const auto& load = trial->load;
    if (load.first_half_per_s > 0) halves.push_back(load.second_half_per_s / load.first_half_per_s);
  }
  return halves.empty() ? 0 : std::abs(median(halves) - 1);
}

// User and system are told apart by samples of 10 ms: of fewer than these the shares are known to 10 % at best.
bool split_is_coarse(const TrialRecord& trial) {
  constexpr double kTick_s = 0.01;
  constexpr double kFewestTicks = 25;
  const auto& server = trial.server;
  return server.user_s + server.system_s > 0 && server.cpu_s < kFewestTicks * kTick_s;
}

}  // namespace

void Results::mark(Cell& cell) const {
  if (data_.plan.series[cell.series].role == Role::ceiling || cell.trials.empty()) return;
  const double of_ceiling = cell.median_of("ceiling_share").value_or(0);
  if (of_ceiling > 1) {
    cell.marks.emplace_back("ceiling-underestimated");
  } else if (of_ceiling > kCeilingLimit) {
    cell.marks.emplace_back("client-limited");
  }
  constexpr double kSteadyWithoutFloor = 0.2;
  constexpr double kSmallestDrift = 0.02;
  const auto floor = noise("requests_per_s", cell.level);
  if (drift(cell) > std::max(floor.value_or(kSteadyWithoutFloor), kSmallestDrift)) {
    cell.marks.emplace_back("not-steady");
  }
  constexpr double kMuchSteal = 0.01;
  const auto any = [&](auto test) { return std::ranges::any_of(cell.trials, test); };
  if (any([](const TrialRecord* trial) { return trial->load.overloaded; })) cell.marks.emplace_back("overloaded");
  if (any([](const TrialRecord* trial) { return !trial->load.client_kept_up; })) cell.marks.emplace_back("client-late");
  if (cell.median_of("steal_share").value_or(0) > kMuchSteal) cell.marks.emplace_back("steal");
  if (any([](const TrialRecord* trial) { return split_is_coarse(*trial); })) cell.marks.emplace_back("coarse-split");
  for (const auto* trial : cell.trials) {
    for (const auto& flag : trial->machine.flags) ++cell.flags[flag.word];
  }
  if (!cell.flags.empty()) cell.marks.emplace_back("flagged");
}

}  // namespace iolab::lab
