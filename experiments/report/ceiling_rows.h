// The ceilings of the machine as rows of a report: before, between and after, over all sessions, with the text to
// print.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "experiments/judging/results.h"

namespace iolab::lab {

// The list `ceilings` of results.json.
nlohmann::ordered_json ceilings_report(const Results& results);

}  // namespace iolab::lab
