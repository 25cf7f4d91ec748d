#include "experiments/commands/command_spec.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "experiments/command.h"
#include "experiments/commands/command_line.h"
#include "experiments/machine/assets.h"
#include "experiments/machine/environment.h"
#include "experiments/machine/process.h"
#include "experiments/run/plan.h"
#include "experiments/spec/spec_explain.h"
#include "experiments/spec/spec_schema.h"
#include "experiments/spec/spec_template.h"
#include "experiments/spec/spec_values.h"
#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

std::expected<std::vector<ModelInfo>, std::string> known_models() {
  const auto binary = OwnBinary::open();
  if (!binary) return std::unexpected(binary.error());
  return ask_for_models(*binary);
}

// All profiles' problems, each once: a file is valid if it can be run with any of them.
std::vector<Problem> problems_of(const std::string& text, const std::string& file, const SpecOptions& options) {
  std::vector<Problem> problems;
  for (const auto* profile : {"standard", "quick", "careful"}) {
    SpecOptions of_profile = options;
    of_profile.profile = profile;
    const auto spec = parse_spec(text, file, of_profile);
    for (const auto& problem : spec ? spec->warnings : spec.error()) {
      const bool is_new =
          std::ranges::none_of(problems, [&](const Problem& known) { return to_text(known) == to_text(problem); });
      if (is_new) problems.push_back(problem);
    }
  }
  sort_by_place(problems);
  return problems;
}

std::string summary_of(const Spec& spec, const std::vector<ModelInfo>& models) {
  const auto levels = counted(spec.levels.size(), "level");
  if (spec.target) {
    const auto trials = spec.levels.size() * static_cast<std::size_t>(spec.timing.repeat);
    return fmt::format("{} against {}:{}, {}, about {}", levels, spec.target->host, spec.target->port,
                       counted(trials, "trial"),
                       duration_text(static_cast<int>(trials) * (spec.timing.warmup + spec.timing.measure)));
  }
  const auto plan = make_plan(spec, models, read_limits().descriptors_hard, 1);
  const auto count = std::ranges::count(plan.series, Role::model, &Series::role);
  auto series = counted(static_cast<std::uint64_t>(count), "model");
  for (const auto& one : plan.series) {
    if (one.role != Role::model) series += " + " + one.id;
  }
  const auto repeat = static_cast<std::uint64_t>(spec.timing.repeat);
  const auto all = spec.levels.size() * plan.series.size() * repeat;
  const auto trials = counted(plan.trials.size(), "trial");
  return fmt::format("{} x ({}) x {} = {}, about {}", levels, series, counted(repeat, "trial"),
                     all == plan.trials.size() ? trials : fmt::format("{}, of which {} can run here", all, trials),
                     clock_text(expected_duration(spec, plan)));
}

// What only the plan shows, on this machine.
void warn_of_plan(const Spec& spec, const std::vector<ModelInfo>& models, const std::string& path) {
  const auto plan = make_plan(spec, models, read_limits().descriptors_hard, 1);
  const auto needed = expected_duration(spec, plan);
  if (plan.trials.empty())
    fmt::print(stderr, "{}: warning: nothing of it would run: iolab run --dry-run says why\n", path);
  if (!plan.trials.empty() && !plan.not_run.empty()) {
    const auto& first = plan.not_run.front();
    fmt::print(stderr, "{}: note: {} cannot run here, such as {}: {}; iolab run --dry-run lists them\n", path,
               counted(plan.not_run.size(), "cell"), cell_id(plan.series[first.series], spec.levels[first.level]),
               first.reason);
  }
  if (needed > spec.longest) {
    fmt::print(stderr, "{}: warning: it takes about {}, and limits.total ends it after {}\n", path, clock_text(needed),
               clock_text(spec.longest));
  }
}

int validate(const std::vector<std::string>& files) {
  const auto binary = OwnBinary::open();
  if (!binary) return fail("spec validate", kInternalError, binary.error());
  const auto models = ask_for_models(*binary);
  if (!models) return fail("spec validate", kInternalError, models.error());
  const auto asks = [&](const char* command) {
    return [&binary, command](const std::vector<std::string>& flags) { return complaint_of(*binary, command, flags); };
  };
  const SpecOptions options{.known_models = ids_of(*models), .ask_broker = asks("broker"), .ask_probe = asks("probe")};
  int code = kOk;
  for (const auto& name : files) {
    const auto path = find_experiment(name);
    if (!path) return fail("spec validate", kUsage, path.error());
    const auto text = read_text_file(*path);
    if (!text) {
      code = fail("spec validate", kInvalidSpec, text.error());
      continue;
    }
    const auto problems = problems_of(*text, *path, options);
    if (!problems.empty()) fmt::print(stderr, "{}", to_text(problems, look_at_terminal(stderr), ""));
    if (has_errors(problems)) {
      code = kInvalidSpec;
    } else if (const auto spec = parse_spec(*text, *path, options)) {
      fmt::print("{}: valid: {}\n", *path, summary_of(*spec, *models));
      warn_of_plan(*spec, *models, *path);
    }
  }
  return code;
}

// "my-question" of "notes/my-question.json"; the file of a plain name lies in the working directory.
struct NewFile {
  std::string path;
  std::string name;
};
NewFile new_file(const std::string& wanted) {
  namespace fs = std::filesystem;
  if (!wanted.ends_with(".json")) return {wanted + ".json", fs::path(wanted).filename()};
  return {wanted, fs::path(wanted).stem()};
}

// Seen from the new file, so that both can be moved together.
std::string schema_path_from(const std::string& file) {
  namespace fs = std::filesystem;
  const auto schema = find_schema();
  if (!schema) return {};
  std::error_code error;
  const auto folder = fs::absolute(file, error).parent_path();
  const auto path = fs::relative(*schema, folder, error);
  return error || path.empty() ? "file://" + *schema : (path.begin()->string() == ".." ? "" : "./") + path.string();
}

std::expected<std::string, std::string> text_for(const NewFile& file, const std::string& from) {
  if (from.empty()) return starting_spec(file.name, schema_path_from(file.path));
  const auto path = find_experiment(from);
  if (!path) return std::unexpected("--from: " + path.error());
  const auto text = read_text_file(*path);
  if (!text) return std::unexpected("--from: " + text.error());
  return renamed_spec(*text, *path, file.name);
}

int write_new(const std::string& wanted, const std::string& from) {
  const auto file = new_file(wanted);
  for (const auto& flaw : check_value(*find_field("name"), nlohmann::ordered_json(file.name), {})) {
    return fail("spec new", kUsage, fmt::format("{}: {}", flaw.what, flaw.remedy));
  }
  const auto text = text_for(file, from);
  if (!text) return fail("spec new", kUsage, text.error());
  // "x": never over a file that is there.
  std::FILE* out = std::fopen(file.path.c_str(), "wxe");
  if (out == nullptr && errno == EEXIST) {
    return fail("spec new", kUsage,
                fmt::format("{} is there already, and is left as it is: take another name", file.path));
  }
  const bool opened = out != nullptr;
  const bool written = opened && std::fwrite(text->data(), 1, text->size(), out) == text->size();
  const bool closed = opened && std::fclose(out) == 0;
  if (!written || !closed) {
    return fail("spec new", kCannotRunHere, fmt::format("cannot write {}: {}", file.path, std::strerror(errno)));
  }
  fmt::print("Wrote {}.\nNext: iolab spec validate {}\n      iolab run {} --dry-run\n", file.path, file.path,
             file.path);
  return kOk;
}

int explain(const std::string& path) {
  const auto terminal = look_at_terminal(stdout);
  if (path.empty()) {
    fmt::print("{}\nNext: iolab spec explain KEY\n", list_of_keys(terminal));
    return kOk;
  }
  const auto text = explanation(path, terminal);
  if (!text) return fail("spec explain", kUsage, text.error());
  fmt::print("{}", *text);
  return kOk;
}

int print_schema() {
  const auto models = known_models();
  if (!models) return fail("spec schema", kInternalError, models.error());
  fmt::print("{}\n", spec_schema(ids_of(*models)).dump(2));
  return kOk;
}

constexpr const char* kSpecExamples = R"(
Examples
  iolab spec new my-question                a commented file to start from
  iolab spec new tax-2 --from idle-tax      a copy of an experiment under a new name
  iolab spec validate my-question.json      its mistakes, or what the plan will be
  iolab spec explain workload.arrivals      what a key means

Exit codes  0 ok · 2 wrong flag or command · 3 a file is invalid
)";

}  // namespace

void add_spec_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("spec", "Write, check and understand experiment files");
  command->require_subcommand(1);
  command->footer(kSpecExamples);

  auto* create = command->add_subcommand("new", "Write a valid, commented file to start from");
  const auto name = std::make_shared<std::string>("my-question");
  const auto from = std::make_shared<std::string>();
  create->add_option("NAME", *name, "NAME or NAME.json; it must not be there yet")->capture_default_str();
  create->add_option("--from", *from, "an experiment (iolab list), or a file, to copy");
  create->callback([name, from, &exit_code] { exit_code = write_new(*name, *from); });

  auto* check = command->add_subcommand(
      "validate", "Print the problems of files (some show only when others are mended), or what they would run");
  const auto files = std::make_shared<std::vector<std::string>>();
  check->add_option("FILE", *files, "experiments, or files that end in .json")->required();
  check->callback([files, &exit_code] { exit_code = validate(*files); });

  auto* meaning = command->add_subcommand("explain", "Say what a key means; without one, list them all");
  const auto path = std::make_shared<std::string>();
  meaning->add_option("KEY", *path, "workload.idle_connections, or idle_connections");
  meaning->callback([path, &exit_code] { exit_code = explain(*path); });

  auto* schema = command->add_subcommand("schema", "Print the JSON Schema, for editors");
  schema->callback([&exit_code] { exit_code = print_schema(); });
}

}  // namespace iolab::lab
