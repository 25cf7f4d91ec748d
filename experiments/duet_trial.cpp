#include "experiments/duet_trial.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "experiments/duet_json.h"
#include "experiments/environment.h"
#include "experiments/units.h"

namespace iolab::lab {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using Clock = ChildProcess::Clock;

bool spins(const std::vector<ModelInfo>& models, const std::string& model) {
  const auto info = std::ranges::find(models, model_id(model), &ModelInfo::id);
  return info != models.end() && std::ranges::find(info->features, "never-sleeps") != info->features.end();
}

// Each server has a directory of its own below the scratch directory.
std::expected<RunningServer, std::string> start_side(TrialSetup setup, const char* side, const std::string& model,
                                                     const Spec& spec, const Level& level) {
  setup.scratch += side;
  std::error_code error;
  fs::remove_all(setup.scratch, error);
  fs::create_directory(setup.scratch, error);
  return start_server(setup, model, spec.threads, level.broker);
}

std::expected<clients::DuetResult, std::string> drive(const TrialSetup& setup, const clients::DuetSpec& duet) {
  const std::string errors = setup.scratch + "/duet.stderr";
  auto load = ChildProcess::start(
      {.binary = setup.binary, .arguments = {"iolab", "duet"}, .cpu = setup.cpus.load, .stderr_file = errors});
  if (!load) return std::unexpected(load.error());
  load->write(to_json(duet).dump() + "\n");
  load->close_input();
  const auto longest = std::chrono::ceil<std::chrono::seconds>(2 * duet.pairs * duet.slice + 2 * duet.warmup);
  const auto line = load->read_line(Clock::now() + kConnectLimit + 3 * longest);
  if (!line && line.error() == "interrupted") return std::unexpected(line.error());
  constexpr std::string_view kWord = "result ";
  if (!line || !line->starts_with(kWord)) return std::unexpected(with_last_words("no result of the duet", errors));
  return duet_result_from_json(std::string_view(*line).substr(kWord.size()));
}

std::string measure(const TrialSetup& setup, const Spec& spec, const Plan& plan, const std::vector<ModelInfo>& models,
                    const PlannedDuet& planned, DuetRecord& record) {
  const Level& level = spec.levels[planned.level];
  const std::string& model = plan.series[planned.series].model;
  auto baseline = start_side(setup, "/a", spec.baseline, spec, level);
  if (!baseline) return baseline.error();
  auto other = start_side(setup, "/b", model, spec, level);
  if (!other) return other.error();
  const auto seed = plan.seed * 1'000'003 + static_cast<std::uint64_t>(planned.round);
  const clients::DuetSpec duet{
      .a = {baseline->address, baseline->process.pid(), spins(models, spec.baseline)},
      .b = {other->address, other->process.pid(), spins(models, model)},
      .load = load_spec_for(level, spec.timing, seed),
      .slice = spec.judge->slice,
      .pairs = spec.judge->slices,
  };
  const CpuTicks before = read_cpu_ticks();
  const auto result = drive(setup, duet);
  record.steal_share = steal_share(before, read_cpu_ticks());
  for (auto* server : {&*baseline, &*other}) {
    const auto state = server->process.stop(kStopLimit);
    if (result && (!state || !state->ok())) return "a server did not stop in order";
  }
  if (!result) return result.error();
  if (result->errors > 0) return fmt::format("{} wrong or missing answers ({})", result->errors, result->note);
  record.cpu_ratio = result->cpu_ratio;
  record.cpu_ratio_low = result->cpu_ratio_low;
  record.cpu_ratio_high = result->cpu_ratio_high;
  record.rate_ratio = result->rate_ratio;
  record.answered_baseline = result->answered_a;
  record.answered_model = result->answered_b;
  return {};
}

}  // namespace

nlohmann::ordered_json to_json(const DuetRecord& record) {
  return {{"schema", "iolab-duet-1"},
          {"index", record.index},
          {"round", record.round},
          {"series", record.series},
          {"level", record.level},
          {"ok", record.ok},
          {"reason", record.reason},
          {"started", record.started},
          {"cpu_ratio", record.cpu_ratio},
          {"cpu_ratio_low", record.cpu_ratio_low},
          {"cpu_ratio_high", record.cpu_ratio_high},
          {"rate_ratio", record.rate_ratio},
          {"answered_baseline", record.answered_baseline},
          {"answered_model", record.answered_model},
          {"steal_share", record.steal_share}};
}

std::expected<DuetRecord, std::string> duet_from_json(std::string_view text) {
  try {
    const auto json = nlohmann::json::parse(text);
    DuetRecord record;
    json.at("index").get_to(record.index);
    json.at("round").get_to(record.round);
    json.at("series").get_to(record.series);
    json.at("level").get_to(record.level);
    json.at("ok").get_to(record.ok);
    json.at("reason").get_to(record.reason);
    json.at("started").get_to(record.started);
    json.at("cpu_ratio").get_to(record.cpu_ratio);
    json.at("cpu_ratio_low").get_to(record.cpu_ratio_low);
    json.at("cpu_ratio_high").get_to(record.cpu_ratio_high);
    json.at("rate_ratio").get_to(record.rate_ratio);
    json.at("answered_baseline").get_to(record.answered_baseline);
    json.at("answered_model").get_to(record.answered_model);
    json.at("steal_share").get_to(record.steal_share);
    return record;
  } catch (const nlohmann::json::exception& error) {
    return std::unexpected(std::string(error.what()));
  }
}

std::expected<DuetRecord, std::string> run_duet_trial(const TrialSetup& setup, const Spec& spec, const Plan& plan,
                                                      const std::vector<ModelInfo>& models,
                                                      const PlannedDuet& planned) {
  DuetRecord record{.index = planned.index,
                    .round = planned.round,
                    .series = plan.series[planned.series].id,
                    .level = spec.levels[planned.level].id,
                    .reason = {},
                    .started = utc_now()};
  record.reason = measure(setup, spec, plan, models, planned, record);
  if (record.reason == "interrupted") return std::unexpected(record.reason);
  record.ok = record.reason.empty();
  return record;
}

}  // namespace iolab::lab
