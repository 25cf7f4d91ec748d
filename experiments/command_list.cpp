#include "experiments/command_list.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "experiments/assets.h"
#include "experiments/command.h"
#include "experiments/json_document.h"
#include "experiments/spec.h"
#include "experiments/terminal.h"

namespace iolab::lab {
namespace {

namespace fs = std::filesystem;

void list_experiments(const Terminal& terminal) {
  TextTable table{.headers = {{"experiment", "question"}}, .right = {false, false}, .rows = {}};
  for (const auto& file : find_experiments()) {
    const auto text = read_text_file(file.path);
    const auto spec = text ? parse_spec(*text, file.path, {}) : std::unexpected(std::vector<Problem>{});
    table.rows.push_back(
        {{file.name, spec ? spec->question : "cannot be read: iolab run " + file.name + " --dry-run"}, ""});
  }
  if (table.rows.empty()) fmt::print("No experiments/*.json here or beside the binary.\n");
  fmt::print("{}", to_text(table, terminal));
}

void list_runs(const Terminal& terminal) {
  TextTable table{.headers = {{"run", "status"}}, .right = {false, false}, .rows = {}};
  std::vector<fs::path> found;
  for (const auto* root : {"results", "results/reference"}) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(root, error)) {
      if (fs::exists(entry.path() / "plan.json")) found.push_back(entry.path());
    }
  }
  std::ranges::sort(found);
  for (const auto& path : found) {
    const auto text = read_text_file(path / "results.json");
    const auto root = text ? nlohmann::json::parse(*text, nullptr, false) : nlohmann::json();
    const bool readable = root.is_object() && root.contains("run");
    table.rows.push_back({{path.string(), readable ? root["run"].value("status_text", "")
                                                   : "no results yet: iolab report " + path.string()},
                          ""});
  }
  if (table.rows.empty()) return;
  fmt::print("\n{}", to_text(table, terminal));
}

}  // namespace

void add_list_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("list", "The experiments there are, and the runs in ./results");
  command->callback([&exit_code] {
    const auto terminal = look_at_terminal(stdout);
    list_experiments(terminal);
    list_runs(terminal);
    fmt::print("\nNext: iolab run NAME --profile quick\n");
    exit_code = kOk;
  });
}

}  // namespace iolab::lab
