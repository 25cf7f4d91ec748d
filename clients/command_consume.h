// `iolab consume`: records of a topic become lines of stdout, with the flags of kafka-console-consumer.sh.
#pragma once

namespace CLI {
class App;
}

namespace iolab::clients {

void add_consume_command(CLI::App& app, int& exit_code);

}  // namespace iolab::clients
