#include "experiments/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "experiments/build_info.h"
#include "experiments/command.h"
#include "experiments/interrupt.h"
#include "experiments/progress.h"
#include "experiments/units.h"

namespace iolab::lab {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr double kFullestDisk = 0.8;
constexpr auto kCeilingTime = 150ms;

// A guest's first touch of a page is paid to the hypervisor, at nine times the price. What trials will write is touched
// before, but never more than a tenth of what is free.
void warm_memory(const Machine& machine) {
  constexpr std::uint64_t kMost = 1 << 30;
  touch_memory(std::min(kMost, machine.available_bytes / 10));
}

void add_run_facts(RunData& data, const CpuTicks& before, const CpuTicks& after) {
  double most = 0;
  for (const auto& trial : data.trials) most = std::max(most, trial.steal_share);
  data.facts.push_back({"run", "steal time",
                        fmt::format("{} on average, {} at most in one trial", percent_text(steal_share(before, after)),
                                    percent_text(most))});
  double lowest = 1e9;
  double highest = 0;
  for (const auto& trial : data.trials) {
    lowest = std::min(lowest, trial.load_average);
    highest = std::max(highest, trial.load_average);
  }
  if (!data.trials.empty()) {
    data.facts.push_back({"run", "load average", fmt::format("{:.2f} to {:.2f}", lowest, highest)});
  }
}

// Goes through a plan until it is done or has to stop. Every record is on disk before the next one starts.
struct Runner {
  RunData& data;
  const RunDirectory& directory;
  const TrialSetup setup;
  const Clock::time_point until;
  Progress& progress;

  bool goes_on() {
    if (Clock::now() > until) data.status = "time-limit";
    if (disk_space(directory.path()).used_share() > kFullestDisk) data.status = "disk-limit";
    if (interrupted()) data.status = "interrupted";
    return data.status == "complete";
  }

  std::expected<void, std::string> run_trials() {
    for (const auto& planned : data.plan.trials) {
      if (!goes_on()) break;
      progress.starts(planned);
      auto record = run_trial(setup, data.spec, data.plan, planned);
      if (!record) {
        data.status = "interrupted";
        break;
      }
      progress.finished(planned, *record);
      if (auto done = directory.write_trial(*record); !done) return done;
      data.trials.push_back(std::move(*record));
    }
    return {};
  }

  std::expected<void, std::string> run_duets() {
    for (const auto& planned : data.plan.duets) {
      if (!goes_on()) break;
      progress.starts(planned);
      auto record = run_duet_trial(setup, data.spec, data.plan, data.models, planned);
      if (!record) {
        data.status = "interrupted";
        break;
      }
      progress.finished(planned, *record);
      if (auto done = directory.write_duet(*record); !done) return done;
      data.duets.push_back(std::move(*record));
    }
    return {};
  }
};

}  // namespace

RunData prepare_run(const RunRequest& request, const OwnBinary& binary, std::vector<ModelInfo> models,
                    const std::string& id) {
  RunData data;
  const Machine machine = read_machine();
  data.id = id;
  data.spec = request.spec;
  data.models = std::move(models);
  data.plan = make_plan(data.spec, data.models, read_limits().descriptors_hard, request.seed);
  data.cpus = choose_cpus(machine.cpus);
  data.machine = one_line(machine);
  data.facts = environment_facts();
  data.commit = build_info().commit;
  data.dirty = build_info().dirty;
  data.binary_sha256 = binary.sha256();
  data.command = request.command;
  data.started = utc_now();
  data.status = "interrupted";  // until it is not
  data.facts.push_back({"build", "SHA-256 of the binary", data.binary_sha256});
  return data;
}

std::expected<void, std::string> check_broker_properties(const RunData& data, const OwnBinary& binary,
                                                         const std::string& scratch) {
  std::vector<Properties> tried;
  for (const auto& trial : data.plan.trials) {
    const auto& series = data.plan.series[trial.series];
    const auto& properties = data.spec.levels[trial.level].broker;
    if (series.role == Role::ceiling || std::ranges::find(tried, properties) != tried.end()) continue;
    tried.push_back(properties);
    TrialSetup setup{.binary = &binary, .cpus = data.cpus, .scratch = scratch};
    auto server = start_server(setup, series.model, data.spec.threads, properties);
    if (!server) return std::unexpected(server.error());
    server->process.stop(10s);
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(scratch, ignored)) fs::remove_all(entry.path(), ignored);
  }
  return {};
}

std::expected<void, std::string> run_plan(RunData& data, const RunDirectory& directory, const OwnBinary& binary,
                                          std::chrono::seconds longest) {
  const auto write_environment = [&] {
    return directory.write("environment.json", environment_json(data).dump(1) + "\n");
  };
  if (auto done = directory.write("spec.json", data.spec.text); !done) return done;
  if (auto done = directory.write("plan.json", to_json(data.plan, data.spec).dump(1) + "\n"); !done) return done;
  auto scratch = Scratch::create(directory.path());
  if (!scratch) return std::unexpected(scratch.error());
  const auto start = Clock::now();
  const CpuTicks ticks_start = read_cpu_ticks();
  warm_memory(read_machine());
  data.ceilings_before = measure_ceilings(data.cpus, directory.path(), kCeilingTime);
  if (auto done = write_environment(); !done) return done;
  data.status = "complete";
  {
    Progress progress(data.spec, data.plan);
    Runner runner{data, directory, {&binary, data.cpus, scratch->path()}, start + longest, progress};
    if (auto done = runner.run_trials(); !done) return done;
    if (auto done = runner.run_duets(); !done) return done;
  }
  if (data.status == "complete") data.ceilings_after = measure_ceilings(data.cpus, directory.path(), kCeilingTime);
  add_run_facts(data, ticks_start, read_cpu_ticks());
  data.finished = utc_now();
  data.duration_s = std::chrono::duration<double>(Clock::now() - start).count();
  return write_environment();
}

std::expected<Scratch, std::string> Scratch::create(const std::string& beside) {
  if (const auto disk = disk_space(beside); disk.used_share() > kFullestDisk) {
    return std::unexpected(
        fmt::format("the disk that holds {} is {} full, and a run stops at {}: make room, or name another "
                    "place with --out",
                    beside, percent_text(disk.used_share()), percent_text(kFullestDisk)));
  }
  std::string path = beside + "/data-XXXXXX";
  if (mkdtemp(path.data()) == nullptr) {
    return std::unexpected(fmt::format("cannot create a data directory in {}: {}", beside, std::strerror(errno)));
  }
  return Scratch(std::move(path));
}

Scratch::~Scratch() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

int write_report(const RunData& data, const RunDirectory& directory, nlohmann::ordered_json extra_charts, bool draw) {
  const Results results(data);
  const auto report = make_report(results, std::move(extra_charts));
  for (const auto& [name, text] :
       {std::pair{"results.json", report.dump(1) + "\n"}, std::pair{"data.csv", make_csv(results)}}) {
    if (auto done = directory.write(name, text); !done) {
      fmt::print(stderr, "iolab: {}\n", done.error());
      return kInternalError;
    }
  }
  fmt::print("{}", terminal_summary(results, look_at_terminal(stdout)));
  std::fflush(stdout);
  std::string made = directory.file("results.json");
  if (draw && !interrupted()) {
    if (auto drawn = draw_report(directory); drawn) {
      made = directory.file("report.html");
    } else {
      fmt::print("\nNo pictures: {}.\n", drawn.error());
    }
  }
  fmt::print("\nReport   {}\n", made);
  const auto& next = report["next"];
  for (std::size_t i = 0; i < next.size(); ++i)
    fmt::print("{}{}\n", i == 0 ? "Next     " : "         ", next[i].get<std::string>());
  if (data.status == "interrupted") return kInterrupted;
  return results.failed_trials() > 0 ? kSomeCellsFailed : kOk;
}

}  // namespace iolab::lab
