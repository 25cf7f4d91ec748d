#include "experiments/command_doctor.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "experiments/command.h"
#include "experiments/doctor.h"
#include "experiments/terminal.h"

namespace iolab::lab {

void add_doctor_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("doctor", "What this machine can do (3 s, changes nothing)");
  const auto as_json = std::make_shared<bool>(false);
  command->add_flag("--json", *as_json, "for programs");
  command->callback([&exit_code, as_json] {
    const auto binary = OwnBinary::open();
    if (!binary) {
      fmt::print(stderr, "iolab doctor: {}\n", binary.error());
      exit_code = kInternalError;
      return;
    }
    const auto diagnosis = examine(*binary);
    if (*as_json) {
      fmt::print("{}\n", to_json(diagnosis).dump(2));
    } else {
      fmt::print("{}Next       iolab first-look\n", to_text(diagnosis, look_at_terminal(stdout).width));
    }
    exit_code = diagnosis.models.empty() ? kCannotRunHere : kOk;
  });
}

}  // namespace iolab::lab
