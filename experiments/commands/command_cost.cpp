#include "experiments/commands/command_cost.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "experiments/command.h"
#include "experiments/commands/command_line.h"
#include "experiments/judging/cost_model.h"
#include "experiments/run/run_directory.h"
#include "experiments/run/run_files.h"
#include "experiments/words/terminal.h"
#include "experiments/words/units.h"
#include "experiments/words/words.h"

namespace iolab::lab {
namespace {

using Json = nlohmann::ordered_json;

// Keys of the catalogue, in the order of kCauses and of Unseen.
constexpr std::array<std::string_view, kCauses.size()> kCauseWords{"cost.request", "cost.system_call", "cost.wake_up",
                                                                   "cost.kib", "cost.descriptor"};
constexpr std::array<std::string_view, 4> kTestWords{"cost.half", "cost.model", "cost.level", "cost.run"};
constexpr std::array<std::string_view, 3> kTestColumns{"cost.off_half", "cost.off_model", "cost.off_level"};

std::string test_word(const Words& words, Unseen unseen) {
  return words.say(kTestWords[static_cast<std::size_t>(unseen)]);
}

std::string ns_text(double us) {
  return three_digits(1000 * us);
}

// What the price of a cause is worth; empty: it is told from 0.
std::string doubt_of(const Words& words, const Price& price) {
  if (!price.asked) return words.say("cost.not_asked");
  if (!price.alike.empty()) {
    std::vector<std::string> others;
    for (const auto twin : price.alike) others.push_back(words.say(kCauseWords[twin]));
    return words.say("cost.alike", {{"others", words.listed(others)}});
  }
  if (!price.low) return words.say("cost.no_interval", {{"n", kFewestModels}});
  return price.told_from_0() ? "" : words.say("cost.not_told");
}

void print_prices(const Words& words, const CostModel& model, const Terminal& terminal) {
  TextTable table{
      .headers = {{words.say("cost.cause"), "ns", words.say("cost.range")}}, .right = {false, true, true}, .rows = {}};
  for (std::size_t i = 0; i < kCauses.size(); ++i) {
    const auto& price = model.prices[i];
    const auto range = price.low && price.alike.empty()
                           ? words.say("cost.from_to", {{"low", ns_text(*price.low)}, {"high", ns_text(*price.high)}})
                           : std::string("-");
    table.rows.push_back(
        {{words.say(kCauseWords[i]), price.asked ? ns_text(price.us) : "-", range}, doubt_of(words, price)});
  }
  fmt::print("{}\n{}\n", words.say("cost.prices", {{"n", model.fitted}}), to_text(table, terminal));
}

void print_left_out(const Words& words, const CostCells& cells) {
  const auto print = [&](std::string_view key, const std::set<std::string>& models) {
    const std::vector<std::string> list(models.begin(), models.end());
    if (!list.empty()) fmt::print("{}\n", words.say(key, {{"models", words.listed(list)}}));
  };
  print("cost.hidden", cells.hidden);
  print("cost.never_sleep", cells.never_sleep);
  if (!cells.hidden.empty() || !cells.never_sleep.empty()) fmt::print("\n");
}

TextTable::Row row_of(const std::string& what, const std::vector<CostTry>& tries) {
  const auto error = error_of(tries);
  return {{what, with_thousands(static_cast<double>(tries.size())), percent_text(error.median),
           percent_text(error.ninetieth), percent_text(error.largest)},
          ""};
}

// Each way of testing, and below it each group that was left out.
void print_errors(const Words& words, const CostModel& model, const Terminal& terminal) {
  TextTable table{.headers = {{words.say("cost.unseen"), words.say("cost.cells"), words.say("cost.median"),
                               words.say("cost.ninetieth"), words.say("cost.largest")}},
                  .right = {false, true, true, true, true},
                  .rows = {}};
  for (const auto& test : model.tests) {
    const auto what = test_word(words, test.unseen);
    if (test.tries.empty()) {
      table.rows.push_back({{what, "0", "-", "-", "-"}, words.say("cost.only_one")});
      continue;
    }
    table.rows.push_back(row_of(what, test.all()));
    if (test.unseen == Unseen::half) continue;
    for (const auto& [group, tries] : test.tries) table.rows.push_back(row_of("  " + group, tries));
  }
  fmt::print("{}\n{}\n", words.say("cost.errors"), to_text(table, terminal));
}

// A cell's error in each test that it was part of, but for that of whole runs: a run that has the only cells with large
// records or with many descriptors has no prices for them when it is left out, and all its cells are off.
struct TriedCell {
  const CostCell* cell = nullptr;
  std::vector<std::string> errors;
  double largest = 0;
};

std::vector<TriedCell> worst_first(const CostModel& model) {
  std::map<const CostCell*, TriedCell> cells;
  for (std::size_t at = 0; at < kTestColumns.size(); ++at) {
    for (const auto& one : model.tests[at].all()) {
      auto& own = cells[one.cell];
      own.cell = one.cell;
      own.errors.resize(kTestColumns.size(), "-");
      own.errors[at] = fmt::format("{:+.0f} %", 100 * one.error());
      own.largest = std::max(own.largest, std::abs(one.error()));
    }
  }
  std::vector<TriedCell> list;
  for (auto& [key, cell] : cells) list.push_back(std::move(cell));
  std::ranges::stable_sort(list, std::greater{}, &TriedCell::largest);
  return list;
}

void print_worst(const Words& words, const CostModel& model, const Terminal& terminal) {
  constexpr std::size_t kFewest = 5;
  constexpr std::size_t kMost = 15;
  const auto cells = worst_first(model);
  const auto bad = static_cast<std::size_t>(
      std::ranges::count_if(cells, [](const TriedCell& cell) { return cell.largest > kBadError; }));
  const auto shown = std::min(cells.size(), std::clamp(bad, kFewest, kMost));
  TextTable table{
      .headers = {{words.say("cost.cell"), words.say("cost.measured")}}, .right = {false, true}, .rows = {}};
  for (const auto key : kTestColumns) {
    table.headers[0].push_back(words.say(key));
    table.right.push_back(true);
  }
  for (std::size_t i = 0; i < shown; ++i) {
    std::vector<std::string> row{cells[i].cell->run + ": " + cells[i].cell->cell,
                                 three_digits(cells[i].cell->measured_us)};
    row.insert(row.end(), cells[i].errors.begin(), cells[i].errors.end());
    table.rows.push_back({std::move(row), ""});
  }
  fmt::print("{}\n{}\n",
             words.say("cost.worst",
                       {{"bad", bad}, {"n", cells.size()}, {"shown", shown}, {"limit", percent_text(kBadError)}}),
             to_text(table, terminal));
}

// Where a run was made. Prices of one machine say nothing of another.
struct MadeOn {
  std::string run;
  std::string machine;
};

bool differ(const std::vector<MadeOn>& runs) {
  return std::ranges::any_of(runs, [&](const MadeOn& one) { return one.machine != runs.front().machine; });
}

void print_machines(const Words& words, const std::vector<MadeOn>& runs, const Terminal& terminal) {
  const auto width = static_cast<std::size_t>(terminal.width);
  if (!differ(runs)) {
    fmt::print("{}\n\n", words.say("cost.machine", {{"machine", words.retold(runs.front().machine)}}));
    return;
  }
  fmt::print("{}\n", folded(words.say("cost.machines_differ"), width, 0));
  for (const auto& one : runs) fmt::print("  {}: {}\n", one.run, words.retold(one.machine));
  fmt::print("\n");
}

void print_model(const Words& words, const CostCells& cells, const CostModel& model, const Terminal& terminal) {
  print_prices(words, model, terminal);
  print_left_out(words, cells);
  print_errors(words, model, terminal);
  print_worst(words, model, terminal);
  std::vector<std::string> bad;
  for (const auto unseen : model.bad()) bad.push_back(test_word(words, unseen));
  const auto limit = percent_text(kBadError);
  const auto verdict = bad.empty() ? words.say("cost.good", {{"limit", limit}})
                                   : words.say("cost.bad", {{"limit", limit}, {"tests", words.clauses(bad)}});
  fmt::print("{}\n", folded(verdict, static_cast<std::size_t>(terminal.width), 0));
}

Json json_of(const Price& price) {
  Json alike = Json::array();
  for (const auto twin : price.alike) alike.push_back(kCauses[twin]);
  return {{"us", price.us},
          {"low_us", price.low ? Json(*price.low) : Json()},
          {"high_us", price.high ? Json(*price.high) : Json()},
          {"told_from_0", price.told_from_0()},
          {"asked", price.asked},
          {"alike", alike}};
}

Json json_of(const CostTest& test) {
  Json list = Json::array();
  for (const auto& [group, tries] : test.tries) {
    for (const auto& one : tries) {
      list.push_back({{"left_out", group},
                      {"run", one.cell->run},
                      {"cell", one.cell->cell},
                      {"measured_us", one.cell->measured_us},
                      {"predicted_us", one.predicted_us}});
    }
  }
  Json json{{"unseen", name(test.unseen)}, {"is_bad", test.is_bad()}};
  if (!test.tries.empty()) {
    const auto error = error_of(test.all());
    json["median_error"] = error.median;
    json["ninetieth_error"] = error.ninetieth;
    json["largest_error"] = error.largest;
  }
  json["tried"] = list;
  return json;
}

Json json_of(const CostCells& cells, const CostModel& model, const std::vector<MadeOn>& runs) {
  Json machines = Json::array();
  for (const auto& one : runs) machines.push_back({{"run", one.run}, {"machine", one.machine}});
  Json prices = Json::object();
  for (std::size_t i = 0; i < kCauses.size(); ++i) prices[std::string(kCauses[i])] = json_of(model.prices[i]);
  Json tests = Json::array();
  for (const auto& test : model.tests) tests.push_back(json_of(test));
  return {{"schema", "iolab-cost-2"},
          {"machines_differ", differ(runs)},
          {"machines", machines},
          {"prices", prices},
          {"fitted_cells", model.fitted},
          {"hidden", cells.hidden},
          {"never_sleep", cells.never_sleep},
          {"tests", tests}};
}

int run(const std::vector<std::string>& names, bool as_json, Language language) {
  std::vector<RunDirectory> directories;
  std::set<std::filesystem::path> seen;
  for (const auto& name : names) {
    auto directory = RunDirectory::find(name);
    if (!directory) return fail("cost", kUsage, directory.error());
    if (!seen.insert(std::filesystem::weakly_canonical(directory->path())).second) {
      return fail("cost", kUsage, fmt::format("{} is named twice, and would be counted twice", name));
    }
    directories.push_back(std::move(*directory));
  }
  CostCells cells;
  std::vector<MadeOn> runs;
  for (const auto& directory : directories) {
    const auto data = load_run(directory);
    if (!data) return fail("cost", kInvalidSpec, data.error());
    add_cost_cells(Results(*data), cells);
    runs.push_back({data->id, data->machine});
  }
  const auto model = fit_cost(cells.cells);
  if (!model) {
    return fail("cost", kCannotRunHere,
                fmt::format("{} have figures, and {} are needed: name more runs", counted(cells.cells.size(), "cell"),
                            4 * kCauses.size()));
  }
  if (as_json) {
    fmt::print("{}\n", json_of(cells, *model, runs).dump(1));
  } else {
    const Words& words = Words::in(language);
    const auto terminal = look_at_terminal(stdout);
    print_machines(words, runs, terminal);
    print_model(words, cells, *model, terminal);
  }
  return kOk;
}

constexpr const char* kCostExamples = R"(
Examples
  iolab cost results/reference/idle-tax results/reference/few-busy

Server CPU per request as a sum of counted causes with fitted prices. The prices come from one half of the cells, and
are tried on the other half; besides, each model, each level and each run is left out once, and predicted by the rest.
A model whose work is not counted in full is left out by name.

Exit codes  0 ok, also of a bad prediction · 2 no such run, or one twice · 3 not a run of this version · 4 too few cells
)";

}  // namespace

void add_cost_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("cost", "What a request costs, told from system calls, wake-ups and bytes");
  const auto runs = std::make_shared<std::vector<std::string>>();
  const auto as_json = std::make_shared<bool>(false);
  command->add_option("RUN", *runs, "runs in ./results, or their directories")->required();
  command->add_flag("--json", *as_json, "prices, and every cell with what was predicted");
  command->footer(kCostExamples);
  command->callback(
      [runs, as_json, command, &exit_code] { exit_code = run(*runs, *as_json, chosen_language(*command)); });
}

}  // namespace iolab::lab
