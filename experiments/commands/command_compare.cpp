#include "experiments/commands/command_compare.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "experiments/command.h"
#include "experiments/commands/command_line.h"
#include "experiments/judging/run_comparison.h"
#include "experiments/report/report.h"
#include "experiments/report/sheets.h"
#include "experiments/spec/cell_filter.h"
#include "experiments/spec/metrics.h"
#include "experiments/words/nearest_word.h"
#include "experiments/words/terminal.h"
#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

using Json = nlohmann::ordered_json;

struct CompareFlags {
  std::string before;
  std::string after;
  std::vector<std::string> metrics;
  std::string cells;
  std::vector<std::string> fail_if;
  std::string format = "table";
  bool all = false;
};

struct NamedRun {
  std::string label;
  std::string path;
  RunData data;
};

// "before=idle-tax-0412", or a run alone, whose label is its id. A path may hold an equals sign: then a slash is before
// it.
std::expected<NamedRun, int> open_run(const std::string& text) {
  const auto equals = text.find('=');
  const bool labelled = equals != std::string::npos && equals > 0 && text.find('/') > equals;
  const auto directory = RunDirectory::find(labelled ? text.substr(equals + 1) : text);
  if (!directory) return std::unexpected(fail("compare", kUsage, directory.error()));
  auto data = load_run(*directory);
  if (!data) return std::unexpected(fail("compare", kInvalidSpec, data.error()));
  return NamedRun{labelled ? text.substr(0, equals) : data->id, directory->path(), std::move(*data)};
}

bool is_same_directory(const std::string& one, const std::string& other) {
  std::error_code error;
  return std::filesystem::equivalent(one, other, error);
}

// Those that were asked for, those of --fail-if, or else the ones that the experiment watches.
std::expected<std::vector<std::string>, std::string> chosen_metrics(const CompareFlags& flags,
                                                                    const std::vector<FailIf>& rules,
                                                                    const Spec& spec) {
  std::vector<std::string> chosen;
  const auto add = [&](const std::string& id) {
    if (std::ranges::find(chosen, id) == chosen.end()) chosen.push_back(id);
  };
  for (const auto& id : flags.metrics) {
    if (find_metric(id) == nullptr) {
      return std::unexpected(fmt::format("--metric: there is no \"{}\": {}", id, nearest_or_all(id, metric_ids())));
    }
    add(id);
  }
  for (const auto& rule : rules) add(rule.metric);
  for (const auto& id : spec.watch) {
    if (flags.metrics.empty()) add(id);
  }
  return chosen;
}

// What a reader without --all need not see: cells that do not differ, as far as can be told.
bool is_told(const CellPair& pair, const RunComparison& comparison) {
  const Word word = pair.verdict.word;
  return !comparison.why_no_verdicts.empty() || word == Word::clearly_more || word == Word::clearly_less ||
         word == Word::probably_more || word == Word::probably_less;
}

std::string range_of(const Verdict& verdict) {
  if (!verdict.interval) return "";
  return fmt::format("{:.3f} to {:.3f}", verdict.interval->low, verdict.interval->high);
}

std::string verdict_of(const CellPair& pair) {
  const auto& verdict = pair.verdict;
  const auto word = Words::in(Language::english).say(fmt::format("word.{}", name(verdict.word)));
  if (verdict.word == Word::cannot_say) return fmt::format("{}: {}", word, verdict.because);
  if (verdict.word == Word::same) return fmt::format("{} within {}", word, percent_text(*pair.floor));
  const auto meaning = news(verdict.word, pair.metric);
  return meaning.empty() ? word : fmt::format("{}: {}", word, meaning);
}

Sheet sheet_of(const std::vector<CellPair>& pairs, const NamedRun& before, const NamedRun& after) {
  Sheet sheet{.names = {"metric", "cell", before.label, after.label, "ratio", "low", "high", "floor", "verdict", "news",
                        "because"},
              .rows = {}};
  const auto number = [](const std::optional<double>& value) {
    return Sheet::Value{value && std::isfinite(*value) ? fmt::format("{:.6g}", *value) : "", true};
  };
  for (const auto& pair : pairs) {
    const auto& interval = pair.verdict.interval;
    sheet.rows.push_back({{pair.metric},
                          {pair.cell},
                          number(pair.before),
                          number(pair.after),
                          number(pair.before && pair.after ? std::optional(pair.verdict.ratio) : std::nullopt),
                          number(interval ? std::optional(interval->low) : std::nullopt),
                          number(interval ? std::optional(interval->high) : std::nullopt),
                          number(pair.floor),
                          {std::string(name(pair.verdict.word))},
                          {std::string(news(pair.verdict.word, pair.metric))},
                          {pair.verdict.because}});
  }
  return sheet;
}

std::string metric_header(const Metric& metric) {
  const auto better = better_when(metric.id);
  return fmt::format("{} ({}{})", metric_label(Words::in(Language::english), metric),
                     metric.unit.empty() ? "" : fmt::format("{}, ", metric.unit),
                     !better                     ? "neither is better"
                     : *better == Better::higher ? "higher is better"
                                                 : "lower is better");
}

std::string table_of(const std::vector<CellPair>& pairs, const std::vector<std::string>& metrics,
                     const NamedRun& before, const NamedRun& after, const Terminal& terminal) {
  std::string text;
  for (const auto& id : metrics) {
    const Metric& metric = *find_metric(id);
    TextTable table{.headers = {{"cell", before.label, after.label, "ratio", "95 % range", "verdict"}},
                    .right = {false, true, true, true, false, false},
                    .rows = {}};
    for (const auto& pair : pairs) {
      if (pair.metric != id) continue;
      const auto value = [&](const std::optional<double>& one) { return one ? metric_text(metric, *one) : "-"; };
      table.rows.push_back({{pair.cell, value(pair.before), value(pair.after),
                             pair.before && pair.after ? fmt::format("{:.3f}", pair.verdict.ratio) : "-",
                             range_of(pair.verdict), verdict_of(pair)},
                            ""});
    }
    if (!table.rows.empty())
      text += fmt::format("\n{}\n{}", bold(terminal, metric_header(metric)), to_text(table, terminal));
  }
  return text;
}

Json json_of(const RunComparison& comparison, const std::vector<CellPair>& pairs, const NamedRun& before,
             const NamedRun& after) {
  const auto run = [](const NamedRun& one) {
    return Json{{"label", one.label},
                {"id", one.data.id},
                {"machine", one.data.machine},
                {"commit", one.data.commit},
                {"binary_sha256", one.data.binary_sha256}};
  };
  return {{"schema", "iolab-comparison-1"},
          {"before", run(before)},
          {"after", run(after)},
          {"why_no_verdicts", comparison.why_no_verdicts},
          {"notes", comparison.notes},
          {"cells", Json::parse(to_json_text(sheet_of(pairs, {"before", {}}, {"after", {}})))},
          {"only_before", comparison.only_before},
          {"only_after", comparison.only_after}};
}

// "Not shown: 12 rows that are the same, 3 rows that are too close to call (--all shows them)." and what could not be
// judged, by its most frequent reason. Nothing, if nothing is hidden.
std::string hidden_text(const std::vector<CellPair>& hidden) {
  std::size_t same = 0;
  std::size_t too_close = 0;
  std::map<std::string, std::size_t> unjudged;
  for (const auto& pair : hidden) {
    same += pair.verdict.word == Word::same;
    too_close += pair.verdict.word == Word::too_close;
    if (pair.verdict.word == Word::cannot_say) ++unjudged[pair.verdict.because];
  }
  std::string text;
  const auto add = [&](std::size_t rows, std::string_view what) {
    if (rows > 0) text += fmt::format("{}{} {}", text.empty() ? "Not shown: " : ", ", counted(rows, "row"), what);
  };
  add(same, same == 1 ? "that is the same" : "that are the same");
  add(too_close, "too close to call");
  if (!text.empty()) text += " (--all shows them).\n";
  if (unjudged.empty()) return text;
  const auto most = std::ranges::max_element(unjudged, {}, &std::pair<const std::string, std::size_t>::second);
  const auto rows = hidden.size() - same - too_close;
  return text + fmt::format("About {} nothing can be said: {}{} (--all shows them).\n", counted(rows, "row"),
                            most->first, unjudged.size() > 1 ? ", and other reasons" : "");
}

// Beside the figures, on stderr: what they are worth, and what is not among them.
void say_notes(const RunComparison& comparison, const std::vector<CellPair>& hidden, const NamedRun& before,
               const NamedRun& after) {
  for (const auto& reason : comparison.why_no_verdicts) fmt::print(stderr, "No verdicts: {}.\n", reason);
  for (const auto& note : comparison.notes) fmt::print(stderr, "Note: {}\n", note);
  const auto say_only = [](const std::vector<std::string>& cells, const std::string& label) {
    if (!cells.empty()) fmt::print(stderr, "Only in {}: {}.\n", label, listed(cells));
  };
  say_only(comparison.only_before, before.label);
  say_only(comparison.only_after, after.label);
  if (const auto text = hidden_text(hidden); !text.empty()) fmt::print(stderr, "{}", text);
}

int judge_rules(const RunComparison& comparison, const std::vector<FailIf>& rules) {
  if (rules.empty()) return kOk;
  if (!comparison.why_no_verdicts.empty())
    return fail("compare", kCannotRunHere, "--fail-if cannot be answered: see above");
  std::size_t failed = 0;
  std::size_t unclear = 0;
  std::size_t asked = 0;
  for (const auto& rule : rules) {
    for (const auto& pair : comparison.cells) {
      if (pair.metric != rule.metric) continue;
      ++asked;
      unclear += pair.verdict.word == Word::cannot_say;
      if (!fails(pair, rule)) continue;
      ++failed;
      fmt::print(stderr, "Worse: {} of {} is {:.3f} times what it was ({}).\n", pair.metric, pair.cell,
                 pair.verdict.ratio, range_of(pair.verdict));
    }
  }
  if (unclear == asked)
    return fail("compare", kCannotRunHere, "--fail-if cannot be answered: not one row could be judged");
  if (unclear > 0) fmt::print(stderr, "{} could not be judged, and did not fail.\n", counted(unclear, "row"));
  return failed > 0 ? kRegression : kOk;
}

// "before: main, that is results/idle-tax-1 (2026-11-22 10:00:00)"
std::string heading_of(std::string_view side, const NamedRun& run) {
  const auto name = run.label == run.data.id ? run.label : fmt::format("{}, that is {}", run.label, run.data.id);
  return fmt::format("{:<7} {} ({})", fmt::format("{}:", side), name, run.data.started);
}

void print(const CompareFlags& flags, const RunComparison& comparison, const std::vector<std::string>& metrics,
           const NamedRun& before, const NamedRun& after) {
  std::vector<CellPair> shown;
  std::vector<CellPair> hidden;
  for (const auto& pair : comparison.cells) {
    (flags.all || is_told(pair, comparison) ? shown : hidden).push_back(pair);
  }
  if (flags.format == "csv") fmt::print("{}", to_csv(sheet_of(shown, before, after)));
  if (flags.format == "md") fmt::print("{}", to_markdown(sheet_of(shown, before, after)));
  if (flags.format == "json") fmt::print("{}\n", json_of(comparison, shown, before, after).dump(1));
  if (flags.format == "table") {
    fmt::print("{}\n{}\n", heading_of("before", before), heading_of("after", after));
    fmt::print("{}", table_of(shown, metrics, before, after, look_at_terminal(stdout)));
  }
  std::fflush(stdout);
  say_notes(comparison, hidden, before, after);
}

std::expected<std::vector<FailIf>, std::string> rules_of(const std::vector<std::string>& texts) {
  std::vector<FailIf> rules;
  for (const auto& text : texts) {
    auto rule = parse_fail_if(text);
    if (!rule) return std::unexpected(rule.error());
    rules.push_back(std::move(*rule));
  }
  return rules;
}

int run(const CompareFlags& flags) {
  const auto rules = rules_of(flags.fail_if);
  if (!rules) return fail("compare", kUsage, rules.error());
  const auto wanted = cell_matcher(flags.cells);
  if (!wanted) return fail("compare", kUsage, "--cells: " + wanted.error());
  const auto before = open_run(flags.before);
  if (!before) return before.error();
  const auto after = open_run(flags.after);
  if (!after) return after.error();
  if (is_same_directory(before->path, after->path)) {
    return fail("compare", kUsage, fmt::format("both are {}: name two runs", before->path));
  }
  const auto metrics = chosen_metrics(flags, *rules, before->data.spec);
  if (!metrics) return fail("compare", kUsage, metrics.error());
  const Results first(before->data);
  const Results second(after->data);
  const auto comparison = compare_runs(first, second, *metrics, *wanted);
  print(flags, comparison, *metrics, *before, *after);
  if (comparison.cells.empty()) {
    return fail("compare", kUsage,
                "the runs have no such cell in common: iolab export RUN --to csv --what cells lists them");
  }
  return judge_rules(comparison, *rules);
}

constexpr const char* kCompareExamples = R"(
Examples
  iolab compare before=idle-tax-20261126-150405 after=idle-tax-20261127-090000
  iolab compare main=results/a pull=results/b --fail-if latency_p99_us:+5%       exit 6 if it clearly got worse

Verdicts need the same work (spec), the same machine and six trials for each cell; else the runs are shown side by side.

Exit codes  0 ok · 2 wrong flag, metric, expression or run · 3 not a run of this version
            4 --fail-if cannot be answered: the runs allow no verdicts · 6 clearly worse by more than --fail-if
)";

}  // namespace

void add_compare_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("compare", "Two runs, cell by cell: what became clearly better or worse");
  const auto flags = std::make_shared<CompareFlags>();
  command->add_option("BEFORE", flags->before, "[label=]RUN: a run in ./results, or its directory")->required();
  command->add_option("AFTER", flags->after, "[label=]RUN")->required();
  command->add_option("--metric", flags->metrics, "ids; default: those that the experiment watches")->delimiter(',');
  command->add_option("--cells", flags->cells, "regular expression: only cells whose id it finds");
  command->add_option("--fail-if", flags->fail_if, "METRIC:+PERCENT (or -): exit 6 if a cell is clearly worse by more");
  command->add_option("--format", flags->format, "table, json, csv or md")
      ->check(CLI::IsMember({"table", "json", "csv", "md"}))
      ->capture_default_str();
  command->add_flag("--all", flags->all, "also what does not differ, or cannot be told");
  command->footer(kCompareExamples);
  command->callback([flags, &exit_code] { exit_code = run(*flags); });
}

}  // namespace iolab::lab
