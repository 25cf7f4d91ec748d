// `iolab perf produce` and `iolab perf consume`: the flags and the output lines of kafka-producer-perf-test.sh and
// kafka-consumer-perf-test.sh.
#pragma once

namespace CLI {
class App;
}

namespace iolab::clients {

void add_perf_command(CLI::App& app, int& exit_code);

}  // namespace iolab::clients
