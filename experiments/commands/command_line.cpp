#include "experiments/commands/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/command.h"
#include "experiments/commands/command_list.h"
#include "experiments/machine/assets.h"
#include "experiments/machine/build_info.h"
#include "experiments/words/nearest_word.h"
#include "experiments/words/terminal.h"
#include "experiments/words/words.h"

namespace iolab {
namespace {

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

std::string first_screen(const CLI::App& app, const lab::Terminal& terminal, lab::Language language) {
  const auto& words = lab::Words::in(language);
  const auto commands = visible_commands(app);
  std::vector<std::string> shown;
  const auto headline = [&](std::string_view key) { return "\n" + lab::bold(terminal, words.say(key)) + "\n"; };
  const auto offer = [&](std::string_view name, std::string_view text) {
    if (!has(commands, name)) return std::string();
    shown.emplace_back(name);
    return fmt::format("  {:<24}{}\n", text, words.say(fmt::format("help.{}", name)));
  };
  auto text = words.say("help.title") + "\n" + headline("help.start");
  text +=
      offer("doctor", "iolab doctor") + offer("first-look", "iolab first-look") + offer("run", "iolab run idle-tax");
  text += headline("help.questions");
  for (const auto& file : lab::find_experiments()) {
    const bool is_first = has({"nothing", "few-busy", "idle-tax", "spin-cost"}, file.name);
    if (is_first) text += fmt::format("  {:<24}{}\n", file.name, lab::question_of(file, language));
  }
  text += headline("help.a_broker") + offer("broker", "iolab broker") + offer("models", "iolab models");
  std::string more;
  for (const auto& name : commands) {
    if (!has(shown, name)) more += " " + name;
  }
  text += headline("help.more") + " " + more + "\n";
  return text + "\n" + words.say("help.last") + "\n" + words.say("help.codes") + "\n";
}

// "--lang zh" may stand before the command, and before --help.
struct Beginning {
  std::string_view word;  // the first that is not about the language
  lab::Language language;
};

Beginning beginning_of(int argc, char** argv) {
  std::string_view language = "auto";
  int at = 1;
  for (; at < argc; ++at) {
    const std::string_view word = argv[at];
    if (word == "--lang" && at + 1 < argc) {
      language = argv[++at];
    } else if (word.starts_with("--lang=")) {
      language = word.substr(word.find('=') + 1);
    } else {
      break;
    }
  }
  return {at < argc ? argv[at] : std::string_view(), lab::language_from(language)};
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
  const auto [first, language] = beginning_of(argc, argv);
  if (first.empty() || first == "--help" || first == "-h" || first == "help") {
    fmt::print("{}", first_screen(app, lab::look_at_terminal(stdout), language));
    return first.empty() ? kUsage : kOk;
  }
  if (first == "--version") {
    const auto& build = lab::build_info();
    fmt::print("iolab {} ({}{}, {}, {})\n", build.version, build.commit, build.dirty ? ", changed" : "", build.compiler,
               build.build_type);
    return kOk;
  }
  const auto exit_codes = lab::Words::in(lab::Language::english).say("help.codes") + "\n";
  for (auto* command : app.get_subcommands([](CLI::App*) { return true; })) {
    command->fallthrough();  // `iolab run x --lang zh`
    if (command->get_footer().empty()) command->footer("\n" + exit_codes);
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
