#include "experiments/commands/command_selfcheck.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "experiments/command.h"
#include "experiments/commands/command_line.h"
#include "experiments/judging/judgement.h"
#include "experiments/judging/simulation.h"
#include "experiments/report/report.h"

namespace iolab::lab {
namespace {

using Json = nlohmann::ordered_json;

void print(const Json& object) {
  fmt::print("{}\n", object.dump(1));
}

std::expected<RunData, std::string> load(const std::string& name) {
  const auto directory = RunDirectory::find(name);
  if (!directory) return std::unexpected(directory.error());
  return load_run(*directory);
}

Json share(int hits, int tries) {
  const Proportion rate = proportion(hits, tries);
  return {{"hits", hits}, {"of", tries}, {"share", rate.value}, {"low", rate.low}, {"high", rate.high}};
}

// One way of measuring at one size of effect.
Json point(SimulatedExperiment experiment, double effect, const Noise& noise, int experiments, std::uint64_t seed) {
  experiment.effect = 1 + effect;
  int found = 0;
  int wrong = 0;
  int judged = 0;
  for (int i = 0; i < experiments; ++i) {
    const auto outcome = simulate(experiment, noise, seed * 1'000'003 + static_cast<std::uint64_t>(i));
    found += outcome.found;
    wrong += outcome.wrong;
    judged += outcome.judged;
  }
  Json result{
      {"effect", effect}, {"judged", share(judged, experiments)}, {"false_clearly", share(wrong, std::max(judged, 1))}};
  if (effect != 0) result["found"] = share(found, experiments);
  return result;
}

Json curve(Way way, int repeat, const Noise& noise, int experiments, std::uint64_t seed) {
  // Trials can see only what is large; a duet's interest ends where a trial's begins.
  const std::vector<double> effects = way == Way::trials
                                          ? std::vector<double>{0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5}
                                          : std::vector<double>{0, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1};
  const SimulatedExperiment experiment{.way = way, .repeat = repeat};
  Json points = Json::array();
  for (const double effect : effects) points.push_back(point(experiment, effect, noise, experiments, seed));
  return {{"way", way == Way::trials ? "trials" : "duets"},
          {"repeat", repeat},
          {"models", experiment.models},
          {"ignore_below", experiment.ignore_below},
          {"points", points}};
}

double spread(const std::vector<double>& values) {
  double sum = 0;
  double squares = 0;
  for (const double value : values) {
    sum += std::log(value);
    squares += std::log(value) * std::log(value);
  }
  const auto n = static_cast<double>(values.size());
  return std::sqrt(std::max(0.0, squares / n - sum / n * (sum / n)));
}

int run_simulation(const std::string& run, int experiments, std::uint64_t seed) {
  const auto data = load(run);
  if (!data) return fail("selfcheck", kUsage, data.error());
  const auto noise = noise_of(Results(*data));
  if (!noise) return fail("selfcheck", kInvalidSpec, noise.error());
  print({{"noise",
          {{"run", data->id},
           {"machine", data->machine},
           {"started", data->started},
           {"trial_s", std::chrono::duration<double>(data->spec.timing.measure).count()},
           {"trials", noise->trials.size()},
           {"spread_of_trials", spread(noise->trials)},
           {"duet_s", std::chrono::duration<double>(2 * data->spec.judge->slices * data->spec.judge->slice).count()},
           {"duets", noise->duets.size()},
           {"spread_of_duets", spread(noise->duets)}}},
         {"experiments", experiments},
         {"curves", Json::array({curve(Way::trials, 10, *noise, experiments, seed),
                                 curve(Way::trials, 20, *noise, experiments, seed),
                                 curve(Way::duets, 10, *noise, experiments, seed)})}});
  return kOk;
}

int run_calibration(const std::string& run, const std::string& variant, int rounds) {
  const auto data = load(run);
  if (!data) return fail("selfcheck", kUsage, data.error());
  std::vector<double> ratios;
  for (const DuetRecord& duet : data->duets) {
    if (duet.ok && duet.series == variant) ratios.push_back(duet.cpu_ratio);
  }
  const auto interval = median_interval(ratios);
  if (!interval || rounds < 1) {
    return fail("selfcheck", kInvalidSpec,
                fmt::format("{} holds {} duets of \"{}\": 6 are needed", run, ratios.size(), variant));
  }
  print({{"rounds", rounds},
         {"ratio", median(ratios)},
         {"low", interval->low},
         {"high", interval->high},
         {"share_per_round", (median(ratios) - 1) / rounds}});
  return kOk;
}

int count_words(const std::vector<std::string>& runs) {
  std::map<std::string, std::map<std::string, int>> words;  // of each variant
  std::map<std::string, std::vector<double>> ratios;
  std::map<std::string, int> times;
  for (const auto& run : runs) {
    const auto data = load(run);
    if (!data) return fail("selfcheck", kUsage, data.error());
    const auto judgement = judgement_of(Results(*data));
    if (!judgement) return fail("selfcheck", kInvalidSpec, run + " judges nothing");
    for (const Verdict& verdict : judgement->verdicts) {
      ++times[verdict.of];
      ++words[verdict.of][std::string(name(verdict.word))];
      if (std::isfinite(verdict.ratio)) ratios[verdict.of].push_back(verdict.ratio);
    }
  }
  Json variants = Json::array();
  for (const auto& [id, count] : times) {
    variants.push_back({{"id", id},
                        {"runs", count},
                        {"median_ratio", median(ratios[id])},
                        {"words", words[id]},
                        {"clearly_more", share(words[id]["clearly_more"], count)},
                        {"clearly", share(words[id]["clearly_more"] + words[id]["clearly_less"], count)}});
  }
  print({{"runs", runs.size()}, {"variants", variants}});
  return kOk;
}

}  // namespace

void add_selfcheck_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("selfcheck", "What the lab's verdicts are worth: for scripts/selfcheck");
  command->group("");  // hidden
  command->require_subcommand(1);
  struct Flags {
    std::vector<std::string> runs;
    std::string run;
    std::string variant;
    int rounds = 0;
    int experiments = 1000;
    std::uint64_t seed = 1;
  };
  const auto flags = std::make_shared<Flags>();
  auto* simulate = command->add_subcommand("simulate", "experiments made of recorded noise");
  simulate->add_option("RUN", flags->run)->required();
  simulate->add_option("--experiments", flags->experiments)->check(CLI::Range(1, 100'000))->capture_default_str();
  simulate->add_option("--seed", flags->seed)->capture_default_str();
  simulate->callback([flags, &exit_code] { exit_code = run_simulation(flags->run, flags->experiments, flags->seed); });
  auto* calibrate = command->add_subcommand("calibrate", "what a round of the spin costs");
  calibrate->add_option("RUN", flags->run)->required();
  calibrate->add_option("VARIANT", flags->variant)->required();
  calibrate->add_option("ROUNDS", flags->rounds)->required();
  calibrate->callback([flags, &exit_code] { exit_code = run_calibration(flags->run, flags->variant, flags->rounds); });
  auto* count = command->add_subcommand("count", "the words that real runs gave");
  count->add_option("RUN", flags->runs)->required();
  count->callback([flags, &exit_code] { exit_code = count_words(flags->runs); });
}

}  // namespace iolab::lab
