// environment.json, and reading back what a run left behind, so that its report can be made again.
#pragma once

#include <expected>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "experiments/run/run_data.h"
#include "experiments/run/run_directory.h"

namespace iolab::lab {

// environment.json
nlohmann::ordered_json environment_json(const RunData& data);

// Reads spec.json, plan.json, environment.json and trials/ of a run. The error is a sentence.
std::expected<RunData, std::string> load_run(const RunDirectory& directory);

}  // namespace iolab::lab
