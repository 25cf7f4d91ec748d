// A table that stands beside pictures of a report, and not in the terminal.
#pragma once

#include "experiments/report/tables.h"

namespace iolab::lab {

// One row for each model, at the last telling level: CPU by user and kernel, switches, threads, memory.
// Nothing if no level has figures.
std::optional<Table> resource_table(const Results& results);

}  // namespace iolab::lab
