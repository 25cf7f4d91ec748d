#include "experiments/command_first_look.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "experiments/command.h"
#include "experiments/first_look.h"
#include "experiments/interrupt.h"
#include "experiments/run.h"

namespace iolab::lab {
namespace {

int fail(int code, const std::string& text) {
  fmt::print(stderr, "iolab first-look: {}\n", text);
  return code;
}

int run(const std::string& out, bool no_report) {
  const auto binary = OwnBinary::open();
  if (!binary) return fail(kInternalError, binary.error());
  auto models = ask_for_models(*binary);
  if (!models) return fail(kInternalError, models.error());
  auto spec = parse_spec(first_look_spec(), "first-look", {.profile = "quick"});
  if (!spec) return fail(kInternalError, to_text(spec.error().front()));
  const auto longest = spec->longest;
  auto data = prepare_run({.spec = std::move(*spec), .seed = 1, .command = "iolab first-look"}, *binary,
                          std::move(*models), "");
  if (data.plan.trials.empty()) return fail(kCannotRunHere, "no model can run on this machine: iolab models says why");
  const InterruptScope scope;
  const auto directory = RunDirectory::create(out, "first-look");
  if (!directory) return fail(kCannotRunHere, directory.error());
  data.id = directory->id();
  fmt::print(stderr, "Sending single requests through every model, every system call traced ...\n");
  std::vector<Lane> lanes;
  {
    const auto scratch = Scratch::create(directory->path());
    if (!scratch) return fail(kCannotRunHere, scratch.error());
    lanes = trace_every_model(data, *binary, scratch->path());
  }
  const auto charts = nlohmann::ordered_json::array({timeline_chart(lanes)});
  if (auto done = directory->write_below("traces", "charts.json", charts.dump(1) + "\n"); !done) {
    return fail(kInternalError, done.error());
  }
  if (auto done = run_plan(data, *directory, *binary, longest); !done) return fail(kInternalError, done.error());
  const auto terminal = look_at_terminal(stdout);
  fmt::print("\n{}  times in us since the client sent; traced, so slower than below\n{}",
             bold(terminal, "One request, call by call"), timeline_text(lanes, std::min(terminal.width, 120)));
  return write_report(data, *directory, charts, !no_report);
}

}  // namespace

void add_first_look_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("first-look", "One request through every model, and what each costs (20 s)");
  const auto out = std::make_shared<std::string>();
  const auto no_report = std::make_shared<bool>(false);
  command->add_option("--out", *out, "directory of the run; default: results/first-look-DATE-TIME");
  command->add_flag("--no-report", *no_report, "no pictures: tables, JSON and CSV only");
  command->callback([out, no_report, &exit_code] { exit_code = run(*out, *no_report); });
}

}  // namespace iolab::lab
