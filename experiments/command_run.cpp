#include "experiments/command_run.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "experiments/assets.h"
#include "experiments/command.h"
#include "experiments/interrupt.h"
#include "experiments/metrics.h"
#include "experiments/run.h"
#include "experiments/units.h"

namespace iolab::lab {
namespace {

struct RunFlags {
  std::string name;
  std::string profile = "standard";
  std::string models;
  std::vector<std::string> settings;
  std::uint64_t seed = 1;
  std::string out;
  std::string max_time;
  bool dry_run = false;
  bool no_report = false;
};

int fail(int code, const std::string& text) {
  fmt::print(stderr, "iolab run: {}\n", text);
  return code;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t start = 0; start <= text.size();) {
    const auto end = std::min(text.find(separator, start), text.size());
    if (end > start) parts.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

// "epoll,io_uring:a=1,b=2": a comma inside a model's options does not part models.
std::vector<std::string> split_models(const std::string& text) {
  std::vector<std::string> models;
  for (const auto& part : split(text, ',')) {
    const bool option = !models.empty() && part.find('=') != std::string::npos && part.find(':') == std::string::npos;
    if (option)
      models.back() += "," + part;
    else
      models.push_back(part);
  }
  return models;
}

std::expected<SpecOptions, std::string> spec_options(const RunFlags& flags, const std::vector<ModelInfo>& models) {
  SpecOptions options{.profile = flags.profile};
  for (const auto& model : models) options.known_models.push_back(model.id);
  if (!flags.models.empty() && flags.models != "all") options.models = split_models(flags.models);
  for (const auto& setting : flags.settings) {
    const auto equals = setting.find('=');
    if (equals == std::string::npos || equals == 0) {
      return std::unexpected(
          fmt::format("--set \"{}\" needs KEY=VALUE, for example --set idle_connections=0,1000", setting));
    }
    options.settings.emplace_back(setting.substr(0, equals), split(setting.substr(equals + 1), ','));
  }
  return options;
}

std::string quoted(const std::string& word) {
  return word.find_first_of(" ;&|*?$\"'()") == std::string::npos ? word : "'" + word + "'";
}

std::string repeat_command(const RunFlags& flags) {
  std::string text = fmt::format("iolab run {} --profile {}", quoted(flags.name), flags.profile);
  if (!flags.models.empty()) text += " --models " + quoted(flags.models);
  for (const auto& setting : flags.settings) text += " --set " + quoted(setting);
  return text + fmt::format(" --seed {}", flags.seed);
}

void print_problems(const std::vector<Problem>& problems) {
  constexpr std::size_t kMost = 20;
  for (std::size_t i = 0; i < problems.size() && i < kMost; ++i) fmt::print(stderr, "{}\n", to_text(problems[i]));
  if (problems.size() > kMost) fmt::print(stderr, "... and {} more\n", problems.size() - kMost);
  fmt::print(stderr, "{}; nothing was run.\n", counted(problems.size(), "problem"));
}

void print_plan(const RunData& data) {
  const auto& spec = data.spec;
  fmt::print("{}\n  {}\n\n", spec.question, spec.background);
  fmt::print("  profile    {}: {} warm-up, {} measured, {} per cell\n", spec.profile, duration_text(spec.timing.warmup),
             duration_text(spec.timing.measure), counted(static_cast<std::uint64_t>(spec.timing.repeat), "trial"));
  for (const auto& axis : spec.axes) fmt::print("  {}: {}\n", axis.label, listed(axis.labels));
  std::vector<std::string> models;
  for (const auto& series : data.plan.series) models.push_back(series.id);
  fmt::print("  models     {}\n", listed(models));
  if (spec.judge) {
    fmt::print("  judged     {}, {} is better, differences below {} do not matter, confidence {}; by {}\n",
               find_metric(spec.judge->metric)->label, spec.judge->better, percent_text(spec.judge->ignore_below),
               percent_text(spec.judge->confidence),
               spec.judge->duets > 0 ? counted(data.plan.duets.size(), "duet") : std::string("trials"));
  }
  fmt::print("  spec       sha256 {}\n", spec.sha256);
  fmt::print("  trials     {}, about {}\n", data.plan.trials.size(), clock_text(expected_duration(spec, data.plan)));
  for (const auto& entry : data.plan.not_run) {
    fmt::print("  not run    {}: {}\n", cell_id(data.plan.series[entry.series], spec.levels[entry.level]),
               entry.reason);
  }
  fmt::print("\nNext: the same command without --dry-run\n");
}

int run(const RunFlags& flags) {
  const auto path = find_experiment(flags.name);
  if (!path) return fail(kUsage, path.error());
  const auto text = read_text_file(*path);
  if (!text) return fail(kInvalidSpec, text.error());
  const auto binary = OwnBinary::open();
  if (!binary) return fail(kInternalError, binary.error());
  auto models = ask_for_models(*binary);
  if (!models) return fail(kInternalError, models.error());
  const auto options = spec_options(flags, *models);
  if (!options) return fail(kUsage, options.error());
  auto spec = parse_spec(*text, *path, *options);
  if (!spec) {
    print_problems(spec.error());
    return kInvalidSpec;
  }
  auto longest = spec->longest;
  if (!flags.max_time.empty()) {
    const auto limit = parse_duration(flags.max_time);
    if (!limit) return fail(kUsage, "--max-time: " + limit.error());
    longest = std::chrono::ceil<std::chrono::seconds>(*limit);
  }
  const RunRequest request{
      .spec = std::move(*spec), .seed = flags.seed, .longest = longest, .command = repeat_command(flags)};
  auto data = prepare_run(request, *binary, std::move(*models), "");
  if (flags.dry_run) {
    print_plan(data);
    return kOk;
  }
  if (data.plan.trials.empty()) {
    print_plan(data);
    return fail(kCannotRunHere, "nothing of this can run on this machine; the reasons are above");
  }
  const InterruptScope scope;
  const auto directory = RunDirectory::create(flags.out, data.spec.name);
  if (!directory) return fail(kCannotRunHere, directory.error());
  data.id = directory->id();
  {
    const auto scratch = Scratch::create(directory->path());
    if (!scratch) return fail(kCannotRunHere, scratch.error());
    if (auto accepted = check_broker_properties(data, *binary, scratch->path()); !accepted) {
      return fail(kInvalidSpec, accepted.error());
    }
  }
  if (auto done = run_plan(data, *directory, *binary, longest); !done) return fail(kInternalError, done.error());
  const int code = write_report(data, *directory, nlohmann::ordered_json::array(), !flags.no_report);
  if (data.status == "interrupted") {
    fmt::print(stderr, "Stopped after {} of {}. What is finished is kept: iolab report {}\n", data.trials.size(),
               counted(data.plan.trials.size(), "trial"), directory->path());
  }
  return code;
}

int rebuild(const std::string& name, bool no_report) {
  const auto directory = RunDirectory::find(name);
  if (!directory) {
    fmt::print(stderr, "iolab report: {}\n", directory.error());
    return kUsage;
  }
  const auto data = load_run(*directory);
  if (!data) {
    fmt::print(stderr, "iolab report: {}\n", data.error());
    return kInvalidSpec;
  }
  auto extra = nlohmann::ordered_json::array();
  if (const auto text = read_text_file(directory->file("traces/charts.json"))) {
    const auto charts = nlohmann::ordered_json::parse(*text, nullptr, false);
    if (charts.is_array()) extra = charts;
  }
  const int code = write_report(*data, *directory, extra, !no_report);
  return code == kInterrupted || code == kSomeCellsFailed ? kOk : code;  // the report itself was made
}

constexpr const char* kRunExamples = R"(
Examples
  iolab run idle-tax --profile quick        under 3 minutes: a preview
  iolab run idle-tax                        standard: 10 trials per cell, with intervals; an hour or so
  iolab run idle-tax --models select,epoll --set idle_connections=0,1000
  iolab run my.json --dry-run               show the plan and how long it takes

Exit codes  0 ok · 1 internal error · 2 wrong flag or command · 3 invalid spec or properties
            4 this machine cannot run it · 5 finished, but some trials failed · 130 interrupted
)";

}  // namespace

void add_run_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("run", "Run an experiment, then write its report");
  const auto flags = std::make_shared<RunFlags>();
  command->add_option("NAME|FILE", flags->name, "an experiment (iolab list), or a file that ends in .json")->required();
  command->add_option("--profile", flags->profile, "quick, standard or careful: how many trials, how long")
      ->check(CLI::IsMember({"quick", "standard", "careful"}))
      ->capture_default_str();
  command->add_option("--models", flags->models, "comma-separated, each ID or ID:KEY=VALUE; default: all");
  command->add_option("--set", flags->settings, "KEY=V1[,V2...]: replace an axis or a value; may be repeated");
  command->add_option("--seed", flags->seed, "of the order of the trials")->capture_default_str();
  command->add_option("--out", flags->out, "directory of the run; default: results/NAME-DATE-TIME");
  command->add_option("--max-time", flags->max_time, "start no new trial after this long, for example 10m");
  command->add_flag("--dry-run", flags->dry_run, "show the plan, run nothing");
  command->add_flag("--no-report", flags->no_report, "no pictures: tables, JSON and CSV only");
  command->footer(kRunExamples);
  command->callback([flags, &exit_code] { exit_code = run(*flags); });
}

void add_report_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("report", "Make a run's report again from what was measured");
  const auto name = std::make_shared<std::string>();
  const auto no_report = std::make_shared<bool>(false);
  command->add_option("RUN", *name, "a run in ./results, or its directory; default: the latest");
  command->add_flag("--no-report", *no_report, "no pictures: tables, JSON and CSV only");
  command->callback([name, no_report, &exit_code] { exit_code = rebuild(*name, *no_report); });
}

}  // namespace iolab::lab
