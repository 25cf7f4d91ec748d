// `iolab broker`: serves Kafka clients through one I/O model until it is told to stop.
#pragma once

#include "experiments/command.h"

namespace iolab::session {

void add_broker_command(CLI::App& app, int& exit_code);

}  // namespace iolab::session
