// `iolab duet`: the duet of clients/duet.h as a process, for the lab. Hidden: its spec is one line of JSON on stdin,
// its result one line on stdout.
#pragma once

namespace CLI {
class App;
}

namespace iolab::lab {

void add_duet_command(CLI::App& app, int& exit_code);

}  // namespace iolab::lab
