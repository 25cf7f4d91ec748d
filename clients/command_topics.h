// `iolab topics`: create, list, describe, alter and delete topics, with the flags of kafka-topics.sh.
#pragma once

namespace CLI {
class App;
}

namespace iolab::clients {

void add_topics_command(CLI::App& app, int& exit_code);

}  // namespace iolab::clients
