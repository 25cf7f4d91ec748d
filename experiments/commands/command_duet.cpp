#include "experiments/commands/command_duet.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "experiments/command.h"
#include "experiments/commands/command_line.h"
#include "experiments/run/duet_json.h"

namespace iolab::lab {
namespace {

int run() {
  std::string line;
  std::getline(std::cin, line);
  const auto spec = duet_spec_from_json(line);
  if (!spec) return fail("duet", kInvalidSpec, spec.error());
  const auto result = clients::run_duet(*spec);
  if (!result) return fail("duet", kCannotRunHere, result.error());
  fmt::print("result {}\n", to_json(*result).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  std::fflush(stdout);
  return kOk;
}

}  // namespace

void add_duet_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("duet", "Two servers under alternating load, as a process: for the lab");
  command->group("");  // hidden
  command->callback([&exit_code] { exit_code = run(); });
}

}  // namespace iolab::lab
