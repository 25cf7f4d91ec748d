#include "experiments/commands/command_run.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "experiments/command.h"
#include "experiments/commands/command_line.h"
#include "experiments/judging/judgement.h"
#include "experiments/machine/assets.h"
#include "experiments/machine/interrupt.h"
#include "experiments/report/report.h"
#include "experiments/report/run_report.h"
#include "experiments/run/run.h"
#include "experiments/run/run_flags.h"
#include "experiments/run/run_lock.h"
#include "experiments/spec/cell_filter.h"
#include "experiments/spec/metrics.h"
#include "experiments/statistics/verdicts.h"
#include "experiments/trace/run_trace.h"
#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

Talk talk_of(const RunFlags& flags) {
  if (flags.quiet) return Talk::quiet;
  return flags.plain ? Talk::lines : Talk::redraw;
}

void print_problems(const std::vector<Problem>& problems, std::string_view ending) {
  if (!problems.empty()) fmt::print(stderr, "{}", to_text(problems, look_at_terminal(stderr), ending));
}

// What will be compared, and what it would take for a difference to be called clear.
void print_judge(const RunData& data, const Judge& judge) {
  const auto& spec = data.spec;
  fmt::print("  judged     {}, {} is better, differences below {} do not matter, confidence {}; by {}\n",
             metric_label(Words::in(Language::english), *find_metric(judge.metric)), judge.better,
             percent_text(judge.ignore_below), percent_text(judge.confidence),
             data.plan.duets.empty() ? std::string("trials") : counted(data.plan.duets.size(), "duet"));
  const auto level = judged_level(data.plan, spec);
  if (!level) return fmt::print("  judged at  no level: nothing of it can run\n");
  int comparisons = 0;
  for (std::size_t series = 0; series < data.plan.series.size(); ++series) {
    const auto& entry = data.plan.series[series];
    const bool compared = entry.role == Role::model || entry.role == Role::target;
    comparisons += compared && entry.id != spec.baseline && can_run(data.plan, *level, series);
  }
  fmt::print("  judged at  {}\n", spec.levels[*level].id);
  const int ratios = judges_by_duets(judge) ? judge.duets : spec.timing.repeat;
  const int needed = fewest_signs(ratios, comparisons, judge.confidence);
  if (comparisons == 0) return;
  const auto all = counted(static_cast<std::uint64_t>(comparisons), "comparison");
  if (needed > ratios) {
    return fmt::print("  power      none: of {} ratios each, {} at once, not even all on one side make one clear\n",
                      ratios, all);
  }
  fmt::print("  power      {} at once: the strongest is clear if {} of {} ratios lie on one side\n", all, needed,
             ratios);
}

void print_plan(const RunData& data) {
  const auto& spec = data.spec;
  fmt::print("{}\n  {}\n\n", spec.question, spec.background);
  for (std::size_t i = 0; i < spec.predict.size(); ++i) {
    fmt::print("  {:<11}{}) {}\n", i == 0 ? "predict" : "", "abcd"[i], spec.predict[i].text);
  }
  fmt::print("  profile    {}: {} warm-up, {} measured, {} per cell\n", spec.profile, duration_text(spec.timing.warmup),
             duration_text(spec.timing.measure), counted(static_cast<std::uint64_t>(spec.timing.repeat), "trial"));
  for (const auto& axis : spec.axes) fmt::print("  {}: {}\n", axis.label, listed(axis.labels));
  std::vector<std::string> models;
  for (const auto& series : data.plan.series) models.push_back(series.id);
  fmt::print("  models     {}\n", listed(models));
  if (spec.judge) print_judge(data, *spec.judge);
  fmt::print("  spec       sha256 {}\n", spec.sha256);
  fmt::print("  trials     {}, about {}\n", data.plan.trials.size(), clock_text(expected_duration(spec, data.plan)));
  std::size_t left_out = 0;
  for (const auto& entry : data.plan.not_run) {
    left_out += entry.filtered;
    if (entry.filtered) continue;
    fmt::print("  not run    {}: {}\n", cell_id(data.plan.series[entry.series], spec.levels[entry.level]),
               entry.reason);
  }
  if (left_out > 0) {
    fmt::print("  filter     {} leaves out {}; {} and the ceiling stay where ratios rest on them\n", data.plan.filter,
               counted(left_out, "cell"), spec.baseline);
  }
  fmt::print("\nNext: the same command without --dry-run\n");
}

// Flags that say how a run is made, as far as they can be wrong.
struct HowToRun {
  CellFilter filter;
  std::optional<CpuPair> cpus;
  std::optional<std::chrono::seconds> longest;
};

std::expected<HowToRun, int> how_to_run(const RunFlags& flags) {
  HowToRun how;
  auto matches = cell_matcher(flags.filter);
  if (!matches) return std::unexpected(fail("run", kUsage, "--filter: " + matches.error()));
  how.filter = {flags.filter, std::move(*matches)};
  if (!flags.cpus.empty()) {
    const auto cpus = parse_cpus(flags.cpus, read_machine().cpus);
    if (!cpus) return std::unexpected(fail("run", kUsage, "--cpus: " + cpus.error()));
    how.cpus = *cpus;
  }
  if (!flags.max_time.empty()) {
    const auto limit = parse_duration(flags.max_time);
    if (!limit) return std::unexpected(fail("run", kUsage, "--max-time: " + limit.error()));
    how.longest = std::chrono::ceil<std::chrono::seconds>(*limit);
  }
  return how;
}

// Empty: the plan has no more than the spec allows.
std::string too_many_trials(const RunData& data) {
  const auto trials = data.plan.trials.size();
  if (std::cmp_less_equal(trials, data.spec.limits.trials)) return "";
  return fmt::format(
      "the plan has {}, and limits.trials allows {}: add --yes to run them all, or fewer with --profile quick, "
      "--models or --set (--dry-run shows the plan)",
      counted(trials, "trial"), with_thousands(data.spec.limits.trials));
}

// What was asked for and cannot be run, settled before anything is.
int refuse_plan(const RunData& data, const RunFlags& flags) {
  const auto missing = flags.require_all ? missing_models(data) : std::vector<std::string>{};
  for (const auto& model : missing) fmt::print(stderr, "not available: {}\n", model);
  if (!missing.empty())
    return fail("run", kSomeCellsFailed, "--require-all: a model of this run cannot run; nothing was run");
  if (const auto reason = too_many_trials(data); !reason.empty() && !flags.yes && !flags.dry_run) {
    return fail("run", kUsage, reason);
  }
  if (!data.plan.trials.empty()) return kOk;
  const bool filtered = std::ranges::all_of(data.plan.not_run, &NotRun::filtered);
  if (filtered) {
    std::vector<std::string> levels;
    for (const auto& level : data.spec.levels) levels.push_back(level.id);
    return fail(
        "run", kUsage,
        fmt::format("--filter \"{}\" takes no cell; an id reads like \"{}\", and the levels are {}", data.plan.filter,
                    cell_id(data.plan.series.front(), data.spec.levels.front()), listed(levels)));
  }
  print_plan(data);
  return fail("run", kCannotRunHere, "nothing of this can run on this machine; the reasons are above");
}

// A plan that is longer than it may take stops in the middle: better said before.
void warn_of_limit(const RunData& data, std::chrono::seconds longest) {
  const auto needed = expected_duration(data.spec, data.plan);
  if (needed <= longest) return;
  fmt::print(
      stderr,
      "iolab run: the plan takes about {}, and it stops after {} (limits.total, --max-time); the duets, which come "
      "last, are the first to be missing: --max-time {}m is enough, and iolab resume goes on\n",
      clock_text(needed), clock_text(longest), std::chrono::ceil<std::chrono::minutes>(needed + needed / 10).count());
}

// The directory, the lock and the trials. The error is the exit code, after its sentence was said.
std::expected<RunDirectory, int> carry_out(RunData& data, const RunFlags& flags, const OwnBinary& binary,
                                           const SessionOptions& options) {
  const InterruptScope scope;
  auto directory = RunDirectory::create(flags.out, data.spec.name);
  if (!directory) return std::unexpected(fail("run", kCannotRunHere, directory.error()));
  const auto lock = RunLock::take(directory->path());
  if (!lock) return std::unexpected(fail("run", kCannotRunHere, lock.error()));
  data.id = directory->id();
  {
    const auto scratch = Scratch::create(directory->path());
    if (!scratch) return std::unexpected(fail("run", kCannotRunHere, scratch.error()));
    if (auto accepted = check_broker_properties(data, binary, scratch->path()); !accepted) {
      return std::unexpected(fail("run", interrupted() ? kInterrupted : kInvalidSpec, accepted.error()));
    }
  }
  if (auto done = write_plan(data, *directory); !done)
    return std::unexpected(fail("run", kInternalError, done.error()));
  if (auto done = run_session(data, *directory, binary, options); !done) {
    return std::unexpected(fail("run", kInternalError, done.error()));
  }
  if (!flags.no_trace && !flags.no_report) {
    if (auto done = trace_finished(data, *directory, binary); !done) {
      return std::unexpected(fail("run", kInternalError, done.error()));
    }
  }
  return std::move(*directory);
}

// With --strict, a run that allows no verdict is a failure of its own.
int strictly(const RunData& data, int code) {
  const auto why = why_no_verdict(Results(data));
  if (code != kOk || why.empty()) return code;
  return fail("run", kTooNoisy, fmt::format("--strict: no difference can be called clear, because {}", why));
}

int run(const RunFlags& flags, Language language) {
  const auto path = find_experiment(flags.name);
  if (!path) return fail("run", kUsage, path.error());
  const auto text = read_text_file(*path);
  if (!text) return fail("run", kInvalidSpec, text.error());
  const auto binary = OwnBinary::open();
  if (!binary) return fail("run", kInternalError, binary.error());
  auto models = ask_for_models(*binary);
  if (!models) return fail("run", kInternalError, models.error());
  auto options = spec_options(flags, *models);
  if (!options) return fail("run", kUsage, options.error());
  options->ask_broker = [&](const std::vector<std::string>& asked) { return complaint_of(*binary, "broker", asked); };
  options->ask_probe = [&](const std::vector<std::string>& asked) { return complaint_of(*binary, "probe", asked); };
  const auto how = how_to_run(flags);
  if (!how) return how.error();
  auto spec = parse_spec(*text, *path, *options);
  if (!spec) {
    print_problems(spec.error(), "Nothing was run.");
    return has_errors_in_a_file(spec.error()) ? kInvalidSpec : kUsage;
  }
  print_problems(spec->warnings, "");
  const SessionOptions session{.longest = how->longest.value_or(spec->longest), .talk = talk_of(flags)};
  const RunRequest request{.spec = std::move(*spec),
                           .seed = flags.seed,
                           .command = repeat_command(flags),
                           .filter = how->filter,
                           .cpus = how->cpus};
  auto data = prepare_run(request, *binary, std::move(*models), "");
  if (const int code = refuse_plan(data, flags); code != kOk) return code;
  warn_of_limit(data, session.longest);
  if (flags.dry_run) {
    print_plan(data);
    if (const auto reason = too_many_trials(data); !reason.empty()) fmt::print(stderr, "iolab run: {}\n", reason);
    return kOk;
  }
  const auto directory = carry_out(data, flags, *binary, session);
  if (!directory) return directory.error();
  const int code = conclude(data, *directory, traced_charts(*directory),
                            {.draw = !flags.no_report, .plain = flags.plain, .language = language});
  return flags.strict ? strictly(data, code) : code;
}

int rebuild(const std::string& name, bool no_report, Language language) {
  const auto directory = RunDirectory::find(name);
  if (!directory) {
    fmt::print(stderr, "iolab report: {}\n", directory.error());
    return kUsage;
  }
  const auto lock = RunLock::take(directory->path());
  if (!lock) {
    fmt::print(stderr, "iolab report: {}\n", lock.error());
    return kCannotRunHere;
  }
  const auto data = load_run(*directory);
  if (!data) {
    fmt::print(stderr, "iolab report: {}\n", data.error());
    return kInvalidSpec;
  }
  const int code =
      write_report(*data, *directory, traced_charts(*directory), {.draw = !no_report, .language = language});
  return code == kInterrupted || code == kSomeCellsFailed ? kOk : code;  // the report itself was made
}

constexpr const char* kRunExamples = R"(
Examples
  iolab run idle-tax --profile quick        under 3 minutes: a preview
  iolab run idle-tax                        standard: 10 trials per cell, with intervals; an hour or so
  iolab run idle-tax --models select,epoll --set idle_connections=0,1000
  iolab run my.json --dry-run               show the plan and how long it takes
  iolab run idle-tax --filter 'idle_connections=900$'         one level, with everything its ratios rest on

Exit codes  0 ok · 1 internal error · 2 wrong flag or command · 3 invalid spec or properties
            4 this machine cannot run it · 5 finished, but some trials failed; --require-all: a model cannot run
            7 --strict: too few trials or too noisy for a verdict · 130 interrupted: iolab resume
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
  for (const auto& setting : kShortSettings) {
    command->add_option_function<std::string>(
        std::string(setting.flag),
        [flags, &setting](const std::string& value) {
          flags->settings.push_back(fmt::format("{}={}", setting.key, value));
        },
        fmt::format("{}; short for --set {}=", setting.summary, setting.key));
  }
  command->add_option("--filter", flags->filter,
                      "regular expression: only cells whose id it finds, and what their ratios rest on");
  command->add_option("--cpus", flags->cpus, "server=0,load=1; default: the first two that this process may use");
  command->add_option("--seed", flags->seed, "of the order of the trials, 0 to 2^63-1")
      ->check(CLI::Range(std::int64_t{0}, std::numeric_limits<std::int64_t>::max()))
      ->capture_default_str();
  command->add_option("--out", flags->out, "directory of the run; default: results/NAME-DATE-TIME");
  command->add_option("--max-time", flags->max_time, "start no new trial after this long, for example 10m");
  command->add_flag("--require-all", flags->require_all, "a model that cannot run here is an error (exit 5)");
  command->add_flag("--strict", flags->strict, "data that allow no verdict are an error (exit 7)");
  command->add_flag("--yes", flags->yes, "also if the plan has more trials than limits.trials allows");
  command->add_flag("--dry-run", flags->dry_run, "show the plan, run nothing");
  command->add_flag("--no-report", flags->no_report, "no pictures and no traced requests: tables, JSON and CSV only");
  command->add_flag("--no-trace", flags->no_trace, "skip the traced requests that follow the trials");
  command->add_flag("--plain", flags->plain, "the result as tab-separated lines, one per cell, nothing redrawn");
  command->add_flag("-q,--quiet", flags->quiet, "no progress, only what fails");
  command->footer(kRunExamples);
  command->callback([flags, command, &exit_code] { exit_code = run(*flags, chosen_language(*command)); });
}

void add_report_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("report", "Make a run's report again from what was measured");
  const auto name = std::make_shared<std::string>();
  const auto no_report = std::make_shared<bool>(false);
  command->add_option("RUN", *name, "a run in ./results, or its directory; default: the latest");
  command->add_flag("--no-report", *no_report, "no pictures: tables, JSON and CSV only");
  command->callback(
      [name, no_report, command, &exit_code] { exit_code = rebuild(*name, *no_report, chosen_language(*command)); });
}

}  // namespace iolab::lab
