// `iolab claims`: the textbook's claims, judged by runs.
#pragma once

namespace CLI {
class App;
}

namespace iolab::lab {

void add_claims_command(CLI::App& app, int& exit_code);

}  // namespace iolab::lab
