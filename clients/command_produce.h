// `iolab produce`: lines of stdin become records, with the flags of kafka-console-producer.sh.
#pragma once

namespace CLI {
class App;
}

namespace iolab::clients {

void add_produce_command(CLI::App& app, int& exit_code);

}  // namespace iolab::clients
