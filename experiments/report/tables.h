// The tables of a report: every figure as text, beside the number it was made from. The same tables are printed in the
// terminal and drawn in report.html.
#pragma once

#include <optional>
#include <vector>

#include "experiments/judging/results.h"
#include "experiments/judging/table.h"

namespace iolab::lab {

// One metric, models down, levels across: what a reader looks for first. Exact counts, then what the spec watches.
// After them everything, one row for each cell.
std::vector<Table> make_tables(const Results& results);

// Which system calls the kernel counted, beside the layer's counts. Nothing: the run has no such trials.
std::optional<Table> kernel_table(const Results& results);

}  // namespace iolab::lab
