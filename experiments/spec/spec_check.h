// Checks a whole experiment file against the table of keys: unknown and missing keys, kinds, units, ranges. Conditions
// between keys are in spec_conditions.h.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "experiments/spec/json_document.h"

namespace iolab::lab {

// Adds all of it to `problems`. `known_models` empty: any model's name passes.
void check_document(const nlohmann::ordered_json& root, const JsonSource& source,
                    const std::vector<std::string>& known_models, std::vector<Problem>& problems);

}  // namespace iolab::lab
