// `iolab udp-echo`: the server behind `iolab trace --udp`. Not listed in the help.
#pragma once

namespace CLI {
class App;
}

namespace iolab::io {

void add_udp_echo_command(CLI::App& app, int& exit_code);

}  // namespace iolab::io
