#include "experiments/run/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <ranges>

#include "experiments/words/words.h"

namespace iolab::lab {
namespace {

// Fisher and Yates, spelled out: std::shuffle may differ between standard libraries, and a seed is to mean one order.
template <class T>
void shuffle(std::vector<T>& values, std::mt19937_64& random) {
  for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[random() % i]);
}

std::vector<Series> make_series(const Spec& spec, const std::vector<ModelInfo>& models) {
  if (spec.target) {
    const auto id = std::string(kTargetModel);
    return {{id, id, Role::target, {}, spec.target},
            {again_id(id), id, Role::target, {}, spec.target},
            {"ceiling", "", Role::ceiling}};
  }
  if (!spec.probe.empty() && spec.models.empty()) {
    return {{spec.probe, spec.probe, Role::model}, {again_id(spec.probe), spec.probe, Role::again}};
  }
  std::vector<std::string> chosen = spec.models;
  if (chosen.empty()) {
    for (const auto& model : models) chosen.push_back(model.id);
  }
  std::vector<Series> series;
  for (const auto& model : chosen) {
    series.push_back({model, model, Role::model});
    if (model == spec.baseline) series.push_back({again_id(model), model, Role::again});
  }
  for (const auto& variant : spec.variants) {
    const auto role = variant.target ? Role::target : Role::model;
    series.push_back({variant.id, variant.model, role, variant.broker, variant.target, variant.threads});
  }
  if (spec.probe.empty()) series.push_back({"ceiling", "", Role::ceiling});
  return series;
}

std::string why_not(const Series& series, const Level& level, const Spec& spec, const std::vector<ModelInfo>& models,
                    std::uint64_t descriptors, const std::string& path_problem) {
  if (!spec.probe.empty() && series.model == spec.probe) return {};  // it is about no model
  // Server and load each hold one descriptor per connection, and some for themselves.
  constexpr std::uint64_t kOwnDescriptors = 100;
  const auto& work = level.workload;
  const bool idle_counts = series.role != Role::ceiling;
  const int others = work.idle_connections + work.stalled_connections;
  const int connections = work.connections + (idle_counts ? others : 0);
  if (connections > spec.limits.connections) {
    return recorded("reason.connections", {{"connections", connections}, {"allowed", spec.limits.connections}});
  }
  const auto needed = static_cast<std::uint64_t>(connections) + kOwnDescriptors;
  if (needed > descriptors) {
    return recorded("reason.descriptors",
                    {{"connections", work.connections + others}, {"needed", needed}, {"allowed", descriptors}});
  }
  if (spec.path == PathKind::veth) {
    if (!path_problem.empty()) return path_problem;
    if (series.role == Role::ceiling) return recorded("reason.ceiling_over_loopback");
    if (series.role == Role::target) return recorded("reason.target_over_veth");
  }
  if (series.role == Role::ceiling || series.role == Role::target) return {};
  const auto id = model_id(series.model);
  const auto info = std::ranges::find(models, id, &ModelInfo::id);
  if (info == models.end()) return recorded("reason.no_model");
  if (!info->available) return info->reason.empty() ? recorded("reason.unavailable") : info->reason;
  for (const auto& exclusion : spec.exclusions) {
    const bool named =
        std::ranges::any_of(exclusion.models, [&](const auto& model) { return model == series.id || model == id; });
    if (named && condition_holds(exclusion.when, work, level.probe).value_or(false)) return exclusion.because;
  }
  return {};
}

// Which series are to run at a level, as far as the filter goes.
std::vector<bool> wanted_at(const std::vector<Series>& series, const Level& level, const std::string& baseline,
                            const CellFilter& filter) {
  std::vector<bool> wanted;
  for (const auto& one : series) {
    wanted.push_back(!filter.matches ||
                     ((one.role == Role::model || one.role == Role::target) && filter.matches(cell_id(one, level))));
  }
  if (std::ranges::find(wanted, true) == wanted.end()) return wanted;
  for (std::size_t i = 0; i < series.size(); ++i) {
    if (series[i].role != Role::model || series[i].id == baseline) wanted[i] = true;
  }
  return wanted;
}

// Rounds of every series that can run at the judged level, the baseline against itself among them.
void plan_duets(Plan& plan, const Spec& spec, std::mt19937_64& random) {
  const auto level = judged_level(plan, spec);
  if (!spec.judge || !level || !judges_by_duets(*spec.judge)) return;
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
  const auto together = static_cast<std::size_t>(spec.judge->side_by_side);
  int group = -1;
  for (int round = 0; round < spec.judge->duets; ++round) {
    shuffle(pairs, random);
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      if (i % together == 0) ++group;
      plan.duets.push_back({static_cast<int>(plan.duets.size()), round, group, *level, pairs[i]});
    }
  }
}

}  // namespace

bool can_run(const Plan& plan, std::size_t level, std::size_t series) {
  return std::ranges::none_of(plan.not_run,
                              [&](const NotRun& entry) { return entry.level == level && entry.series == series; });
}

std::string_view name(Role role) {
  switch (role) {
    case Role::model: return "model";
    case Role::again: return "again";
    case Role::ceiling: return "ceiling";
    case Role::target: return kTargetModel;
  }
  return "";
}

std::string cell_id(const Series& series, const Level& level) {
  return series.id + "/" + level.id;
}

Properties broker_properties(const Series& series, const Level& level) {
  Properties all;
  if (level.workload.cold_readers > 0) all.emplace_back("iolab.fetch.read.ahead", "false");  // else most reads are warm
  all.insert(all.end(), level.broker.begin(), level.broker.end());
  all.insert(all.end(), series.broker.begin(), series.broker.end());
  return all;
}

int serving_threads(const Series& series, const Spec& spec) {
  return series.threads.value_or(spec.threads);
}

std::span<const PlannedDuet> group_from(std::span<const PlannedDuet> duets, std::size_t first) {
  std::size_t end = first;
  while (end < duets.size() && duets[end].group == duets[first].group) ++end;
  return duets.subspan(first, end - first);
}

Plan make_plan(const Spec& spec, const std::vector<ModelInfo>& models, std::uint64_t descriptors, std::uint64_t seed,
               const CellFilter& filter, const std::string& path_problem) {
  Plan plan{.seed = seed,
            .series = make_series(spec, models),
            .trials = {},
            .duets = {},
            .not_run = {},
            .filter = filter.pattern};
  std::vector<std::vector<std::size_t>> runnable(spec.levels.size());
  for (std::size_t level = 0; level < spec.levels.size(); ++level) {
    bool any_model = false;
    const auto wanted = wanted_at(plan.series, spec.levels[level], spec.baseline, filter);
    for (std::size_t series = 0; series < plan.series.size(); ++series) {
      auto reason = wanted[series]
                        ? why_not(plan.series[series], spec.levels[level], spec, models, descriptors, path_problem)
                        : recorded("reason.filtered");
      if (reason.empty()) {
        runnable[level].push_back(series);
        any_model = any_model || plan.series[series].role != Role::ceiling;
      } else {
        plan.not_run.push_back({level, series, std::move(reason), !wanted[series]});
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
  const auto named = spec.judge ? std::ranges::find(spec.levels, spec.judge->at, &Level::id) : spec.levels.end();
  if (named != spec.levels.end()) {
    // What was fixed before the run is judged, or nothing is: another level would be somebody's choice after it.
    const auto level = static_cast<std::size_t>(named - spec.levels.begin());
    const auto runs = [&](std::size_t series) {
      return plan.series[series].role == Role::model && can_run(plan, level, series);
    };
    const auto all = std::views::iota(std::size_t{0}, plan.series.size());
    return std::ranges::any_of(all, runs) ? std::optional(level) : std::nullopt;
  }
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

StepTime step_time(const Spec& spec, const PlannedTrial& trial) {
  using namespace std::chrono_literals;
  constexpr auto kAroundAProbe = 400ms;  // it sets up its scene, and sees how fast this machine is
  if (!spec.probe.empty()) return {.boxed = spec.timing.measure, .around = kAroundAProbe};
  const auto& work = spec.levels[trial.level].workload;
  const auto connecting =
      std::chrono::microseconds{120} * (work.connections + work.idle_connections + work.stalled_connections);
  constexpr auto kFilling = 1500ms;  // a topic for the cold reader, and on to the disk with it
  const auto stalling = work.stalled_connections > 0 ? 1500ms : 0ms;  // until the server has stopped reading from them
  return {.boxed = spec.timing.warmup + spec.timing.measure,
          .around = 150ms + work.cold_readers * kFilling + stalling +
                    std::chrono::ceil<std::chrono::milliseconds>(connecting)};
}

StepTime step_time(const Spec& spec, std::span<const PlannedDuet> together) {
  using namespace std::chrono_literals;
  if (!spec.judge) return {};
  // Every process starts and warms up for 200 ms; then come slices of both sides for each of the others.
  const auto others = static_cast<int>(together.size());
  const auto slices = std::chrono::ceil<std::chrono::milliseconds>(2 * others * spec.judge->slices * spec.judge->slice);
  return {.boxed = slices + 200ms * (others + 1), .around = 100ms * (others + 1) + slices / 20};
}

std::chrono::milliseconds expected_duration(const Spec& spec, const Plan& plan) {
  std::chrono::milliseconds total{0};
  for (const auto& trial : plan.trials) total += step_time(spec, trial).total();
  const std::span<const PlannedDuet> duets = plan.duets;
  for (std::size_t at = 0; at < duets.size(); at += group_from(duets, at).size()) {
    total += step_time(spec, group_from(duets, at)).total();
  }
  return total;
}

nlohmann::ordered_json to_json(const Plan& plan, const Spec& spec) {
  using Json = nlohmann::ordered_json;
  Json series = Json::array();
  for (const auto& entry : plan.series) {
    Json properties = Json::object();
    for (const auto& [key, value] : entry.broker) properties[key] = value;
    series.push_back({{"id", entry.id}, {"model", entry.model}, {"role", std::string(name(entry.role))}});
    if (!properties.empty()) series.back()["broker"] = properties;
    if (entry.threads) series.back()["threads"] = *entry.threads;
    if (entry.target) series.back()["target"] = {{"host", entry.target->host}, {"port", entry.target->port}};
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
                     {"group", duet.group},
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
  return {
      {"schema", "iolab-plan-1"}, {"experiment", spec.name},
      {"profile", spec.profile},  {"spec_sha256", spec.sha256},
      {"seed", plan.seed},        {"repeat", spec.timing.repeat},
      {"filter", plan.filter},    {"estimated_s", static_cast<double>(expected_duration(spec, plan).count()) / 1000},
      {"series", series},         {"levels", levels},
      {"trials", trials},         {"duets", duets},
      {"not_run", not_run}};
}

}  // namespace iolab::lab
