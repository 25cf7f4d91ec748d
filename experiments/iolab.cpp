// The program a user types: the table of its commands, and nothing else.
#include <CLI/CLI.hpp>

#include "broker/session/command_broker.h"
#include "clients/command_consume.h"
#include "clients/command_perf.h"
#include "clients/command_produce.h"
#include "clients/command_topics.h"
#include "experiments/command.h"
#include "experiments/commands/command_claims.h"
#include "experiments/commands/command_compare.h"
#include "experiments/commands/command_cost.h"
#include "experiments/commands/command_doctor.h"
#include "experiments/commands/command_duet.h"
#include "experiments/commands/command_export.h"
#include "experiments/commands/command_first_look.h"
#include "experiments/commands/command_line.h"
#include "experiments/commands/command_list.h"
#include "experiments/commands/command_load.h"
#include "experiments/commands/command_resume.h"
#include "experiments/commands/command_run.h"
#include "experiments/commands/command_selfcheck.h"
#include "experiments/commands/command_spec.h"
#include "experiments/commands/command_trace.h"
#include "io_models/command_models.h"
#include "io_models/command_probe.h"
#include "io_models/command_udp_echo.h"

int main(int argc, char** argv) {
  CLI::App app{"Five classic I/O models in front of one Kafka-speaking log broker: run them, measure them, read why."};
  app.name("iolab");
  app.require_subcommand(1);
  iolab::add_language_option(app);
  int exit_code = iolab::kOk;
  iolab::lab::add_doctor_command(app, exit_code);
  iolab::lab::add_first_look_command(app, exit_code);
  iolab::lab::add_trace_command(app, exit_code);
  iolab::lab::add_run_command(app, exit_code);
  iolab::lab::add_resume_command(app, exit_code);
  iolab::lab::add_report_command(app, exit_code);
  iolab::lab::add_compare_command(app, exit_code);
  iolab::lab::add_claims_command(app, exit_code);
  iolab::lab::add_cost_command(app, exit_code);
  iolab::lab::add_export_command(app, exit_code);
  iolab::lab::add_list_command(app, exit_code);
  iolab::lab::add_spec_command(app, exit_code);
  iolab::clients::add_topics_command(app, exit_code);
  iolab::clients::add_produce_command(app, exit_code);
  iolab::clients::add_consume_command(app, exit_code);
  iolab::clients::add_perf_command(app, exit_code);
  iolab::lab::add_load_command(app, exit_code);
  iolab::lab::add_duet_command(app, exit_code);
  iolab::lab::add_selfcheck_command(app, exit_code);
  iolab::io::add_models_command(app, exit_code);
  iolab::io::add_probe_command(app, exit_code);
  iolab::io::add_udp_echo_command(app, exit_code);
  iolab::session::add_broker_command(app, exit_code);
  return iolab::run_command_line(app, exit_code, argc, argv);
}
