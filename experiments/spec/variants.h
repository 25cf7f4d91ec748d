// The block `variants` of a spec: a model once more, under a name of its own, with broker properties or serving threads
// of its own; or, with "bootstrap_servers" in place of "model", a broker that runs already, to be compared with the
// baseline.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "experiments/spec/problems.h"

namespace iolab::lab {

std::vector<Flaw> check_variants(const nlohmann::ordered_json& block, const std::vector<std::string>& known_models);

}  // namespace iolab::lab
