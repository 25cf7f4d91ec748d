// The tables of a report: every figure as text, beside the number it was made from. The same tables are printed in the
// terminal and drawn in report.html.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "experiments/results.h"
#include "experiments/terminal.h"

namespace iolab::lab {

struct TableCell {
  std::string text;
  std::optional<double> value = {};
  std::string cell = {};  // id, or empty
  Quality quality = Quality::ok;
};

struct Table {
  struct Column {
    std::string id;
    std::string label;
    std::string unit;
    bool right = true;
  };
  struct Row {
    std::string series;
    std::vector<TableCell> cells;
    std::string note;  // why there are no figures
  };
  std::string id;
  std::string title;
  std::string caption;
  std::vector<Column> columns;
  std::vector<Row> rows;
  std::vector<std::string> notes;
  bool in_terminal = false;
};

// One metric, models down, levels across: what a reader looks for first. Exact counts, then what the spec watches.
// After them everything, one row for each cell.
std::vector<Table> make_tables(const Results& results);

nlohmann::ordered_json to_json(const Table& table);
std::string to_text(const Table& table, const Terminal& terminal);

}  // namespace iolab::lab
