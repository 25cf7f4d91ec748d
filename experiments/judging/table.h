// A table of a report: every figure as text, beside the number it was made from.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "experiments/judging/results.h"
#include "experiments/words/terminal.h"

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

nlohmann::ordered_json to_json(const Table& table);
std::string to_text(const Table& table, const Terminal& terminal);

}  // namespace iolab::lab
