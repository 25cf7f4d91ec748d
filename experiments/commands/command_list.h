// `iolab list [experiments|models|runs]`: the questions there are, the models to answer them with, and the runs that
// lie in results/.
#pragma once

namespace CLI {
class App;
}

namespace iolab::lab {

void add_list_command(CLI::App& app, int& exit_code);

}  // namespace iolab::lab
