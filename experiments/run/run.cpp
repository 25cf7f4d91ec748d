#include "experiments/run/run.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "experiments/command.h"
#include "experiments/machine/build_info.h"
#include "experiments/machine/interrupt.h"
#include "experiments/run/run_files.h"
#include "experiments/words/units.h"
#include "experiments/words/words.h"

namespace iolab::lab {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr double kFullestDisk = 0.8;
constexpr auto kCeilingTime = 50ms;
constexpr int kCeilingRepetitions = 3;
constexpr auto kCeilingTimeBetween = 10ms;
constexpr double kShareForCeilings = 0.03;  // of a run's time, between its trials

// A guest's first touch of a page is paid to the hypervisor, at nine times the price. What trials will write is touched
// before, but never more than a tenth of what is free.
std::vector<Ceiling> warm_memory(const Machine& machine) {
  constexpr std::uint64_t kMost = 1 << 30;
  return touch_memory(std::min(kMost, machine.available_bytes / 10));
}

// The yardsticks again and again, between blocks, as often as a small share of the run's time allows.
class CeilingsAlong {
 public:
  CeilingsAlong(RunData& data, const RunDirectory& directory) : data_(data), directory_(directory) {}

  void look() {
    const std::chrono::duration<double> passed = Clock::now() - start_;
    if (spent_ + last_ > kShareForCeilings * passed) return;
    const auto before = Clock::now();
    data_.sessions.back().ceilings_between.push_back(
        {data_.trials.empty() ? -1 : data_.trials.back().index, static_cast<int>(data_.duets.size()),
         measure_ceilings(data_.cpus, directory_.path(), kCeilingTimeBetween)});
    last_ = Clock::now() - before;
    spent_ += last_;
  }

 private:
  RunData& data_;
  const RunDirectory& directory_;
  const Clock::time_point start_ = Clock::now();
  std::chrono::duration<double> spent_{0};
  std::chrono::duration<double> last_{0.2};  // until it is known
};

}  // namespace

void sum_up(RunData& data) {
  data.finished = utc_now();
  data.duration_s = 0;
  for (const auto& one : data.sessions) data.duration_s += one.duration_s;
  std::erase_if(data.facts, [](const Fact& fact) { return fact.group == "run"; });  // of an earlier session
  if (data.trials.empty()) return;
  const auto steal = [](const TrialRecord& trial) { return trial.machine.steal_share; };
  const auto load = [](const TrialRecord& trial) { return trial.machine.load_average; };
  double stolen = 0;
  double looks = 0;  // nobody looks during a trial of the ceiling, or one that failed
  for (const auto& trial : data.trials) {
    if (trial.model.empty() || !trial.ok) continue;
    stolen += steal(trial);
    ++looks;
  }
  const auto most = steal(*std::ranges::max_element(data.trials, {}, steal));
  const auto average = looks > 0 ? stolen / looks : 0;
  data.facts.push_back(
      {"run", recorded("fact.steal"),
       recorded("fact.steal_value", {{"average", percent_text(average)}, {"most", percent_text(most)}})});
  const auto [lowest, highest] = std::ranges::minmax_element(data.trials, {}, load);
  data.facts.push_back(
      {"run", recorded("fact.load_average"), fmt::format("{:.2f}-{:.2f}", load(*lowest), load(*highest))});
}

namespace {

bool has_index(const auto& records, int index) {
  return std::ranges::any_of(records, [index](const auto& record) { return record.index == index; });
}

// Goes through what is left until it is done or has to stop. Every record is on disk before the next one starts.
struct Runner {
  RunData& data;
  const RunDirectory& directory;
  const TrialSetup setup;
  const Clock::time_point until;
  Progress& progress;
  const int session = static_cast<int>(data.sessions.size()) - 1;
  CeilingsAlong ceilings{data, directory};

  bool goes_on() {
    if (Clock::now() > until) data.status = "time-limit";
    if (disk_space(directory.path()).used_share() > kFullestDisk) data.status = "disk-limit";
    if (interrupted()) data.status = "interrupted";
    return data.status == "complete";
  }

  std::expected<void, std::string> run_trials(const std::vector<PlannedTrial>& trials) {
    for (const auto& planned : trials) {
      if (!goes_on()) break;
      progress.starts(planned);
      auto record = run_trial(setup, data.spec, data.plan, planned);
      if (!record) {
        data.status = "interrupted";
        break;
      }
      record->session = session;
      progress.finished(*record);
      if (auto done = directory.write_trial(*record); !done) return done;
      data.trials.push_back(std::move(*record));
      const bool block_ends = &planned == &trials.back() || (&planned + 1)->block != planned.block;
      if (block_ends) ceilings.look();
    }
    return {};
  }

  std::expected<void, std::string> run_duets(std::span<const PlannedDuet> duets) {
    for (std::size_t at = 0; at < duets.size(); at += group_from(duets, at).size()) {
      if (!goes_on()) break;
      const auto left = group_from(duets, at);
      progress.starts(left);
      // With the neighbours of the plan, also if a kill left only a part of the group without a record.
      const auto first = std::ranges::find(data.plan.duets, left.front().group, &PlannedDuet::group);
      const auto together = group_from(data.plan.duets, static_cast<std::size_t>(first - data.plan.duets.begin()));
      auto records = run_duet_group(setup, data.spec, data.plan, data.models, together);
      if (!records) {
        data.status = "interrupted";
        break;
      }
      std::erase_if(*records, [&](const DuetRecord& record) { return has_index(data.duets, record.index); });
      progress.finished(*records);
      for (auto& record : *records) {
        record.session = session;
        if (auto done = directory.write_duet(record); !done) return done;
        data.duets.push_back(std::move(record));
      }
      ceilings.look();
    }
    return {};
  }

  // After all that is timed. What is not there when the user or the time ends it is not missed: nothing rests on it.
  std::expected<void, std::string> count_calls() {
    const std::string forbidden = KernelCalls::forbidden();
    data.counts.clear();  // of an earlier session
    for (const auto& planned : trials_to_count(data.plan, data.spec)) {
      if (Clock::now() > until || interrupted()) break;
      CallCount count{.index = static_cast<int>(planned.series),
                      .series = data.plan.series[planned.series].id,
                      .level = data.spec.levels[planned.level].id,
                      .reason = forbidden,
                      .calls = {}};
      if (forbidden.empty()) {
        auto counted = lab::count_calls(setup, data.spec, data.plan, data.models, planned);
        if (!counted) break;
        count = std::move(*counted);
      }
      if (auto done = directory.write_count(count); !done) return done;
      data.counts.push_back(std::move(count));
    }
    return {};
  }
};

std::expected<NetworkPath, std::string> path_of(const Spec& spec) {
  return spec.path == PathKind::veth ? NetworkPath::veth() : NetworkPath();
}

}  // namespace

std::expected<void, std::string> write_environment(const RunData& data, const RunDirectory& directory) {
  return directory.write("environment.json", environment_json(data).dump(1) + "\n");
}

RunData prepare_run(const RunRequest& request, const OwnBinary& binary, std::vector<ModelInfo> models,
                    const std::string& id) {
  RunData data;
  const Machine machine = read_machine();
  data.id = id;
  data.spec = request.spec;
  data.models = std::move(models);
  const auto path = path_of(data.spec);
  data.plan = make_plan(data.spec, data.models, read_limits().descriptors_hard, request.seed, request.filter,
                        path ? std::string() : path.error());
  data.cpus = request.cpus.value_or(choose_cpus(machine.cpus));
  data.machine = one_line(machine);
  data.facts = environment_facts();
  data.commit = build_info().commit;
  data.dirty = build_info().dirty;
  data.binary_sha256 = binary.sha256();
  data.command = request.command;
  data.started = utc_now();
  data.status = "interrupted";  // until it is not
  data.facts.push_back({"build", recorded("fact.sha256"), data.binary_sha256});
  return data;
}

std::expected<void, std::string> check_broker_properties(const RunData& data, const OwnBinary& binary,
                                                         const std::string& scratch) {
  if (!data.spec.probe.empty()) return {};  // it starts no broker
  std::vector<std::pair<Properties, int>> tried;
  for (const auto& trial : data.plan.trials) {
    const auto& series = data.plan.series[trial.series];
    const std::pair asked(broker_properties(series, data.spec.levels[trial.level]), serving_threads(series, data.spec));
    const bool is_started = series.role == Role::model || series.role == Role::again;
    if (!is_started || std::ranges::find(tried, asked) != tried.end()) continue;
    tried.push_back(asked);
    TrialSetup setup{.binary = &binary, .cpus = data.cpus, .scratch = scratch};
    auto server = start_server(setup, series.model, asked.second, asked.first);
    if (!server) return std::unexpected(server.error());
    server->process.stop(10s);
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(scratch, ignored)) fs::remove_all(entry.path(), ignored);
  }
  return {};
}

std::expected<void, std::string> write_plan(const RunData& data, const RunDirectory& directory) {
  if (auto done = directory.write("spec.json", data.spec.text); !done) return done;
  if (auto done = write_environment(data, directory); !done) return done;
  return directory.write("plan.json", to_json(data.plan, data.spec).dump(1) + "\n");
}

Left what_is_left(const RunData& data) {
  Left left;
  for (const auto& trial : data.plan.trials) {
    if (!has_index(data.trials, trial.index)) left.trials.push_back(trial);
  }
  for (const auto& duet : data.plan.duets) {
    if (!has_index(data.duets, duet.index)) left.duets.push_back(duet);
  }
  return left;
}

std::expected<void, std::string> run_session(RunData& data, const RunDirectory& directory, const OwnBinary& binary,
                                             const SessionOptions& options) {
  auto scratch = Scratch::create(directory.path());
  if (!scratch) return std::unexpected(scratch.error());
  const auto path = path_of(data.spec);
  if (!path) return std::unexpected(path.error());
  const Left left = what_is_left(data);
  const auto start = Clock::now();
  const Machine machine = read_machine();
  const auto touches = warm_memory(machine);
  data.sessions.push_back(
      {.started = utc_now(),
       .finished = {},
       .fingerprint = fingerprint_of(machine, data.cpus, binary.sha256()),
       .ceilings_before = measure_ceilings(data.cpus, directory.path(), kCeilingTime, kCeilingRepetitions),
       .ceilings_after = {}});
  Session& session = data.sessions.back();
  session.ceilings_before.insert(session.ceilings_before.end(), touches.begin(), touches.end());
  if (data.ceilings_before.empty()) data.ceilings_before = session.ceilings_before;
  data.status = "interrupted";  // which is what a kill leaves behind
  data.reported.clear();
  if (auto done = write_environment(data, directory); !done) return done;
  data.status = "complete";
  {
    Progress progress(data.spec, data.plan, left, options.talk);
    TrialSetup setup{.binary = &binary, .cpus = data.cpus, .scratch = scratch->path(), .path = &*path};
    Runner runner{data, directory, std::move(setup), start + options.longest, progress};
    if (auto done = runner.run_trials(left.trials); !done) return done;
    if (auto done = runner.run_duets(left.duets); !done) return done;
    if (options.count_calls && data.spec.probe.empty() && data.status == "complete") {
      if (auto done = runner.count_calls(); !done) return done;
    }
  }
  std::ranges::sort(data.trials, {}, &TrialRecord::index);
  std::ranges::sort(data.duets, {}, &DuetRecord::index);
  if (data.status == "complete") {
    session.ceilings_after = measure_ceilings(data.cpus, directory.path(), kCeilingTime, kCeilingRepetitions);
    data.ceilings_after = session.ceilings_after;
  }
  session.finished = utc_now();
  session.duration_s = std::chrono::duration<double>(Clock::now() - start).count();
  sum_up(data);
  return write_environment(data, directory);
}

std::expected<Scratch, std::string> Scratch::create(const std::string& beside) {
  if (const auto disk = disk_space(beside); disk.used_share() > kFullestDisk) {
    return std::unexpected(
        fmt::format("the disk that holds {} is {} full, and a run stops at {}: make room, or name another "
                    "place with --out",
                    beside, percent_text(disk.used_share()), percent_text(kFullestDisk)));
  }
  std::string path = fmt::format("{}/{}XXXXXX", beside, kScratchPrefix);
  if (mkdtemp(path.data()) == nullptr) {
    return std::unexpected(fmt::format("cannot create a data directory in {}: {}", beside, std::strerror(errno)));
  }
  return Scratch(std::move(path));
}

Scratch::~Scratch() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

std::vector<std::string> missing_models(const RunData& data) {
  std::vector<std::string> missing;
  for (const auto& series : data.plan.series) {
    if (series.role != Role::model) continue;
    const auto info = std::ranges::find(data.models, model_id(series.model), &ModelInfo::id);
    if (info == data.models.end()) missing.push_back(series.id + ": this binary does not have the model");
    if (info != data.models.end() && !info->available)
      missing.push_back(fmt::format("{}: {}", series.id, info->reason));
  }
  return missing;
}

}  // namespace iolab::lab
