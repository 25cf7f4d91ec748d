// `iolab resume`: does what an interrupted run has left, and makes its report.
#pragma once

namespace CLI {
class App;
}

namespace iolab::lab {

void add_resume_command(CLI::App& app, int& exit_code);

}  // namespace iolab::lab
