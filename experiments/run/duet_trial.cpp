#include "experiments/run/duet_trial.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "experiments/machine/environment.h"
#include "experiments/run/duet_json.h"
#include "experiments/run/level_load.h"
#include "experiments/run/observer.h"
#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using Clock = ChildProcess::Clock;

// A server whose kernel thread spins has two threads that want one CPU. After a stop the first runs until the
// scheduler's tick (10 ms at the most): a slice without a lead-in lost 2 to 3 ms that no trial loses.
constexpr auto kLeadIn = 10ms;

// Each server has a directory of its own below the scratch directory.
std::expected<RunningServer, std::string> start_side(TrialSetup setup, std::size_t side, const Series& series,
                                                     const Spec& spec, const Level& level) {
  setup.scratch += fmt::format("/{}", side);
  std::error_code error;
  fs::remove_all(setup.scratch, error);
  fs::create_directory(setup.scratch, error);
  return start_server(setup, series.model, serving_threads(series, spec), broker_properties(series, level));
}

std::expected<DuetSummary, std::string> drive(const TrialSetup& setup, const clients::DuetSpec& duet,
                                              const Glance& glance) {
  const std::string errors = setup.scratch + "/duet.stderr";
  auto load = ChildProcess::start({.binary = setup.binary,
                                   .arguments = {"iolab", "duet"},
                                   .cpu = setup.cpus.load,
                                   .stderr_file = errors,
                                   .network_namespace = setup.load_namespace()});
  if (!load) return std::unexpected(load.error());
  load->write(to_json(duet).dump() + "\n");
  load->close_input();
  const auto sides = duet.others.size() + 1;
  const auto longest = std::chrono::ceil<std::chrono::seconds>(
      2 * duet.pairs * duet.others.size() * (duet.lead_in + duet.slice) + sides * duet.warmup);
  const auto line = load->read_line(Clock::now() + kConnectLimit + 3 * longest, glance);
  if (!line && line.error() == "interrupted") return std::unexpected(line.error());
  constexpr std::string_view kWord = "result ";
  if (!line || !line->starts_with(kWord)) return std::unexpected(with_last_words("no result of the duet", errors));
  return duet_summary_from_json(std::string_view(*line).substr(kWord.size()));
}

// The baseline and those that are compared with it, all running at once.
class Group {
 public:
  Group(const TrialSetup& setup, const Spec& spec, const Plan& plan, const std::vector<ModelInfo>& models,
        std::span<const PlannedDuet> together)
      : setup_(setup), spec_(spec), plan_(plan), models_(models), level_(spec.levels[together.front().level]) {
    for (const PlannedDuet& planned : together) {
      records_.push_back({.index = planned.index,
                          .round = planned.round,
                          .series = plan.series[planned.series].id,
                          .level = level_.id,
                          .reason = {},
                          .started = utc_now()});
    }
    duet_.load =
        load_spec_for(level_, spec.timing, plan.seed * 1'000'003 + static_cast<std::uint64_t>(together.front().round));
    duet_.slice = spec.judge->slice;
    duet_.pairs = spec.judge->slices;
  }

  std::expected<std::vector<DuetRecord>, std::string> run(std::span<const PlannedDuet> together) {
    const auto baseline = std::ranges::find(plan_.series, spec_.baseline, &Series::id);
    const MachineLook before = look_at_machine(setup_.cpus.server, 0);
    const double our_cpu_before = our_cpu_s_so_far();
    std::string problem = start(*baseline);
    if (problem == "interrupted") return std::unexpected(problem);
    std::vector<DuetRecord*> compared;  // in the order of DuetSpec::others
    for (std::size_t i = 0; problem.empty() && i < together.size(); ++i) {
      records_[i].reason = start(plan_.series[together[i].series]);
      if (records_[i].reason == "interrupted") return std::unexpected(records_[i].reason);
      if (records_[i].reason.empty()) compared.push_back(&records_[i]);
    }
    if (problem.empty() && !compared.empty()) problem = measure(compared);
    if (problem == "interrupted") return std::unexpected(problem);
    const MachineReading machine = watched(before, our_cpu_before);
    for (DuetRecord& record : records_) {
      record.machine = machine;
      if (record.reason.empty()) record.reason = problem;
      record.ok = record.reason.empty();
    }
    return std::move(records_);
  }

 private:
  // The CPU of servers and load is known in full once they have ended and been waited for.
  MachineReading watched(const MachineLook& before, double our_cpu_before) {
    servers_.clear();
    const MachineLook after = look_at_machine(setup_.cpus.server, 0);
    MachineReading machine = reading_between(before, after, our_cpu_s_so_far() - our_cpu_before);
    machine.flags = flags_of(machine);
    return machine;
  }

  // Each step returns an empty text, or what went wrong.
  std::string start(const Series& series) {
    if (series.target) {  // never the baseline, which is a model
      duet_.others.push_back({.target = {series.target->host, series.target->port}, .pid = 0, .pause = false});
      elsewhere_.push_back(*series.target);
      return {};
    }
    auto server = start_side(setup_, servers_.size(), series, spec_, level_);
    if (!server) return server.error();
    const clients::DuetSide side{server->address, server->process.pid(), spins(models_, series.model)};
    if (kernel_thread_spins(models_, series.model)) duet_.lead_in = kLeadIn;
    if (servers_.empty()) {
      duet_.baseline = side;
    } else {
      duet_.others.push_back(side);
    }
    servers_.push_back(std::move(*server));
    return {};
  }

  std::string measure(const std::vector<DuetRecord*>& compared) {
    std::string too_large;
    // On a broker that is not ours nothing is to be left behind, nor met.
    if (!elsewhere_.empty())
      duet_.load.topic = fmt::format("iolab-{}-{}-{}", spec_.name, getpid(), records_.front().index);
    const auto summary = drive(setup_, duet_, [&] {
      for (const RunningServer& server : servers_) {
        if (too_large.empty()) too_large = over_memory(server.process.pid(), spec_.limits.memory_bytes);
      }
      return too_large;
    });
    const bool clean =
        std::ranges::all_of(elsewhere_, [&](const Target& at) { return delete_topic(setup_, at, duet_.load.topic); });
    if (!too_large.empty()) return too_large;  // the servers are killed with this object
    for (RunningServer& server : servers_) {
      const auto state = server.process.stop(kStopLimit);
      if (summary && (!state || !state->ok())) return "a server did not stop in order";
    }
    if (!summary) return summary.error();
    if (summary->errors > 0) return fmt::format("{} wrong or missing answers ({})", summary->errors, summary->note);
    for (std::size_t i = 0; i < compared.size(); ++i) {
      const DuetRatios& ratios = summary->comparisons.at(i);
      DuetRecord& record = *compared[i];
      record.cpu_ratio = ratios.cpu;
      record.cpu_ratio_low = ratios.cpu_low;
      record.cpu_ratio_high = ratios.cpu_high;
      record.rate_ratio = ratios.rate;
      record.answered_baseline = summary->answered_baseline;
      record.answered_model = ratios.answered;
    }
    return clean ? "" : fmt::format("topic {} could not be deleted again", duet_.load.topic);
  }

  const TrialSetup& setup_;
  const Spec& spec_;
  const Plan& plan_;
  const std::vector<ModelInfo>& models_;
  const Level& level_;
  std::vector<DuetRecord> records_;
  std::vector<RunningServer> servers_;  // the baseline first
  std::vector<Target> elsewhere_;       // brokers that ran already
  clients::DuetSpec duet_;
};

}  // namespace

nlohmann::ordered_json to_json(const DuetRecord& record) {
  return {{"schema", "iolab-duet-1"},
          {"index", record.index},
          {"round", record.round},
          {"session", record.session},
          {"series", record.series},
          {"level", record.level},
          {"ok", record.ok},
          {"reason", record.reason},
          {"started", record.started},
          {"cpu_ratio", number_or_null(record.cpu_ratio)},
          {"cpu_ratio_low", number_or_null(record.cpu_ratio_low)},
          {"cpu_ratio_high", number_or_null(record.cpu_ratio_high)},
          {"rate_ratio", number_or_null(record.rate_ratio)},
          {"answered_baseline", record.answered_baseline},
          {"answered_model", record.answered_model},
          {"machine", to_json(record.machine)}};
}

std::expected<DuetRecord, std::string> duet_from_json(std::string_view text) {
  try {
    const auto json = nlohmann::ordered_json::parse(text);
    DuetRecord record;
    json.at("index").get_to(record.index);
    json.at("round").get_to(record.round);
    record.session = json.value("session", 0);  // older runs had no second one
    json.at("series").get_to(record.series);
    json.at("level").get_to(record.level);
    json.at("ok").get_to(record.ok);
    json.at("reason").get_to(record.reason);
    json.at("started").get_to(record.started);
    record.cpu_ratio = number_or_nan(json.at("cpu_ratio"));
    record.cpu_ratio_low = number_or_nan(json.at("cpu_ratio_low"));
    record.cpu_ratio_high = number_or_nan(json.at("cpu_ratio_high"));
    record.rate_ratio = number_or_nan(json.at("rate_ratio"));
    json.at("answered_baseline").get_to(record.answered_baseline);
    json.at("answered_model").get_to(record.answered_model);
    record.machine = machine_reading_from_json(json.contains("machine") ? json.at("machine") : json);
    return record;
  } catch (const nlohmann::json::exception& error) {
    return std::unexpected(std::string(error.what()));
  }
}

std::expected<std::vector<DuetRecord>, std::string> run_duet_group(const TrialSetup& setup, const Spec& spec,
                                                                   const Plan& plan,
                                                                   const std::vector<ModelInfo>& models,
                                                                   std::span<const PlannedDuet> together) {
  return Group(setup, spec, plan, models, together).run(together);
}

}  // namespace iolab::lab
