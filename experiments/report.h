// From what a run left behind to what a person reads: results.json, data.csv, and the drawing program that makes
// figures and report.html of them.
#pragma once

#include <expected>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "experiments/results.h"
#include "experiments/run_directory.h"
#include "experiments/tables.h"
#include "experiments/terminal.h"

namespace iolab::lab {

// `extra_charts` come first (the time lines of a first look).
nlohmann::ordered_json make_report(const Results& results, nlohmann::ordered_json extra_charts);

// RFC 4180; one line per trial, in the order of the plan.
std::string make_csv(const Results& results);

// What stands at the end of a run in the terminal: the sentences, the first tables, the path of the report.
std::string terminal_summary(const Results& results, const Terminal& terminal);

// environment.json
nlohmann::ordered_json environment_json(const RunData& data);

// Reads spec.json, plan.json, environment.json and trials/ of a run. The error is a sentence.
std::expected<RunData, std::string> load_run(const RunDirectory& directory);

// Runs scripts/report.py. The error is a sentence that names what is missing.
std::expected<void, std::string> draw_report(const RunDirectory& directory);

}  // namespace iolab::lab
