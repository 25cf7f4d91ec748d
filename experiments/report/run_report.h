// The end of every run: what was measured becomes files, pictures, a page and a summary in the terminal, and whoever
// started it learns how it ended.
#pragma once

#include <expected>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "experiments/run/run_data.h"
#include "experiments/run/run_directory.h"
#include "experiments/words/language.h"

namespace iolab::lab {

struct ReportOptions {
  bool draw = true;                       // figures and report.html
  bool plain = false;                     // the cells as tab-separated lines in place of the summary
  Language language = Language::english;  // of the summary
};

// results.json, results.zh.json, data.csv, figures and report.html; prints the summary. `extra_charts` are as they were
// recorded. Returns the exit code.
int write_report(const RunData& data, const RunDirectory& directory, nlohmann::ordered_json extra_charts,
                 const ReportOptions& options);

// The same files in silence. The error is a sentence; where no pictures can be drawn, the files are there all the same.
std::expected<void, std::string> write_report_quietly(const RunData& data, const RunDirectory& directory);

// The report of what is there, also after Ctrl-C, and how to go on if something is left. Returns the exit code.
int conclude(RunData& data, const RunDirectory& directory, nlohmann::ordered_json extra_charts,
             const ReportOptions& options);

// Charts that were drawn from traces (first-look); an empty array if there are none.
nlohmann::ordered_json traced_charts(const RunDirectory& directory);

}  // namespace iolab::lab
