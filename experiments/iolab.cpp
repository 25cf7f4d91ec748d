// The program a user types: the table of its commands, and nothing else.
#include <CLI/CLI.hpp>

#include "experiments/command.h"

int main(int argc, char** argv) {
  CLI::App app{"Five classic I/O models in front of one Kafka-speaking log broker: run them, measure them, read why."};
  app.name("iolab");
  app.require_subcommand(1);
  CLI11_PARSE(app, argc, argv);
  return iolab::kOk;
}
