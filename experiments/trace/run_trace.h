// The traced pass of a run: after all that is timed, single requests go through every model of the plan, and what they
// did becomes the charts of the report's block "what one request really did".
#pragma once

#include <expected>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "experiments/machine/process.h"
#include "experiments/run/run_data.h"
#include "experiments/run/run_directory.h"
#include "experiments/trace/trace_pass.h"

namespace iolab::lab {

// The strip of the request nearest to the median, that of the one nearest to the 99th percentile (of the slowest one,
// if too few requests were traced), and the ladder of each model's median.
nlohmann::ordered_json charts_of(const std::vector<TracedModel>& models, const std::string& work);

// At this level's record size; writes traces/charts.json and returns what it holds. The error is a sentence.
std::expected<nlohmann::ordered_json, std::string> trace_run(const RunData& data, std::size_t level,
                                                             const RunDirectory& directory, const OwnBinary& binary,
                                                             const TraceSetup& setup);

// The same at the end of a run: at the level that is judged, and only if all its trials were made. Nothing, for a
// target and for a probe.
std::expected<void, std::string> trace_finished(const RunData& data, const RunDirectory& directory,
                                                const OwnBinary& binary);

}  // namespace iolab::lab
