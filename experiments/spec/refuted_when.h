// The key `refuted_when` of a spec: figures of cells, each with a border, that say after a run whether `refuted_by`
// came true. A list, of which all must hold, or {"any": [...]}, of which one is enough.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "experiments/spec/problems.h"
#include "experiments/spec/spec.h"
#include "experiments/spec/spec_conditions.h"

namespace iolab::lab {

std::vector<Flaw> check_refuted_when(const nlohmann::ordered_json& value);

// Of a value without flaws.
RefutedWhen refuted_when_of(const nlohmann::ordered_json& value);

// Names every cell that the models and the matrix do not have. `known_models`: what a spec without models runs.
void check_refuting_cells(const Spec& spec, const std::vector<std::string>& known_models, const Complain& complain);

}  // namespace iolab::lab
