// `iolab spec`: write, check and understand experiment files.
//
//   iolab spec new [NAME] [--from EXPERIMENT]   a valid, commented file to start from
//   iolab spec validate FILE...                 every problem at once, with line and column; 0 or 3
//   iolab spec explain [KEY]                    what a key means, its kind, range and default
//   iolab spec schema                           the JSON Schema for editors
#pragma once

namespace CLI {
class App;
}

namespace iolab::lab {

void add_spec_command(CLI::App& app, int& exit_code);

}  // namespace iolab::lab
