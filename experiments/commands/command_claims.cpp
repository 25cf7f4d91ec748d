#include "experiments/commands/command_claims.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "experiments/claims/claims_run.h"
#include "experiments/commands/command_line.h"

namespace iolab::lab {
namespace {

constexpr const char* kClaimsExamples = R"(
Examples
  iolab claims                                  makes every run that is needed, quick profile: under 20 minutes
  iolab claims --from results/reference         takes runs from there before it makes one
  iolab claims --from results/reference --no-run

Each claim of the classical notes (experiments/claims.json): supported, true only if, contradicted, or cannot say here,
with the figures that decide it. Definitions and history have no verdict.

Exit codes  0 ok · 2 no claims.json, or --out holds runs of another profile · 3 it is invalid ·
            130 interrupted: the same --out goes on
)";

}  // namespace

void add_claims_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("claims", "The textbook's claims, one by one: what holds on this machine");
  const auto request = std::make_shared<ClaimsRequest>();
  const auto no_run = std::make_shared<bool>(false);
  const auto no_report = std::make_shared<bool>(false);
  command->add_option("--out", request->out, "directory of the page and its runs; default: results/claims-DATE-TIME");
  command->add_option("--profile", request->profile, "quick, standard or careful, of the runs that are made")
      ->check(CLI::IsMember({"quick", "standard", "careful"}))
      ->capture_default_str();
  command->add_option("--from", request->from, "a directory of runs, by their experiments' names; may be repeated");
  command->add_flag("--no-run", *no_run, "make no run: judge by what is there");
  command->add_flag("--no-report", *no_report, "no page: JSON only");
  command->footer(kClaimsExamples);
  command->callback([request, no_run, no_report, command, &exit_code] {
    request->make_runs = !*no_run;
    request->draw = !*no_report;
    request->language = chosen_language(*command);
    exit_code = judge_claims(*request);
  });
}

}  // namespace iolab::lab
