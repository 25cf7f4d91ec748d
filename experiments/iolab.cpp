// The program a user types: the table of its commands, and nothing else.
#include <CLI/CLI.hpp>

#include "broker/session/command_broker.h"
#include "clients/command_consume.h"
#include "clients/command_perf.h"
#include "clients/command_produce.h"
#include "clients/command_topics.h"
#include "experiments/command.h"
#include "experiments/command_doctor.h"
#include "experiments/command_duet.h"
#include "experiments/command_first_look.h"
#include "experiments/command_line.h"
#include "experiments/command_list.h"
#include "experiments/command_load.h"
#include "experiments/command_run.h"
#include "io_models/command_models.h"

int main(int argc, char** argv) {
  CLI::App app{"Five classic I/O models in front of one Kafka-speaking log broker: run them, measure them, read why."};
  app.name("iolab");
  app.require_subcommand(1);
  int exit_code = iolab::kOk;
  iolab::lab::add_doctor_command(app, exit_code);
  iolab::lab::add_first_look_command(app, exit_code);
  iolab::lab::add_run_command(app, exit_code);
  iolab::lab::add_report_command(app, exit_code);
  iolab::lab::add_list_command(app, exit_code);
  iolab::clients::add_topics_command(app, exit_code);
  iolab::clients::add_produce_command(app, exit_code);
  iolab::clients::add_consume_command(app, exit_code);
  iolab::clients::add_perf_command(app, exit_code);
  iolab::lab::add_load_command(app, exit_code);
  iolab::lab::add_duet_command(app, exit_code);
  iolab::io::add_models_command(app, exit_code);
  iolab::session::add_broker_command(app, exit_code);
  return iolab::run_command_line(app, exit_code, argc, argv);
}
