#include "experiments/commands/command_cost.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "experiments/command.h"
#include "experiments/commands/command_line.h"
#include "experiments/judging/cost_model.h"
#include "experiments/run/run_directory.h"
#include "experiments/run/run_files.h"
#include "experiments/words/terminal.h"
#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, kCauses.size()> kNames{"one request, whatever else it does", "one system call",
                                                              "one wake-up", "one KiB across the border of the kernel",
                                                              "one descriptor looked at by select() or poll()"};

void print_model(const CostModel& model, const Terminal& terminal) {
  TextTable prices{.headers = {{"cause", "us"}}, .right = {false, true}, .rows = {}};
  for (std::size_t i = 0; i < kCauses.size(); ++i) {
    prices.rows.push_back({{std::string(kNames[i]), three_digits(model.prices_us[i])}, ""});
  }
  fmt::print("{}\n", to_text(prices, terminal));
  fmt::print(
      "Fitted on {}. On the other {}, which it has not seen, it is off by {} in the median, and by {} at worst.\n",
      counted(model.fitted.size(), "cell"), model.tried.size(), percent_text(model.median_error),
      percent_text(model.largest_error));
  constexpr double kBad = 0.25;
  if (model.median_error > kBad) fmt::print("It predicts badly: what costs here is not among these causes.\n");
  auto worst = model.tried;
  std::ranges::sort(worst, std::greater{}, [](const CostModel::Try& one) { return std::abs(one.error()); });
  if (worst.size() > 10) worst.resize(10);
  TextTable table{.headers = {{"worst predicted", "measured us", "predicted us", "off by"}},
                  .right = {false, true, true, true},
                  .rows = {}};
  for (const auto& one : worst) {
    table.rows.push_back({{one.cell->run + ": " + one.cell->cell, three_digits(one.cell->measured_us),
                           three_digits(one.predicted_us), fmt::format("{:+.0f} %", 100 * one.error())},
                          ""});
  }
  fmt::print("\n{}", to_text(table, terminal));
}

Json json_of(const CostModel& model) {
  Json prices = Json::object();
  for (std::size_t i = 0; i < kCauses.size(); ++i) prices[std::string(kCauses[i])] = model.prices_us[i];
  const auto list = [](const std::vector<CostModel::Try>& tries) {
    Json cells = Json::array();
    for (const auto& one : tries) {
      cells.push_back({{"run", one.cell->run},
                       {"cell", one.cell->cell},
                       {"measured_us", one.cell->measured_us},
                       {"predicted_us", one.predicted_us}});
    }
    return cells;
  };
  return {{"schema", "iolab-cost-1"},           {"prices_us", prices},
          {"median_error", model.median_error}, {"largest_error", model.largest_error},
          {"fitted", list(model.fitted)},       {"tried", list(model.tried)}};
}

int run(const std::vector<std::string>& names, bool as_json) {
  std::vector<CostCell> cells;
  for (const auto& name : names) {
    const auto directory = RunDirectory::find(name);
    if (!directory) return fail("cost", kUsage, directory.error());
    const auto data = load_run(*directory);
    if (!data) return fail("cost", kInvalidSpec, data.error());
    for (auto& cell : cost_cells(Results(*data))) cells.push_back(std::move(cell));
  }
  const auto model = fit_cost(cells);
  if (!model) {
    return fail("cost", kCannotRunHere,
                fmt::format("{} have figures, and {} are needed: name more runs", counted(cells.size(), "cell"),
                            4 * kCauses.size()));
  }
  if (as_json) {
    fmt::print("{}\n", json_of(*model).dump(1));
  } else {
    print_model(*model, look_at_terminal(stdout));
  }
  return kOk;
}

constexpr const char* kCostExamples = R"(
Examples
  iolab cost results/reference/idle-tax results/reference/few-busy

Server CPU per request as a sum of counted causes with fitted prices. The prices come from one half of the cells, and
the error is that on the other half.

Exit codes  0 ok · 2 no such run · 3 not a run of this version · 4 too few cells
)";

}  // namespace

void add_cost_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("cost", "What a request costs, told from system calls, wake-ups and bytes");
  const auto runs = std::make_shared<std::vector<std::string>>();
  const auto as_json = std::make_shared<bool>(false);
  command->add_option("RUN", *runs, "runs in ./results, or their directories")->required();
  command->add_flag("--json", *as_json, "prices, and every cell with what was predicted");
  command->footer(kCostExamples);
  command->callback([runs, as_json, &exit_code] { exit_code = run(*runs, *as_json); });
}

}  // namespace iolab::lab
