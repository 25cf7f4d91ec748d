// Whether one value of a spec is what its key wants: kind, unit, range, known words. Nothing is left unsaid: of a list,
// every wrong element is named.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "experiments/spec/problems.h"
#include "experiments/spec/spec_fields.h"

namespace iolab::lab {

// Of the kinds that are one value, or a list of words: not of blocks, such as `workload`, `matrix` or `broker`. Empty
// if nothing is wrong. `known_models` empty: any model's name passes.
std::vector<Flaw> check_value(const Field& field, const nlohmann::ordered_json& value,
                              const std::vector<std::string>& known_models);

// A property is a plain value: text, number or boolean.
bool is_plain(const nlohmann::ordered_json& value);

// Of a plain value: text without its quotes.
std::string value_text(const nlohmann::ordered_json& value);

// The kind with its range, for people: "whole number, 1 to 1,000", "duration, 50 ms to 1 h".
std::string kind_text(const Field& field);

}  // namespace iolab::lab
