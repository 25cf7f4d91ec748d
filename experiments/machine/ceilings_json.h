// Ceilings as JSON: in environment.json, where a report that is made again finds them.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "experiments/machine/ceilings.h"

namespace iolab::lab {

// Object, id to {label, unit, meaning, value, low, high, repetitions, reason}. Reading takes files from before low and
// high were written. Both readers throw nlohmann::json::exception.
nlohmann::ordered_json ceilings_json(const std::vector<Ceiling>& ceilings);
std::vector<Ceiling> ceilings_from(const nlohmann::ordered_json& object);

// List of {after_trial, after_duets, values}.
nlohmann::ordered_json ceilings_json(const std::vector<CeilingsBetween>& between);
std::vector<CeilingsBetween> ceilings_between_from(const nlohmann::ordered_json& list);

}  // namespace iolab::lab
