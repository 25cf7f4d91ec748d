#include "experiments/commands/command_resume.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "experiments/command.h"
#include "experiments/commands/command_line.h"
#include "experiments/machine/interrupt.h"
#include "experiments/report/report.h"
#include "experiments/report/run_report.h"
#include "experiments/run/run.h"
#include "experiments/run/run_lock.h"
#include "experiments/trace/run_trace.h"
#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

struct ResumeFlags {
  std::string name;
  std::string max_time;
  bool other_binary = false;
  bool no_report = false;
  bool quiet = false;
};

// Behind the last trial and duet come the kernel's counts and the ceilings: only then is it complete.
bool measured(const RunData& data) {
  return data.status == "complete" && what_is_left(data).empty();
}

// The last thing that a run makes is its report: one that was killed while it was drawn has everything but that.
bool finished(const RunData& data) {
  return measured(data) && !data.reported.empty();
}

std::expected<RunDirectory, std::string> latest_unfinished() {
  auto runs = RunDirectory::all();
  for (auto& run : runs) {
    const auto data = load_run(run);
    if (data && !finished(*data)) return std::move(run);
  }
  return std::unexpected(runs.empty() ? "there is no run in ./results: name the directory of one"
                                      : "no run in ./results is unfinished: nothing to resume");
}

// The killed session's end, as far as its records tell.
void close_last_session(RunData& data) {
  const int last = static_cast<int>(data.sessions.size()) - 1;
  std::string latest;
  for (const auto& trial : data.trials) latest = trial.session == last ? std::max(latest, trial.started) : latest;
  for (const auto& duet : data.duets) latest = duet.session == last ? std::max(latest, duet.started) : latest;
  if (last >= 0) close_killed(data.sessions.back(), latest);
}

// Empty, or why the run is not to be continued with this binary.
std::string refusal(const RunData& data, const OwnBinary& binary, const ResumeFlags& flags) {
  const std::string before =
      data.sessions.empty() ? data.binary_sha256 : data.sessions.back().fingerprint.at(kBinaryPrint);
  if (measured(data) || before == binary.sha256() || flags.other_binary) return {};
  return fmt::format(
      "this is another binary than the one that made the last trials of {} ({}..., not {}...): what would be compared "
      "is no longer one thing. Take that one, or accept a border inside the run with --other-binary",
      data.id, before.substr(0, 12), binary.sha256().substr(0, 12));
}

// The CPUs of the earlier trials, if this process may still use them.
void choose_cpus_again(RunData& data) {
  const auto allowed = read_machine().cpus;
  for (const int cpu : {data.cpus.server, data.cpus.load}) {
    if (std::ranges::find(allowed, cpu) == allowed.end()) data.cpus = choose_cpus(allowed);
  }
}

void say_where_it_starts(const RunData& data, const OwnBinary& binary) {
  const Left left = what_is_left(data);
  fmt::print(stderr, "Resuming {}: {} and {} left.\n", data.id, counted(left.trials.size(), "trial"),
             counted(left.duets.size(), "duet"));
  for (const auto& file : data.unreadable) fmt::print(stderr, "Made again, because it cannot be read: {}\n", file);
  if (data.sessions.empty()) return;
  const auto now = fingerprint_of(read_machine(), data.cpus, binary.sha256());
  for (const auto& change : changes(data.sessions.back().fingerprint, now)) {
    fmt::print(stderr, "Changed since then: {}\n", change);
  }
}

std::expected<void, std::string> go_on(RunData& data, const RunDirectory& directory, const OwnBinary& binary,
                                       const SessionOptions& options) {
  close_last_session(data);
  if (measured(data)) return {};
  choose_cpus_again(data);
  say_where_it_starts(data, binary);
  data.unreadable.clear();
  return run_session(data, directory, binary, options);
}

int resume(const ResumeFlags& flags, Language language) {
  const auto directory = flags.name.empty() ? latest_unfinished() : RunDirectory::find(flags.name);
  if (!directory) return fail("resume", kUsage, directory.error());
  const auto seen = load_run(*directory);
  if (!seen) return fail("resume", kInvalidSpec, seen.error());
  if (finished(*seen)) {
    fmt::print("{} is finished: {} and {} are there.\nNext: iolab report {}\n", directory->path(),
               counted(seen->trials.size(), "trial"), counted(seen->duets.size(), "duet"), directory->path());
    return kOk;
  }
  const auto lock = RunLock::take(directory->path());
  if (!lock) return fail("resume", kCannotRunHere, lock.error());
  auto data = load_run(*directory);  // again: it may have moved on before the lock was ours
  if (!data) return fail("resume", kInvalidSpec, data.error());
  const auto binary = OwnBinary::open();
  if (!binary) return fail("resume", kInternalError, binary.error());
  if (const auto why = refusal(*data, *binary, flags); !why.empty()) return fail("resume", kCannotRunHere, why);
  SessionOptions options{.longest = data->spec.longest, .talk = flags.quiet ? Talk::quiet : Talk::redraw};
  if (!flags.max_time.empty()) {
    const auto limit = parse_duration(flags.max_time);
    if (!limit) return fail("resume", kUsage, "--max-time: " + limit.error());
    options.longest = std::chrono::ceil<std::chrono::seconds>(*limit);
  }
  directory->remove_leftovers();
  {
    const InterruptScope scope;
    if (auto done = go_on(*data, *directory, *binary, options); !done)
      return fail("resume", kCannotRunHere, done.error());
    if (!flags.no_report) {
      if (auto done = trace_finished(*data, *directory, *binary); !done)
        return fail("resume", kInternalError, done.error());
    }
  }
  return conclude(*data, *directory, traced_charts(*directory), {.draw = !flags.no_report, .language = language});
}

constexpr const char* kResumeExamples = R"(
What is finished stays as it is; every trial and duet that is missing is made once, in the order of the plan, with the
seeds of the plan. What changed on the machine since then is written down, and no ratio is formed across that border.

Exit codes  0 finished, or nothing to do · 2 no such run · 3 not a run of this version · 4 somebody else works on it,
            another binary, or the machine does not allow it · 5 some trials failed · 130 interrupted again
)";

}  // namespace

void add_resume_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("resume", "Continue an interrupted run, then write its report");
  const auto flags = std::make_shared<ResumeFlags>();
  command->add_option("RUN", flags->name, "a run in ./results, or its directory; default: the latest unfinished one");
  command->add_option("--max-time", flags->max_time, "start no new trial after this long; default: as the spec says");
  command->add_flag("--other-binary", flags->other_binary, "continue although iolab was built again in between");
  command->add_flag("--no-report", flags->no_report, "no pictures: tables, JSON and CSV only");
  command->add_flag("-q,--quiet", flags->quiet, "no progress");
  command->footer(kResumeExamples);
  command->callback([flags, command, &exit_code] { exit_code = resume(*flags, chosen_language(*command)); });
}

}  // namespace iolab::lab
