// `iolab doctor`: what this machine can measure, and what would mislead, in three seconds and without changing
// anything.
#pragma once

namespace CLI {
class App;
}

namespace iolab::lab {

void add_doctor_command(CLI::App& app, int& exit_code);

}  // namespace iolab::lab
