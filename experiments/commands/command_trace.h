// `iolab trace`: what single requests did in one model, or a few, step by step.
#pragma once

namespace CLI {
class App;
}

namespace iolab::lab {

void add_trace_command(CLI::App& app, int& exit_code);

}  // namespace iolab::lab
