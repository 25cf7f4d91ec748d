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
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "experiments/models.h"
#include "experiments/spec.h"

namespace iolab::lab {

enum class Role : std::uint8_t {
  model,
  again,    // the baseline, entered a second time: how large "nothing" is
  ceiling,  // the load generator against a server that does nothing
};
std::string_view name(Role role);

struct Series {
  std::string id;     // "epoll", "epoll (again)", "ceiling"
  std::string model;  // as given to `iolab broker --model`; empty for the ceiling
  Role role = Role::model;
};

struct PlannedTrial {
  int index = 0;
  int block = 0;  // round * levels + level: unique for each (round, level)
  std::size_t level = 0;
  std::size_t series = 0;
};

// One pair of processes, the baseline and this series, under alternating load.
struct PlannedDuet {
  int index = 0;
  int round = 0;
  std::size_t level = 0;
  std::size_t series = 0;
};

struct NotRun {
  std::size_t level = 0;
  std::size_t series = 0;
  std::string reason;
};

struct Plan {
  std::uint64_t seed = 0;
  std::vector<Series> series;
  std::vector<PlannedTrial> trials;
  std::vector<PlannedDuet> duets;  // after the trials, in rounds of every series once, in random order
  std::vector<NotRun> not_run;
};

// Where judged comparisons are made: the last level at which the models that the question names can run, or, if it
// names none, the last at which as many models as anywhere can run. Nothing: there is no such level.
std::optional<std::size_t> judged_level(const Plan& plan, const Spec& spec);

// `descriptors`: the hard limit of open files, which both server and load must fit into.
Plan make_plan(const Spec& spec, const std::vector<ModelInfo>& models, std::uint64_t descriptors, std::uint64_t seed);

std::string cell_id(const Series& series, const Level& level);  // "epoll/connections=32,record_size=64KiB"

// Warm-up and window are exact; the rest of a trial (start, connecting, stop) is an estimate.
std::chrono::milliseconds expected_duration(const Spec& spec, const PlannedTrial& trial);
std::chrono::milliseconds expected_duration_of_duet(const Spec& spec);
std::chrono::milliseconds expected_duration(const Spec& spec, const Plan& plan);

nlohmann::ordered_json to_json(const Plan& plan, const Spec& spec);

}  // namespace iolab::lab
