#include "io_models/command_probe.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "experiments/command.h"
#include "io_models/probes/peer.h"
#include "io_models/probes/probe.h"

namespace iolab::io {
namespace {

using probes::Probe;
using probes::ProbeSettings;

struct Flags {
  std::string name;
  std::vector<std::string> set;
  int milliseconds = 1000;
  bool check = false;
  ProbeSettings settings;
};

int fail(int code, const std::string& text) {
  fmt::print(stderr, "iolab probe: {}\n", text);
  return code;
}

int list() {
  for (const Probe& probe : probes::probes()) {
    fmt::print("{:<14} {}\n", probe.name, probe.question);
    if (!probe.models.empty()) fmt::print("{:<14} models: {}\n", "", fmt::join(probe.models, ", "));
    for (const auto& key : probe.keys) {
      fmt::print("{:<14} {}={}  {}\n", "", key.name, key.values.empty() ? "..." : key.values, key.summary);
    }
  }
  fmt::print("\nNext: iolab probe NAME --model MODEL --set KEY=VALUE\n");
  return kOk;
}

int run(Flags& flags) {
  if (flags.name.empty()) return list();
  const Probe* const probe = probes::find_probe(flags.name);
  if (probe == nullptr) {
    std::vector<std::string_view> names;
    for (const Probe& one : probes::probes()) names.push_back(one.name);
    const auto text = fmt::format("no probe '{}'; there are: {}", flags.name, fmt::join(names, ", "));
    if (flags.check) fmt::print("{}\n", text);
    return flags.check ? int{kInvalidSpec} : fail(kUsage, text);
  }
  for (const auto& text : flags.set) {
    const auto equals = text.find('=');
    if (equals == std::string::npos) return fail(kUsage, fmt::format("--set {}: write KEY=VALUE", text));
    flags.settings.config[text.substr(0, equals)] = text.substr(equals + 1);
  }
  const auto wrong = probes::complaint(*probe, flags.settings);
  if (flags.check) {
    if (!wrong.empty()) fmt::print("{}\n", wrong);
    return wrong.empty() ? kOk : kInvalidSpec;
  }
  if (!wrong.empty()) return fail(kUsage, wrong);
  flags.settings.length = std::chrono::milliseconds(flags.milliseconds);
  if (const auto stays = probes::can_stay_on(flags.settings.peer_cpu); !stays) {
    return fail(kCannotRunHere, stays.error());
  }
  const auto figures = probe->run(flags.settings);
  if (!figures) return fail(kCannotRunHere, figures.error());
  fmt::print("{}\n", nlohmann::ordered_json(*figures).dump(1));
  return kOk;
}

constexpr const char* kExamples = R"(
Examples
  iolab probe                                              what there is
  iolab probe meanwhile --model sigio:delivery=handler     what a thread gets done while it waits
  iolab probe short-reads --set way=MSG_WAITALL            ten bytes are wanted, eight are there

Exit codes  0 ok · 2 wrong name, model or setting · 4 it cannot run here
)";

}  // namespace

void add_probe_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("probe", "One small program for one question, and its figures as JSON");
  const auto flags = std::make_shared<Flags>();
  command->add_option("NAME", flags->name, "without one, list them");
  command->add_option("--model", flags->settings.model, "ID or ID:KEY=VALUE, if the probe has models");
  command->add_option("--set", flags->set, "KEY=VALUE; may be repeated");
  command->add_option("--for", flags->milliseconds, "milliseconds that are measured")
      ->check(CLI::Range(10, 600'000))
      ->capture_default_str();
  command->add_option("--peer-cpu", flags->settings.peer_cpu, "where the peer's thread runs; -1: anywhere");
  command->add_flag("--check", flags->check, "only say what is wrong with these flags")->group("");
  command->footer(kExamples);
  command->callback([flags, &exit_code] { exit_code = run(*flags); });
}

}  // namespace iolab::io
