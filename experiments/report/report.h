// From what a run left behind to what a person reads: results.json, data.csv, and the drawing program that makes
// figures and report.html of them.
#pragma once

#include <expected>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "experiments/judging/results.h"
#include "experiments/report/tables.h"
#include "experiments/run/run_directory.h"
#include "experiments/run/run_files.h"
#include "experiments/words/terminal.h"

namespace iolab::lab {

// `extra_charts` come first (the time lines of a first look).
nlohmann::ordered_json make_report(const Results& results, nlohmann::ordered_json extra_charts);

// "results.json", "results.zh.json"
std::string results_file(Language language);

// Commands worth typing next.
std::vector<std::string> next_commands(const Spec& spec);

// What stands at the end of a run in the terminal: the sentences, the first tables, the path of the report.
std::string terminal_summary(const Results& results, const Terminal& terminal);

// Runs scripts/report.py, or scripts/claims.py. The error is a sentence that names what is missing.
std::expected<void, std::string> draw_report(const RunDirectory& directory);
std::expected<void, std::string> draw_claims(const RunDirectory& directory);

}  // namespace iolab::lab
