// What every command of the program has in common: the first screen, what happens to a mistyped command or flag, and
// which exit code follows.
#pragma once

namespace CLI {
class App;
}

namespace iolab {

// Parses and runs. `exit_code` is what the commands were registered with; the return value is what main() returns.
int run_command_line(CLI::App& app, int& exit_code, int argc, char** argv);

}  // namespace iolab
