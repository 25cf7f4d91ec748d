// `iolab cost`: what a request costs, told from what was counted.
#pragma once

namespace CLI {
class App;
}

namespace iolab::lab {

void add_cost_command(CLI::App& app, int& exit_code);

}  // namespace iolab::lab
