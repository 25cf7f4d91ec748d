// Every trial of a run in the order in which it is to happen, and everything that will not happen, with its reason:
// settled before the first process starts, from the spec, the machine and a seed.
//
// A block is one level with every series that can run there, once each, in random order; blocks come in random order
// too, one round of all levels after the other. So whatever changes slowly on the machine hits all models alike, and a
// ratio formed inside a block compares neighbours in time. The same seed gives the same plan, on any machine that can
// run the same cells.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "experiments/machine/models.h"
#include "experiments/run/time_left.h"
#include "experiments/spec/spec.h"

namespace iolab::lab {

enum class Role : std::uint8_t {
  model,
  again,    // the baseline, entered a second time: how large "nothing" is
  ceiling,  // the load generator against a server that does nothing
  target,   // a broker that runs already: what it does inside is not ours to measure
};
constexpr std::string_view kAgain = " (again)";  // behind the baseline's id: the same once more
inline std::string again_id(const std::string& baseline) {
  return baseline + std::string(kAgain);
}
std::string_view name(Role role);

struct Series {
  std::string id;     // "epoll", "epoll (again)", "ceiling"
  std::string model;  // as given to `iolab broker --model`; empty for the ceiling
  Role role = Role::model;
  Properties broker = {};             // of a variant, on top of those of the level
  std::optional<Target> target = {};  // where it is, if it runs already
  std::optional<int> threads = {};    // of a variant; nothing: those of the spec
};
Properties broker_properties(const Series& series, const Level& level);
int serving_threads(const Series& series, const Spec& spec);

struct PlannedTrial {
  int index = 0;
  int block = 0;  // round * levels + level: unique for each (round, level)
  std::size_t level = 0;
  std::size_t series = 0;
};

// One pair of processes, the baseline and this series, under alternating load. Duets of one group share the baseline's
// process and run at once, round robin.
struct PlannedDuet {
  int index = 0;
  int round = 0;
  int group = 0;
  std::size_t level = 0;
  std::size_t series = 0;
};

// The duets of one group, which stand side by side, from `first` on.
std::span<const PlannedDuet> group_from(std::span<const PlannedDuet> duets, std::size_t first);

struct NotRun {
  std::size_t level = 0;
  std::size_t series = 0;
  std::string reason;
  bool filtered = false;  // not asked for, rather than not possible
};

struct Plan {
  std::uint64_t seed = 0;
  std::vector<Series> series;
  std::vector<PlannedTrial> trials;
  std::vector<PlannedDuet> duets;  // after the trials, in rounds of every series once, in random order
  std::vector<NotRun> not_run;
  std::string filter;  // as given; empty: none
};

// The part of a plan that has no record yet, in its order.
struct Left {
  std::vector<PlannedTrial> trials;
  std::vector<PlannedDuet> duets;
  bool empty() const { return trials.empty() && duets.empty(); }
};

// Which cells are asked for, by their id. Where it takes any model, the baseline, its second entry and the ceiling run
// as well, because every ratio and the noise rest on them.
struct CellFilter {
  std::string pattern;
  std::function<bool(const std::string& cell)> matches;  // empty: all
};

bool can_run(const Plan& plan, std::size_t level, std::size_t series);

// Where judged comparisons are made: the level that the spec names (judge.at), if any model can run there; else the
// last one at which the models that the question names can run, or, if it names none, the last at which as many models
// as anywhere can run. Nothing: there is no such level.
std::optional<std::size_t> judged_level(const Plan& plan, const Spec& spec);

// `descriptors`: the hard limit of open files, which both server and load must fit into. `path_problem`: why the path
// that the spec asks for cannot be had; empty if it can.
Plan make_plan(const Spec& spec, const std::vector<ModelInfo>& models, std::uint64_t descriptors, std::uint64_t seed,
               const CellFilter& filter = {}, const std::string& path_problem = {});

std::string cell_id(const Series& series, const Level& level);  // "epoll/connections=32,record_size=64KiB"

// Warm-up, window and slices are exact; the rest (start, connecting, stop) is a guess.
StepTime step_time(const Spec& spec, const PlannedTrial& trial);
StepTime step_time(const Spec& spec, std::span<const PlannedDuet> together);
std::chrono::milliseconds expected_duration(const Spec& spec, const Plan& plan);

nlohmann::ordered_json to_json(const Plan& plan, const Spec& spec);

}  // namespace iolab::lab
