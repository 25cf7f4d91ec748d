#include "experiments/commands/command_first_look.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "experiments/commands/command_line.h"
#include "experiments/trace/first_look.h"

namespace iolab::lab {

void add_first_look_command(CLI::App& app, int& exit_code) {
  auto* command =
      app.add_subcommand("first-look", "One request through every model, and what each costs (half a minute)");
  const auto asked = std::make_shared<Look>(Look{.name = "first-look",
                                                 .command = "iolab first-look",
                                                 .traced = {.requests = 40, .pairs = 3, .requests_of_a_piece = 16}});
  const auto no_report = std::make_shared<bool>(false);
  command->add_option("--out", asked->out, "directory of the run; default: results/first-look-DATE-TIME");
  command->add_flag("--no-report", *no_report, "no pictures: tables, JSON and CSV only");
  command->callback([asked, no_report, command, &exit_code] {
    asked->draw = !*no_report;
    asked->language = chosen_language(*command);
    exit_code = look(*asked);
  });
}

}  // namespace iolab::lab
