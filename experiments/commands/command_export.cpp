#include "experiments/commands/command_export.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "experiments/command.h"
#include "experiments/commands/command_line.h"
#include "experiments/report/report.h"
#include "experiments/report/sheets.h"
#include "experiments/words/nearest_word.h"
#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

struct ExportFlags {
  std::string name;
  std::string to;
  std::string what = "trials";
  std::string out;
};

const std::vector<std::string> kFormats{"csv", "json"};
const std::vector<std::string> kParts{"trials", "cells", "duets"};

// Empty, or that there is no such word, and which there are.
std::string unknown(const char* flag, const std::string& word, const std::vector<std::string>& known) {
  if (std::ranges::find(known, word) != known.end()) return {};
  const auto near = nearest_word(word, known);
  return fmt::format("{}: there is no \"{}\"; there are {}{}", flag, word, listed(known),
                     near.empty() ? "" : fmt::format(". Did you mean \"{}\"?", near));
}

Sheet sheet_of(const RunData& data, const std::string& what) {
  if (what == "duets") return duets_sheet(data);
  const Results results(data);
  return what == "cells" ? cells_sheet(results) : trials_sheet(results);
}

int put(const std::string& text, const std::string& out) {
  if (out.empty()) {
    fmt::print("{}", text);
    return std::fflush(stdout) == 0 ? kOk : kInternalError;
  }
  std::ofstream file(out, std::ios::binary);
  file << text << std::flush;
  if (!file) return fail("export", kCannotRunHere, fmt::format("cannot write {}: name another file with --out", out));
  return kOk;
}

int run(const ExportFlags& flags) {
  for (const auto& wrong : {unknown("--to", flags.to, kFormats), unknown("--what", flags.what, kParts)}) {
    if (!wrong.empty()) return fail("export", kUsage, wrong);
  }
  const auto directory = RunDirectory::find(flags.name);
  if (!directory) return fail("export", kUsage, directory.error());
  const auto data = load_run(*directory);
  if (!data) return fail("export", kInvalidSpec, data.error());
  const Sheet sheet = sheet_of(*data, flags.what);
  return put(flags.to == "json" ? to_json_text(sheet) : to_csv(sheet), flags.out);
}

constexpr const char* kExportExamples = R"(
Examples
  iolab export --to csv > trials.csv              the latest run, one line per trial
  iolab export idle-tax-20261126-150405 --to json --what cells --out cells.json

Exit codes  0 ok · 2 no such run, format or part · 3 not a run of this version · 4 the file cannot be written
)";

}  // namespace

void add_export_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("export", "A run's trials, cells or duets as CSV or JSON");
  const auto flags = std::make_shared<ExportFlags>();
  command->add_option("RUN", flags->name, "a run in ./results, or its directory; default: the latest");
  command->add_option("--to", flags->to, "csv or json")->required();
  command->add_option("--what", flags->what, "trials, cells or duets")->capture_default_str();
  command->add_option("--out", flags->out, "a file; default: stdout");
  command->footer(kExportExamples);
  command->callback([flags, &exit_code] { exit_code = run(*flags); });
}

}  // namespace iolab::lab
