// `iolab models`: the table of models, with what can run on this machine and the reason for what cannot.
#pragma once

namespace CLI {
class App;
}

namespace iolab::io {

void add_models_command(CLI::App& app, int& exit_code);

}  // namespace iolab::io
