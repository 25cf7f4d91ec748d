#include "experiments/assets.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "experiments/build_info.h"
#include "experiments/nearest_word.h"
#include "experiments/process.h"

namespace iolab::lab {
namespace {

namespace fs = std::filesystem;

// Roots of a source tree or of an installation, the nearest first.
std::vector<fs::path> roots() {
  std::vector<fs::path> found{fs::current_path()};
  std::error_code error;
  const auto binary = fs::read_symlink("/proc/self/exe", error);
  constexpr int kLevels = 4;  // build/release/iolab and build/release/tests/x lie two and three levels deep
  auto folder = binary.parent_path();
  for (int i = 0; i < kLevels && !error && folder.has_relative_path(); ++i, folder = folder.parent_path()) {
    found.push_back(folder);
    found.push_back(folder / "share" / "iolab");
  }
  found.emplace_back(build_info().source_directory);
  return found;
}

}  // namespace

std::vector<ExperimentFile> find_experiments() {
  for (const auto& root : roots()) {
    std::vector<ExperimentFile> files;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(root / "experiments", error)) {
      if (entry.path().extension() == ".json") files.push_back({entry.path().stem().string(), entry.path().string()});
    }
    if (files.empty()) continue;
    std::ranges::sort(files, {}, &ExperimentFile::name);
    return files;
  }
  return {};
}

std::expected<std::string, std::string> find_experiment(const std::string& name_or_path) {
  std::error_code error;
  if (fs::is_directory(name_or_path, error)) {
    return std::unexpected(fmt::format("{} is a directory: name the file of a spec, or an experiment", name_or_path));
  }
  if (name_or_path.find('/') != std::string::npos || name_or_path.ends_with(".json")) return name_or_path;
  const auto files = find_experiments();
  std::vector<std::string> names;
  for (const auto& file : files) {
    if (file.name == name_or_path) return file.path;
    names.push_back(file.name);
  }
  if (names.empty()) {
    return std::unexpected(
        "no experiments/*.json here or beside the binary: start iolab in its source directory, or "
        "name a file");
  }
  const auto near = suggestion(name_or_path, names);
  return std::unexpected(fmt::format("no experiment \"{}\"{} (A file of your own ends in .json.)", name_or_path,
                                     near.empty() ? "." : ": " + near));
}

std::optional<std::string> find_report_script() {
  for (const auto& root : roots()) {
    std::error_code error;
    if (const auto script = root / "scripts" / "report.py"; fs::exists(script, error)) return script.string();
  }
  return std::nullopt;
}

std::expected<std::string, std::string> find_python() {
  std::vector<std::string> candidates;
  if (const char* chosen = std::getenv("IOLAB_PYTHON"); chosen != nullptr && *chosen != '\0')
    candidates.emplace_back(chosen);
  candidates.emplace_back("python3");
  candidates.emplace_back("/usr/bin/python3");
  for (const auto& python : candidates) {
    // Looking for the module is 100 times cheaper than importing it.
    const std::vector<std::string> arguments{
        python, "-c", "import importlib.util, sys; sys.exit(importlib.util.find_spec('matplotlib') is None)"};
    constexpr std::chrono::seconds kLimit{10};
    if (run_and_read({.binary = nullptr, .arguments = arguments, .quiet_stderr = true}, kLimit)) return python;
  }
  return std::unexpected(
      "no Python with matplotlib was found: install python3-matplotlib (apt), or set IOLAB_PYTHON to "
      "an interpreter that has it");
}

}  // namespace iolab::lab
