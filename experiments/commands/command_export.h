// `iolab export`: a run's trials, cells or duets for a spreadsheet or a program.
#pragma once

namespace CLI {
class App;
}

namespace iolab::lab {

void add_export_command(CLI::App& app, int& exit_code);

}  // namespace iolab::lab
