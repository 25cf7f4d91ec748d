// `iolab compare`: two runs, cell by cell, and an exit code for whoever must not let a regression pass.
#pragma once

namespace CLI {
class App;
}

namespace iolab::lab {

void add_compare_command(CLI::App& app, int& exit_code);

}  // namespace iolab::lab
