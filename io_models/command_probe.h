// `iolab probe`: the small programs of io_models/probes.
#pragma once

namespace CLI {
class App;
}

namespace iolab::io {

void add_probe_command(CLI::App& app, int& exit_code);

}  // namespace iolab::io
