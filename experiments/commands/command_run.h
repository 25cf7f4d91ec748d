// `iolab run` and `iolab report`: answer a question, and make its report again from what was measured.
#pragma once

namespace CLI {
class App;
}

namespace iolab::lab {

void add_run_command(CLI::App& app, int& exit_code);
void add_report_command(CLI::App& app, int& exit_code);

}  // namespace iolab::lab
