#include "experiments/commands/command_list.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "experiments/command.h"
#include "experiments/commands/command_line.h"
#include "experiments/machine/assets.h"
#include "experiments/machine/models.h"
#include "experiments/run/run_lock.h"
#include "experiments/spec/json_document.h"
#include "experiments/spec/spec.h"
#include "experiments/words/nearest_word.h"
#include "experiments/words/terminal.h"
#include "experiments/words/words.h"

namespace iolab::lab {
namespace {

namespace fs = std::filesystem;

void list_experiments(const Terminal& terminal, Language language) {
  const auto& words = Words::in(language);
  TextTable table{
      .headers = {{words.say("help.experiment"), words.say("help.question")}}, .right = {false, false}, .rows = {}};
  for (const auto& file : find_experiments()) {
    table.rows.push_back({{file.name, question_of(file, language)}, ""});
  }
  if (table.rows.empty()) fmt::print("No experiments/*.json here or beside the binary.\n");
  fmt::print("{}", to_text(table, terminal));
}

std::expected<void, std::string> list_models(const Terminal& terminal) {
  const auto binary = OwnBinary::open();
  if (!binary) return std::unexpected(binary.error());
  const auto models = ask_for_models(*binary);
  if (!models) return std::unexpected(models.error());
  TextTable table{.headers = {{"model", "family", "what the thread does"}}, .right = {false, false, false}, .rows = {}};
  for (const auto& model : *models) {
    const auto what = model.available ? model.summary : "cannot run here: " + model.reason;
    table.rows.push_back({{model.id, model.family, what}, ""});
  }
  fmt::print("{}", to_text(table, terminal));
  return {};
}

// What results.json says of a run; while there is none, how far it is.
std::string status_of(const fs::path& run) {
  const auto read = [&](const char* file) {
    const auto text = read_text_file(run / file);
    return text ? nlohmann::json::parse(*text, nullptr, false) : nlohmann::json();
  };
  if (const auto results = read("results.json"); results.is_object() && results.contains("run")) {
    return results["run"].value("status_text", "");
  }
  const auto plan = read("plan.json");
  const auto planned = plan.is_object() && plan.contains("trials") ? plan["trials"].size() : 0;
  std::error_code error;
  const auto files = fs::directory_iterator(run / "trials", error);
  const auto made = std::ranges::count_if(files, [](const auto& file) { return file.path().extension() == ".json"; });
  const auto trials = fmt::format("{} of {} trials", made, planned);
  if (RunLock::is_taken(run)) return "running: " + trials;
  return fmt::format("interrupted, {}: iolab resume {}, or iolab report {}", trials, run.string(), run.string());
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
    table.rows.push_back({{path.string(), status_of(path)}, ""});
  }
  if (table.rows.empty()) {
    fmt::print("No runs in ./results yet.\n");
    return;
  }
  fmt::print("{}", to_text(table, terminal));
}

int list(const std::string& what, Language language) {
  static const std::vector<std::string> kKnown{"experiments", "models", "runs"};
  if (!what.empty() && std::ranges::find(kKnown, what) == kKnown.end()) {
    fmt::print(stderr, "iolab list: no list of \"{}\": {}\n", what, suggestion(what, kKnown));
    return kUsage;
  }
  const auto terminal = look_at_terminal(stdout);
  const bool all = what.empty();
  if (all || what == "experiments") list_experiments(terminal, language);
  if (all) fmt::print("\n");
  if (all || what == "models") {
    if (const auto listed_models = list_models(terminal); !listed_models) {
      fmt::print(stderr, "iolab list: {}\n", listed_models.error());
      return kInternalError;
    }
  }
  if (all) fmt::print("\n");
  if (all || what == "runs") list_runs(terminal);
  fmt::print("\nNext: iolab run NAME --profile quick\n");
  return kOk;
}

}  // namespace

std::string question_of(const ExperimentFile& file, Language language) {
  const auto text = read_text_file(file.path);
  const auto spec = text ? parse_spec(*text, file.path, {}) : std::unexpected(std::vector<Problem>{});
  if (!spec) return "is not valid: iolab spec validate " + file.name;
  const bool chinese = language == Language::chinese && !spec->question_zh.empty();
  return chinese ? spec->question_zh : spec->question;
}

void add_list_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("list", "The experiments and models there are, and the runs in ./results");
  const auto what = std::make_shared<std::string>();
  command->add_option("WHAT", *what, "experiments, models or runs; default: all three");
  command->callback([what, &exit_code, command] { exit_code = list(*what, chosen_language(*command)); });
}

}  // namespace iolab::lab
