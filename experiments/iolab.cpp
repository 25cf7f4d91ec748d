// The program a user types: the table of its commands, and nothing else.
#include <CLI/CLI.hpp>

#include "broker/session/command_broker.h"
#include "experiments/command.h"
#include "experiments/command_load.h"

int main(int argc, char** argv) {
  CLI::App app{"Five classic I/O models in front of one Kafka-speaking log broker: run them, measure them, read why."};
  app.name("iolab");
  app.require_subcommand(1);
  int exit_code = iolab::kOk;
  iolab::session::add_broker_command(app, exit_code);
  iolab::lab::add_load_command(app, exit_code);
  CLI11_PARSE(app, argc, argv);
  return exit_code;
}
