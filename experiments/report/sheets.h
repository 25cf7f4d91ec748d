// A run as tables for other programs: one row per trial, per cell or per duet. What is printed as CSV, as JSON, as
// Markdown or with tabs is the same table.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "experiments/judging/results.h"

namespace iolab::lab {

struct Sheet {
  struct Value {
    std::string text;
    bool number = false;  // an empty number was not measured
  };
  std::vector<std::string> names;
  std::vector<std::vector<Value>> rows;  // as long as `names`
};

Sheet trials_sheet(const Results& results);  // in the order of the plan; the columns of data.csv
Sheet cells_sheet(const Results& results);   // every cell, those that were not run with their reason
Sheet duets_sheet(const RunData& data);

std::string to_csv(const Sheet& sheet);        // RFC 4180, the first line are the names
std::string to_json_text(const Sheet& sheet);  // a list of objects; what was not measured is null
std::string to_markdown(const Sheet& sheet);
std::string to_plain(const Sheet& sheet);  // one record per line, tabs between the fields, none inside them

}  // namespace iolab::lab
