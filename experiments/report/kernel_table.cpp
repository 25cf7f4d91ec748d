// The table "What the kernel saw", of the trials that count and do not time (call_count.h).
#include <algorithm>
#include <cmath>

#include "experiments/report/tables.h"
#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

TableCell number_cell(std::uint64_t count) {
  const auto value = static_cast<double>(count);
  return {with_thousands(value), value};
}

TableCell per_request(std::uint64_t count, const CallCount& of) {
  if (of.requests == 0) return {"-"};
  const double value = static_cast<double>(count) / static_cast<double>(of.requests);
  return {three_digits(value), value};
}

void add_rows(Table& table, const CallCount& count, const Words& words) {
  const TableCell counted{words.say("kernel.counted_threads")};
  for (const auto& call : count.calls.compared) {
    table.rows.push_back({count.series,
                          {{count.series},
                           {call.call},
                           counted,
                           number_cell(call.kernel),
                           number_cell(call.layer),
                           per_request(call.kernel, count)},
                          ""});
  }
  for (const auto& call : count.calls.others) {
    table.rows.push_back({count.series,
                          {{count.series},
                           {call.call},
                           {words.retold(call.thread)},
                           number_cell(call.count),
                           {"-"},
                           per_request(call.count, count)},
                          ""});
  }
}

// Which models' counts are the kernel's own, and where they are not.
std::vector<std::string> how_they_compare(const std::vector<CallCount>& counts, const Words& words) {
  std::vector<std::string> equal;
  std::vector<std::string> notes;
  for (const auto& count : counts) {
    if (!count.reason.empty()) continue;
    if (count.calls.agrees(kCountTolerance)) {
      equal.push_back(count.series);
      continue;
    }
    for (const auto& call : count.calls.compared) {
      if (call.layer == call.kernel) continue;
      notes.push_back(words.say("kernel.differs", {{"model", count.series},
                                                   {"call", call.call},
                                                   {"layer", with_thousands(static_cast<double>(call.layer))},
                                                   {"kernel", with_thousands(static_cast<double>(call.kernel))}}));
    }
  }
  if (!equal.empty()) notes.insert(notes.begin(), words.say("kernel.equal", {{"models", words.listed(equal)}}));
  return notes;
}

}  // namespace

std::optional<Table> kernel_table(const Results& results) {
  const auto& counts = results.data().counts;
  if (counts.empty()) return std::nullopt;
  const Words& words = results.words();
  Table table;
  table.id = "kernel";
  table.title = words.say("kernel.title");
  const auto level = std::ranges::find(results.data().spec.levels, counts.front().level, &Level::id);
  const bool known = level != results.data().spec.levels.end() && !results.data().spec.axes.empty();
  table.caption =
      words.say("kernel.caption", {{"where", known ? words.say("level.where", {{"level", level->label}}) : ""}});
  table.columns = {
      {"model", words.say("table.model"), "", false},    {"call", words.say("kernel.call"), "", false},
      {"thread", words.say("kernel.thread"), "", false}, {"kernel", words.say("kernel.kernel"), "", true},
      {"layer", words.say("kernel.layer"), "", true},    {"per_request", words.say("kernel.per_request"), "", true}};
  const auto& first = counts.front().reason;
  const bool one_reason =
      !first.empty() && std::ranges::all_of(counts, [&](const CallCount& count) { return count.reason == first; });
  for (const auto& count : counts) {
    if (count.reason.empty()) {
      add_rows(table, count, words);
    } else {
      const auto who = one_reason ? words.say("kernel.every_model") : count.series;
      table.rows.push_back({count.series, {{who}}, words.say("cell.not_run_because", {{"reason", count.reason}})});
    }
    if (one_reason) break;
  }
  table.notes = how_they_compare(counts, words);
  return table;
}

}  // namespace iolab::lab
