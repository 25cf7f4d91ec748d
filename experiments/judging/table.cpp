#include "experiments/judging/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace iolab::lab {
namespace {

std::size_t width_of(const Table& table, std::size_t column) {
  std::size_t width = display_width(table.columns[column].label);
  for (const auto& row : table.rows) {
    if (column < row.cells.size()) width = std::max(width, display_width(row.cells[column].text));
  }
  return width;
}

// One past the last column that fits beside the first; at least one more than `first`.
std::size_t columns_that_fit(const Table& table, std::size_t first, std::size_t width) {
  std::size_t used = width_of(table, 0);
  std::size_t column = first;
  while (column < table.columns.size()) {
    used += 2 + width_of(table, column);
    if (used > width && column > first) break;
    ++column;
  }
  return column;
}

// The first column and those from `first` to before `last`.
TextTable part_of(const Table& table, std::size_t first, std::size_t last) {
  TextTable text;
  text.headers.emplace_back();
  const auto wanted = [&](std::size_t column) { return column == 0 || (column >= first && column < last); };
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (!wanted(i)) continue;
    text.headers.back().push_back(table.columns[i].label);
    text.right.push_back(table.columns[i].right);
  }
  for (const auto& row : table.rows) {
    TextTable::Row line{{}, row.note};
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      if (wanted(i)) line.cells.push_back(row.cells[i].text);
    }
    text.rows.push_back(std::move(line));
  }
  return text;
}

}  // namespace

nlohmann::ordered_json to_json(const Table& table) {
  using Json = nlohmann::ordered_json;
  Json columns = Json::array();
  for (const auto& column : table.columns) {
    columns.push_back({{"id", column.id},
                       {"label", column.label},
                       {"unit", column.unit},
                       {"align", column.right ? "right" : "left"}});
  }
  Json rows = Json::array();
  for (const auto& row : table.rows) {
    Json cells = Json::array();
    for (const auto& cell : row.cells) {
      cells.push_back({{"text", cell.text},
                       {"value", cell.value ? Json(*cell.value) : Json()},
                       {"cell", cell.cell.empty() ? Json() : Json(cell.cell)},
                       {"quality", std::string(name(cell.quality))}});
    }
    rows.push_back({{"series", row.series}, {"cells", cells}, {"note", row.note}});
  }
  return {{"id", table.id}, {"title", table.title}, {"caption", table.caption},        {"columns", columns},
          {"rows", rows},   {"notes", table.notes}, {"in_terminal", table.in_terminal}};
}

std::string to_text(const Table& table, const Terminal& terminal) {
  constexpr std::size_t kIndent = 4;
  std::string text = fmt::format("  {}  {}\n", bold(terminal, table.title), dim(terminal, table.caption));
  // A table that is wider than the terminal is continued below, with the models named again.
  std::size_t first = 1;
  do {
    const std::size_t last = columns_that_fit(table, first, static_cast<std::size_t>(terminal.width) - kIndent);
    text += (first > 1 ? "\n" : "") + to_text(part_of(table, first, last), terminal, kIndent);
    first = last;
  } while (first < table.columns.size());
  return text;
}

}  // namespace iolab::lab
