// Reads a properties file as Kafka writes it: key=value lines, comments with # or !, a backslash at the end of a line
// to go on in the next.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "broker/core/settings.h"

namespace iolab::session {

// Sets everything that `text` says. The error is one sentence that begins with `name` and the line's number.
std::expected<void, std::string> apply_properties(std::string_view text, std::string_view name,
                                                  core::BrokerSettings& settings);

// The same from a file.
std::expected<void, std::string> load_properties(const std::string& path, core::BrokerSettings& settings);

// "key=value" of the command line.
std::expected<void, std::string> apply_override(std::string_view text, core::BrokerSettings& settings);

}  // namespace iolab::session
