#include "experiments/spec/cell_filter.h"

#include <fmt/format.h>

#include <regex>

namespace iolab::lab {

std::expected<std::function<bool(const std::string& cell)>, std::string> cell_matcher(const std::string& pattern) {
  if (pattern.empty()) return std::function<bool(const std::string&)>{};
  try {
    return [expression = std::regex(pattern)](const std::string& cell) { return std::regex_search(cell, expression); };
  } catch (const std::regex_error& error) {
    return std::unexpected(
        fmt::format("\"{}\" is no regular expression ({}): write for example '^epoll/'", pattern, error.what()));
  }
}

}  // namespace iolab::lab
