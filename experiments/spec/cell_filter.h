// Cells by a regular expression over their ids: `iolab run --filter`, `iolab compare --cells`.
#pragma once

#include <expected>
#include <functional>
#include <string>

namespace iolab::lab {

// ECMAScript syntax, found anywhere in the id. Empty pattern: an empty function, which stands for all. The error is
// half a sentence.
std::expected<std::function<bool(const std::string& cell)>, std::string> cell_matcher(const std::string& pattern);

}  // namespace iolab::lab
