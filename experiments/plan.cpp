#include "experiments/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>

#include "experiments/units.h"

namespace iolab::lab {
namespace {

// Fisher and Yates, spelled out: std::shuffle may differ between standard libraries, and a seed is to mean one order.
template <class T>
void shuffle(std::vector<T>& values, std::mt19937_64& random) {
  for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[random() % i]);
}

std::vector<Series> make_series(const Spec& spec, const std::vector<ModelInfo>& models) {
  std::vector<std::string> chosen = spec.models;
  if (chosen.empty()) {
    for (const auto& model : models) chosen.push_back(model.id);
  }
  std::vector<Series> series;
  for (const auto& model : chosen) {
    series.push_back({model, model, Role::model});
    if (model == spec.baseline) series.push_back({model + " (again)", model, Role::again});
  }
  series.push_back({"ceiling", "", Role::ceiling});
  return series;
}

bool can_run(const Plan& plan, std::size_t level, std::size_t series) {
  return std::ranges::none_of(plan.not_run,
                              [&](const NotRun& entry) { return entry.level == level && entry.series == series; });
}

std::string why_not(const Series& series, const Level& level, const Spec& spec, const std::vector<ModelInfo>& models,
                    std::uint64_t descriptors) {
  // Server and load each hold one descriptor per connection, and some for themselves.
  constexpr std::uint64_t kOwnDescriptors = 100;
  const auto& work = level.workload;
  const bool idle_counts = series.role != Role::ceiling;
  const auto needed =
      static_cast<std::uint64_t>(work.connections + (idle_counts ? work.idle_connections : 0)) + kOwnDescriptors;
  if (needed > descriptors) {
    return fmt::format("{} connections need {} open files, this process may have {}: raise `ulimit -Hn`",
                       with_thousands(work.connections + work.idle_connections),
                       with_thousands(static_cast<double>(needed)), with_thousands(static_cast<double>(descriptors)));
  }
  if (series.role == Role::ceiling) return {};
  const auto id = model_id(series.model);
  const auto info = std::ranges::find(models, id, &ModelInfo::id);
  if (info == models.end()) return "this binary does not have the model";
  if (!info->available) return info->reason.empty() ? "not available on this machine" : info->reason;
  for (const auto& exclusion : spec.exclusions) {
    const bool named =
        std::ranges::any_of(exclusion.models, [&](const auto& model) { return model == series.model || model == id; });
    if (named && condition_holds(exclusion.when, work).value_or(false)) return exclusion.because;
  }
  return {};
}

// Rounds of every series that can run at the judged level, the baseline against itself among them.
void plan_duets(Plan& plan, const Spec& spec, std::mt19937_64& random) {
  const auto level = judged_level(plan, spec);
  if (!spec.judge || !level) return;
  std::vector<std::size_t> pairs;
  bool baseline_runs = false;
  for (std::size_t series = 0; series < plan.series.size(); ++series) {
    if (plan.series[series].role == Role::ceiling || !can_run(plan, *level, series)) continue;
    if (plan.series[series].id == spec.baseline) {
      baseline_runs = true;
    } else {
      pairs.push_back(series);
    }
  }
  if (!baseline_runs) return;
  for (int round = 0; round < spec.judge->duets; ++round) {
    shuffle(pairs, random);
    for (const auto series : pairs) plan.duets.push_back({static_cast<int>(plan.duets.size()), round, *level, series});
  }
}

}  // namespace

std::string_view name(Role role) {
  switch (role) {
    case Role::model: return "model";
    case Role::again: return "again";
    case Role::ceiling: return "ceiling";
  }
  return "";
}

std::string cell_id(const Series& series, const Level& level) {
  return series.id + "/" + level.id;
}

Plan make_plan(const Spec& spec, const std::vector<ModelInfo>& models, std::uint64_t descriptors, std::uint64_t seed) {
  Plan plan{.seed = seed, .series = make_series(spec, models), .trials = {}, .duets = {}, .not_run = {}};
  std::vector<std::vector<std::size_t>> runnable(spec.levels.size());
  for (std::size_t level = 0; level < spec.levels.size(); ++level) {
    bool any_model = false;
    for (std::size_t series = 0; series < plan.series.size(); ++series) {
      auto reason = why_not(plan.series[series], spec.levels[level], spec, models, descriptors);
      if (reason.empty()) {
        runnable[level].push_back(series);
        any_model = any_model || plan.series[series].role != Role::ceiling;
      } else {
        plan.not_run.push_back({level, series, std::move(reason)});
      }
    }
    if (!any_model) runnable[level].clear();  // a ceiling over nothing
  }
  std::mt19937_64 random(seed);
  for (int round = 0; round < spec.timing.repeat; ++round) {
    std::vector<std::size_t> levels(spec.levels.size());
    for (std::size_t i = 0; i < levels.size(); ++i) levels[i] = i;
    shuffle(levels, random);
    for (const auto level : levels) {
      auto order = runnable[level];
      shuffle(order, random);
      const int block = round * static_cast<int>(levels.size()) + static_cast<int>(level);
      for (const auto series : order) {
        plan.trials.push_back({static_cast<int>(plan.trials.size()), block, level, series});
      }
    }
  }
  plan_duets(plan, spec, random);
  return plan;
}

std::optional<std::size_t> judged_level(const Plan& plan, const Spec& spec) {
  std::optional<std::size_t> best;
  std::size_t most = 0;
  for (std::size_t level = 0; level < spec.levels.size(); ++level) {
    std::size_t models = 0;
    for (std::size_t series = 0; series < plan.series.size(); ++series) {
      const Series& entry = plan.series[series];
      const bool counts = spec.focus.empty() || std::ranges::find(spec.focus, entry.id) != spec.focus.end();
      models += entry.role == Role::model && counts && can_run(plan, level, series);
    }
    if (models == 0 || models < most) continue;
    most = models;
    best = level;
  }
  return best;
}

std::chrono::milliseconds expected_duration(const Spec& spec, const PlannedTrial& trial) {
  using namespace std::chrono_literals;
  const auto& work = spec.levels[trial.level].workload;
  const auto connecting = std::chrono::microseconds{120} * (work.connections + work.idle_connections);
  return spec.timing.warmup + spec.timing.measure + 150ms + std::chrono::ceil<std::chrono::milliseconds>(connecting);
}

std::chrono::milliseconds expected_duration_of_duet(const Spec& spec) {
  using namespace std::chrono_literals;
  if (!spec.judge) return 0ms;
  // Two starts, two warm-ups of 200 ms, and the slices of both sides, each a little longer than asked for.
  return 600ms + std::chrono::ceil<std::chrono::milliseconds>(2.1 * spec.judge->slices * spec.judge->slice);
}

std::chrono::milliseconds expected_duration(const Spec& spec, const Plan& plan) {
  std::chrono::milliseconds total = expected_duration_of_duet(spec) * plan.duets.size();
  for (const auto& trial : plan.trials) total += expected_duration(spec, trial);
  return total;
}

nlohmann::ordered_json to_json(const Plan& plan, const Spec& spec) {
  using Json = nlohmann::ordered_json;
  Json series = Json::array();
  for (const auto& entry : plan.series) {
    series.push_back({{"id", entry.id}, {"model", entry.model}, {"role", std::string(name(entry.role))}});
  }
  Json levels = Json::array();
  for (const auto& level : spec.levels) {
    Json values = Json::object();
    for (std::size_t i = 0; i < spec.axes.size(); ++i) values[spec.axes[i].path] = spec.axes[i].values[level.at[i]];
    levels.push_back({{"id", level.id}, {"label", level.label}, {"values", values}});
  }
  Json trials = Json::array();
  for (const auto& trial : plan.trials) {
    trials.push_back({{"index", trial.index},
                      {"block", trial.block},
                      {"level", spec.levels[trial.level].id},
                      {"series", plan.series[trial.series].id},
                      {"cell", cell_id(plan.series[trial.series], spec.levels[trial.level])}});
  }
  Json duets = Json::array();
  for (const auto& duet : plan.duets) {
    duets.push_back({{"index", duet.index},
                     {"round", duet.round},
                     {"level", spec.levels[duet.level].id},
                     {"series", plan.series[duet.series].id}});
  }
  Json not_run = Json::array();
  for (const auto& entry : plan.not_run) {
    not_run.push_back({{"cell", cell_id(plan.series[entry.series], spec.levels[entry.level])},
                       {"series", plan.series[entry.series].id},
                       {"level", spec.levels[entry.level].id},
                       {"reason", entry.reason}});
  }
  return {{"schema", "iolab-plan-1"},
          {"experiment", spec.name},
          {"profile", spec.profile},
          {"seed", plan.seed},
          {"repeat", spec.timing.repeat},
          {"estimated_s", static_cast<double>(expected_duration(spec, plan).count()) / 1000},
          {"series", series},
          {"levels", levels},
          {"trials", trials},
          {"duets", duets},
          {"not_run", not_run}};
}

}  // namespace iolab::lab
