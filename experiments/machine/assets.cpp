#include "experiments/machine/assets.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "experiments/machine/build_info.h"
#include "experiments/machine/process.h"
#include "experiments/words/nearest_word.h"

namespace iolab::lab {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kClaims = "claims.json";  // lies beside the experiments, and is none

// Roots of a source tree or of an installation, the nearest first.
std::vector<fs::path> roots() {
  std::vector<fs::path> found;
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

// The working directory first: one's own experiments hide those that came with the binary. Nothing that is executed is
// looked for there.
std::vector<fs::path> roots_from_here() {
  auto found = roots();
  std::error_code error;
  if (const auto here = fs::current_path(error); !error) found.insert(found.begin(), here);
  return found;
}

std::optional<std::string> find_below_roots(const char* path) {
  for (const auto& root : roots()) {
    std::error_code error;
    if (const auto file = root / path; fs::exists(file, error)) return file.string();
  }
  return std::nullopt;
}

}  // namespace

std::vector<ExperimentFile> find_experiments() {
  for (const auto& root : roots_from_here()) {
    std::vector<ExperimentFile> files;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(root / "experiments", error)) {
      const bool is_one = entry.path().extension() == ".json" && entry.path().filename() != kClaims;
      if (is_one) files.push_back({entry.path().stem().string(), entry.path().string()});
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
  const auto own = name_or_path + ".json";
  if (fs::exists(own, error))
    return std::unexpected(fmt::format("no experiment \"{}\": did you mean {}?", name_or_path, own));
  const auto near = suggestion(name_or_path, names);
  return std::unexpected(fmt::format("no experiment \"{}\"{} (A file of your own ends in .json.)", name_or_path,
                                     near.empty() ? "." : ": " + near));
}

std::optional<std::string> find_claims_script() {
  return find_below_roots("scripts/claims.py");
}

std::optional<std::string> find_claims() {
  return find_below_roots("experiments/claims.json");
}

std::optional<std::string> find_report_script() {
  return find_below_roots("scripts/report.py");
}

std::optional<std::string> find_schema() {
  return find_below_roots("experiments/schema/experiment-1.json");
}

std::expected<std::string, std::string> find_python() {
  std::vector<std::string> candidates{"python3", "/usr/bin/python3"};
  const char* chosen = std::getenv("IOLAB_PYTHON");
  if (chosen != nullptr && *chosen != '\0') candidates = {chosen};  // whoever names one means it
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
