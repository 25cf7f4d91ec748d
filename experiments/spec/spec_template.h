// The experiment file that `iolab spec new` writes: valid as it is, and commented, to be changed by its reader.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace iolab::lab {

// `schema_path`: where an editor finds the schema, as seen from the file; empty: no such line.
std::string starting_spec(std::string_view name, std::string_view schema_path);

// The text of another experiment, comments and all, under a new name. The error is a sentence.
std::expected<std::string, std::string> renamed_spec(const std::string& text, const std::string& file_name,
                                                     std::string_view name);

}  // namespace iolab::lab
