#include "experiments/commands/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/command.h"
#include "experiments/machine/assets.h"
#include "experiments/machine/build_info.h"
#include "experiments/words/nearest_word.h"
#include "experiments/words/terminal.h"

namespace iolab {
namespace {

constexpr std::string_view kExitCodes =
    "Exit codes  0 ok · 1 internal error · 2 wrong flag or command · 3 invalid spec or properties\n"
    "            4 this machine cannot run it · 5 finished, but something failed · 6 a regression (compare)\n"
    "            7 too noisy for a verdict (run --strict) · 130 interrupted, resumable\n";

// Hidden commands (those without a description) exist for the lab's own processes.
std::vector<std::string> visible_commands(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!command->get_group().empty()) names.push_back(command->get_name());
  }
  return names;
}

bool has(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

std::string first_screen(const CLI::App& app, const lab::Terminal& terminal) {
  const auto commands = visible_commands(app);
  std::string text =
      "iolab - five classic I/O models in front of one Kafka-speaking log broker, and a lab around them\n\n";
  text += lab::bold(terminal, "Start here") + "\n";
  std::vector<std::string> shown;
  const auto offer = [&](std::string_view name, std::string_view line, std::string_view meaning) {
    if (!has(commands, name)) return;
    text += fmt::format("  {:<24}{}\n", line, meaning);
    shown.emplace_back(name);
  };
  offer("doctor", "iolab doctor", "what this machine can do (3 s, changes nothing)");
  offer("first-look", "iolab first-look", "20 seconds: one request through every model, and what each costs");
  offer("run", "iolab run idle-tax", "answer a question, get a report");
  text += "\n" + lab::bold(terminal, "Questions you can run") + "\n";
  text += "  nothing                 How big is no difference on this machine?\n";
  text += "  few-busy                When does epoll not beat threads?\n";
  text += "  idle-tax                Why does select collapse with idle connections?\n";
  text += "  spin-cost               What does busy polling cost in CPU?\n";
  if (has(commands, "broker")) text += "\n" + lab::bold(terminal, "A broker for any Kafka client") + "\n";
  offer("broker", "iolab broker", "start it: --model epoll --listeners PLAINTEXT://127.0.0.1:9092");
  offer("models", "iolab models", "the I/O models it can be started with");
  std::string more;
  for (const auto& name : commands) {
    if (!has(shown, name)) more += (more.empty() ? "" : " ") + name;
  }
  if (!more.empty()) text += "\n" + lab::bold(terminal, "More commands") + "\n  " + more + "\n";
  text += "\nHelp: iolab COMMAND --help      Version: iolab --version      中文: --lang zh\n";
  return text + std::string(kExitCodes);
}

int unknown_command(const CLI::App& app, std::string_view word) {
  const auto near = lab::nearest_word(word, visible_commands(app));
  fmt::print(stderr, "iolab: no command \"{}\"{}\nNext: iolab --help\n", word,
             near.empty() ? "" : fmt::format(": did you mean `iolab {}`?", near));
  return kUsage;
}

// The library names an unknown flag but not the one that was meant.
std::string meant_flag(const CLI::App& app, int argc, char** argv) {
  const auto chosen = app.get_subcommands();
  if (chosen.empty()) return {};
  std::vector<std::string> known;
  for (const auto* option : chosen.front()->get_options()) {
    for (const auto& name : option->get_lnames()) known.push_back("--" + name);
  }
  for (int i = 2; i < argc; ++i) {
    const std::string_view word = argv[i];
    const auto flag = word.substr(0, word.find('='));
    if (!flag.starts_with("--") || flag == "--" || has(known, flag)) continue;
    if (const auto near = lab::nearest_word(flag, known); !near.empty()) return near;
  }
  return {};
}

int explain(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
  const auto chosen = app.get_subcommands();
  const std::string command = chosen.empty() ? "" : " " + chosen.front()->get_name();
  const auto near = meant_flag(app, argc, argv);
  fmt::print(stderr, "iolab{}: {}{}\nNext: iolab{} --help\n", command, error.what(),
             near.empty() ? "" : fmt::format(": did you mean {}?", near), command);
  return kUsage;
}

}  // namespace

void add_language_option(CLI::App& app) {
  app.add_option("--lang", "language of summaries: en, zh, or auto (IOLAB_LANG, LC_ALL, LC_MESSAGES, LANG)")
      ->check(CLI::IsMember({"en", "zh", "auto"}))
      ->default_str("auto");
}

lab::Language chosen_language(const CLI::App& command) {
  const auto* option = command.get_parent()->get_option("--lang");
  return lab::language_from(option->empty() ? "auto" : option->as<std::string>());
}

int fail(std::string_view command, int code, std::string_view text) {
  fmt::print(stderr, "iolab {}: {}\n", command, text);
  return code;
}

int run_command_line(CLI::App& app, int& exit_code, int argc, char** argv) {
  const std::string_view first = argc > 1 ? argv[1] : "";
  if (first.empty() || first == "--help" || first == "-h" || first == "help") {
    fmt::print("{}", first_screen(app, lab::look_at_terminal(stdout)));
    return first.empty() ? kUsage : kOk;
  }
  if (first == "--version") {
    const auto& build = lab::build_info();
    fmt::print("iolab {} ({}{}, {}, {})\n", build.version, build.commit, build.dirty ? ", changed" : "", build.compiler,
               build.build_type);
    return kOk;
  }
  for (auto* command : app.get_subcommands([](CLI::App*) { return true; })) {
    command->fallthrough();  // `iolab run x --lang zh`
    if (command->get_footer().empty()) command->footer("\n" + std::string(kExitCodes));
  }
  const auto all = app.get_subcommands([&](const CLI::App* command) { return command->get_name() == first; });
  if (!first.starts_with("-") && all.empty()) return unknown_command(app, first);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", app.help());
    return kOk;
  } catch (const CLI::CallForAllHelp&) {
    fmt::print("{}", app.help("", CLI::AppFormatMode::All));
    return kOk;
  } catch (const CLI::ParseError& error) {
    return explain(app, error, argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "iolab {}: internal error: {}\nWhat was finished before is kept.\n", first, error.what());
    return kInternalError;
  }
  return exit_code;
}

}  // namespace iolab
