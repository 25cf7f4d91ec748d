#include "experiments/trace/source_line.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "experiments/machine/build_info.h"

namespace iolab::lab {
namespace {

namespace fs = std::filesystem;

bool as_built(const fs::path& file) {
  std::error_code failed;
  const auto built = fs::last_write_time("/proc/self/exe", failed);
  if (failed) return false;
  const auto written = fs::last_write_time(file, failed);
  return !failed && written <= built;
}

}  // namespace

std::string source_line(const std::string& where) {
  const auto colon = where.rfind(':');
  if (colon == std::string::npos) return {};
  const auto file = fs::path(build_info().source_directory) / where.substr(0, colon);
  if (!as_built(file)) return {};
  std::ifstream lines(file);
  std::string line;
  for (long left = std::strtol(where.c_str() + colon + 1, nullptr, 10); left > 0; --left) {
    if (!std::getline(lines, line)) return {};
  }
  const auto first = line.find_first_not_of(" \t");
  if (first == std::string::npos) return {};
  return line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
}

}  // namespace iolab::lab
