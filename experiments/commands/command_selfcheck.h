// `iolab selfcheck`: what the lab's own verdicts are worth. Made for scripts/selfcheck, hidden from --help.
//
//   iolab selfcheck simulate RUN [--experiments N] [--seed S]   false alarms and power, from the noise in RUN
//   iolab selfcheck calibrate RUN VARIANT ROUNDS                what one round of iolab.spin.rounds costs, as a share
//   iolab selfcheck count RUN...                                words that real runs gave each variant
//
// Each prints one JSON object on stdout. Exit codes: 0, 2 (no such run), 3 (a run that does not fit).
#pragma once

namespace CLI {
class App;
}

namespace iolab::lab {

void add_selfcheck_command(CLI::App& app, int& exit_code);

}  // namespace iolab::lab
