// "How close to the limit" as a report shows it: one table, two charts, and a note where a bound was beaten.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "experiments/judging/results.h"
#include "experiments/judging/sentences.h"
#include "experiments/report/tables.h"

namespace iolab::lab {

Table limits_table(const Results& results);  // id "limits"; one row for each cell that ran

// Bars to 100 %, by model, at the first and the last level: "limits" (the rate, and what binds it) and "least-cost"
// (server CPU per request, and the least that it can be). Those of which nothing is known are missing.
std::vector<nlohmann::ordered_json> limits_charts(const Results& results);

void note_limits(const Results& results, std::vector<Sentence>& notes);

}  // namespace iolab::lab
