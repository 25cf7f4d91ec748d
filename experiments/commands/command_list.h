// `iolab list [experiments|models|runs]`: the questions there are, the models to answer them with, and the runs that
// lie in results/.
#pragma once

#include <string>

#include "experiments/machine/assets.h"
#include "experiments/words/language.h"

namespace CLI {
class App;
}

namespace iolab::lab {

// In English where the file has no Chinese; of a file that is not valid, how to learn why.
std::string question_of(const ExperimentFile& file, Language language);

void add_list_command(CLI::App& app, int& exit_code);

}  // namespace iolab::lab
