// A run that never happened: every trial of a plan with figures chosen by the test, so that what a report says can be
// held against what was put in.
#pragma once

#include <functional>
#include <string>

#include "experiments/judging/results.h"

namespace iolab::lab {

struct MadeUpTrial {
  double cpu_us_per_request = 5;
  double requests_per_s = 100'000;
  std::uint64_t latency_ns = 80'000;
  double calls_per_request = 3;  // one recv, one send, the rest epoll_wait
  int threads = 3;
  bool ok = true;
  std::string reason = {};
};

using Maker = std::function<MadeUpTrial(const Series&, const Level&, int block)>;

// A good or failed record for every planned trial.
inline void make_up_trials(RunData& data, const Maker& make) {
  for (const auto& planned : data.plan.trials) {
    const auto& series = data.plan.series[planned.series];
    const auto& level = data.spec.levels[planned.level];
    const MadeUpTrial wanted = make(series, level, planned.block);
    TrialRecord trial;
    trial.index = planned.index;
    trial.block = planned.block;
    trial.cell = cell_id(series, level);
    trial.series = series.id;
    trial.model = series.model;
    trial.level = level.id;
    trial.ok = wanted.ok;
    trial.reason = wanted.reason;
    trial.load.duration_s = 1;
    trial.load.requests = static_cast<std::uint64_t>(wanted.requests_per_s);
    trial.load.requests_per_s = wanted.requests_per_s;
    trial.load.first_half_per_s = trial.load.second_half_per_s = wanted.requests_per_s;
    trial.load.latency_ns.record(wanted.latency_ns, trial.load.requests);
    trial.server.cpu_s = wanted.cpu_us_per_request * wanted.requests_per_s / 1e6;
    trial.server.counts["requests"] = trial.load.requests;
    trial.server.calls["recv"] = trial.load.requests;
    trial.server.calls["send"] = trial.load.requests;
    trial.server.calls["epoll_wait"] =
        static_cast<std::uint64_t>((wanted.calls_per_request - 2) * wanted.requests_per_s);
    trial.server.threads = wanted.threads;
    data.trials.push_back(std::move(trial));
  }
}

// Models select, epoll and blocking (all available), baseline epoll, levels 0, 1,000 and 5,000 idle connections; select
// is excluded above 1,000. `more` goes into the spec, with a comma before it.
inline RunData make_up_run(int repeat, const Maker& make, const std::string& more = "") {
  const std::string text = R"({"version": 1, "name": "made-up", "question": "Is it right?", "focus": ["select"],
    "models": ["blocking", "select", "epoll"],
    "watch": ["server_cpu_us_per_request", "latency_p99_us"],
    "matrix": {"workload.idle_connections": [0, 1000, 5000]},
    "exclude": [{"models": ["select"], "when": "workload.idle_connections > 1000", "because": "FD_SETSIZE is 1024"}],
    "timing": {"repeat": )" +
                           std::to_string(repeat) + "}" + more + "}";
  RunData data;
  data.id = "made-up-1";
  data.spec = std::move(*parse_spec(text, "made-up.json", {}));
  for (const auto* id : {"blocking", "select", "epoll"}) data.models.push_back({id, "multiplexing", "", true, "", {}});
  data.plan = make_plan(data.spec, data.models, 20'000, 1);
  data.cpus = {0, 1};
  data.machine = "made up";
  data.status = "complete";
  make_up_trials(data, make);
  return data;
}

}  // namespace iolab::lab
