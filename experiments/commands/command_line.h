// What every command of the program has in common: the first screen, the language, what happens to a mistyped command
// or flag, and which exit code follows.
#pragma once

#include <string_view>

#include "experiments/words/language.h"

namespace CLI {
class App;
}

namespace iolab {

// `--lang en|zh|auto`, before or behind a command: the language of the summary that a run or a report prints.
void add_language_option(CLI::App& app);
lab::Language chosen_language(const CLI::App& command);

// Says on stderr why `iolab COMMAND` cannot go on, and returns the exit code that it ends with.
int fail(std::string_view command, int code, std::string_view text);

// Parses and runs. `exit_code` is what the commands were registered with; the return value is what main() returns.
int run_command_line(CLI::App& app, int& exit_code, int argc, char** argv);

}  // namespace iolab
