#include "experiments/judging/simulation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "experiments/judging/judgement.h"

namespace iolab::lab {
namespace {

constexpr std::size_t kPiece = 24;  // neighbours: two blocks of a usual experiment, one or two minutes
constexpr const char* kMetric = "server_cpu_us_per_request";
constexpr std::uint64_t kOtherStream = 0x9E3779B97F4A7C15;  // the plan's order is drawn from the seed itself

std::string model_name(int number) {
  return fmt::format("model-{}", number);
}

// A plan as an experiment of so many models would have, at one level.
RunData planned(const SimulatedExperiment& experiment, std::uint64_t seed) {
  RunData data;
  Spec& spec = data.spec;
  spec.name = "simulated";
  spec.baseline = model_name(0);
  for (int i = 0; i <= experiment.models; ++i) {
    spec.models.push_back(model_name(i));
    data.models.push_back({model_name(i), "", "", true, "", {}});
  }
  spec.levels.emplace_back();
  spec.levels.front().id = spec.levels.front().label = "all";
  spec.timing.repeat = experiment.repeat;
  spec.judge = Judge{.metric = kMetric, .ignore_below = experiment.ignore_below};
  if (experiment.way == Way::duets) spec.judge->duets = experiment.repeat;
  data.plan = make_plan(spec, data.models, 20'000, seed);
  return data;
}

double effect_on(const Series& series, double effect) {
  return series.role == Role::model && series.id == model_name(1) ? effect : 1;
}

void add_trials(RunData& data, const SimulatedExperiment& experiment, const Noise& noise, std::uint64_t seed) {
  Resampler draw(noise.trials, kPiece, seed ^ kOtherStream);
  constexpr double kRequests = 100'000;
  for (const PlannedTrial& trial : data.plan.trials) {
    const Series& series = data.plan.series[trial.series];
    TrialRecord record;
    record.index = trial.index;
    record.block = trial.block;
    record.series = series.id;
    record.model = series.model;
    record.level = data.spec.levels[trial.level].id;
    record.cell = cell_id(series, data.spec.levels[trial.level]);
    record.ok = true;
    record.load.requests = static_cast<std::uint64_t>(kRequests);
    record.server.cpu_s = draw.next() * effect_on(series, experiment.effect) * kRequests / 1e6;
    data.trials.push_back(std::move(record));
  }
}

void add_duets(RunData& data, const SimulatedExperiment& experiment, const Noise& noise, std::uint64_t seed) {
  Resampler draw(noise.duets, kPiece, seed ^ kOtherStream);
  for (const PlannedDuet& duet : data.plan.duets) {
    const Series& series = data.plan.series[duet.series];
    DuetRecord record{.index = duet.index, .round = duet.round, .series = series.id, .ok = true, .reason = {}};
    record.level = data.spec.levels[duet.level].id;
    record.cpu_ratio = draw.next() * effect_on(series, experiment.effect);
    data.duets.push_back(std::move(record));
  }
}

}  // namespace

double Resampler::next() {
  if (left_ == 0) {
    at_ = random_() % recorded_.size();
    left_ = piece_;
  }
  --left_;
  const double value = recorded_[at_];
  at_ = (at_ + 1) % recorded_.size();
  return value;
}

std::expected<Noise, std::string> noise_of(const Results& results) {
  const RunData& data = results.data();
  const auto level = judged_level(data.plan, data.spec);
  if (!level) return std::unexpected(data.id + " judges nothing: run `nothing`");
  const std::string model(model_id(data.spec.baseline));
  Noise noise;
  for (const TrialRecord& trial : data.trials) {
    if (!trial.ok || trial.level != data.spec.levels[*level].id || trial.model.empty()) continue;
    if (model_id(trial.model) != model) {
      return std::unexpected(fmt::format("{} compares {} with {}: noise is recorded of one model against itself",
                                         data.id, trial.model, model));
    }
    if (const auto value = results.metric_of(trial, kMetric)) noise.trials.push_back(*value);
  }
  for (const DuetRecord& duet : data.duets) {
    if (duet.ok && std::isfinite(duet.cpu_ratio)) noise.duets.push_back(duet.cpu_ratio);
  }
  constexpr std::size_t kFewest = 2 * kPiece;
  if (noise.trials.size() < kFewest || noise.duets.size() < kFewest) {
    return std::unexpected(fmt::format("{} holds {} trials and {} duets of one level: at least {} of each are needed",
                                       data.id, noise.trials.size(), noise.duets.size(), kFewest));
  }
  return noise;
}

SimulatedOutcome simulate(const SimulatedExperiment& experiment, const Noise& noise, std::uint64_t seed) {
  RunData data = planned(experiment, seed);
  if (experiment.way == Way::trials) {
    add_trials(data, experiment, noise, seed);
  } else {
    data.plan.trials.clear();
    add_duets(data, experiment, noise, seed);
  }
  const Results results(data);
  const auto judgement = judgement_of(results);
  SimulatedOutcome outcome;
  if (!judgement) return outcome;
  for (const Verdict& verdict : judgement->verdicts) {
    outcome.judged = outcome.judged || verdict.word != Word::cannot_say;
    const bool more = verdict.word == Word::clearly_more;
    const bool less = verdict.word == Word::clearly_less;
    const bool planted = verdict.of == model_name(1) && experiment.effect != 1;
    outcome.found = outcome.found || (planted && more);
    outcome.wrong = outcome.wrong || less || (more && !planted);
  }
  return outcome;
}

}  // namespace iolab::lab
