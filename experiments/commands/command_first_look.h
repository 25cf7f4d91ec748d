// `iolab first-look`: one request through every model, and what requests cost in each, in about twenty seconds.
#pragma once

namespace CLI {
class App;
}

namespace iolab::lab {

void add_first_look_command(CLI::App& app, int& exit_code);

}  // namespace iolab::lab
