#include "broker/session/properties_file.h"

#include <fmt/format.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "broker/core/properties.h"

namespace iolab::session {
namespace {

constexpr std::string_view kBlanks = " \t\r\f";

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// Takes one logical line off `text` and counts the lines of the file that it spans.
std::string take_line(std::string_view& text, int& lines) {
  std::string line;
  for (bool goes_on = true; goes_on && !text.empty();) {
    const std::size_t end = text.find('\n');
    std::string_view part = trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++lines;
    const bool comment = line.empty() && (part.starts_with('#') || part.starts_with('!'));
    goes_on = !comment && part.ends_with('\\');
    if (goes_on) part.remove_suffix(1);
    if (!comment) line += part;
  }
  return line;
}

std::expected<void, std::string> apply_line(std::string_view line, core::BrokerSettings& settings) {
  const std::size_t separator = line.find_first_of("=:");
  if (separator == std::string_view::npos) {
    return std::unexpected(fmt::format("\"{}\" is not key=value", line));
  }
  return core::set_property(settings, trim(line.substr(0, separator)), trim(line.substr(separator + 1)));
}

}  // namespace

std::expected<void, std::string> apply_properties(std::string_view text, std::string_view name,
                                                  core::BrokerSettings& settings) {
  int lines = 0;
  while (!text.empty()) {
    const int first = lines + 1;
    const std::string line = take_line(text, lines);
    if (line.empty()) continue;
    if (auto done = apply_line(line, settings); !done) {
      return std::unexpected(fmt::format("{}:{}: {}", name, first, done.error()));
    }
  }
  return {};
}

std::expected<void, std::string> load_properties(const std::string& path, core::BrokerSettings& settings) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file.is_open() || file.bad()) {
    return std::unexpected(
        fmt::format("cannot read the properties file {}: {}", path, std::generic_category().message(errno)));
  }
  return apply_properties(text, path, settings);
}

std::expected<void, std::string> apply_override(std::string_view text, core::BrokerSettings& settings) {
  if (auto done = apply_line(text, settings); !done) return std::unexpected("--override " + done.error());
  return {};
}

}  // namespace iolab::session
