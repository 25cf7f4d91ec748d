// What a key of an experiment file means, for people at a terminal: `iolab spec explain`.
#pragma once

#include <expected>
#include <string>

#include "experiments/words/terminal.h"

namespace iolab::lab {

// Every key with its meaning, in the order of a file.
std::string list_of_keys(const Terminal& terminal);

// Meaning, kind, range, default, an example, and what can be done with it. The last word of a path is enough. The error
// is a sentence that names the nearest key.
std::expected<std::string, std::string> explanation(const std::string& path, const Terminal& terminal);

}  // namespace iolab::lab
