// What the command line changes in a spec: --models and --set. Read and checked whether or not the file itself is
// right, so that its mistakes and those of the flags are reported together.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/spec/spec.h"

namespace iolab::lab {

struct Setting {
  std::string path;  // "workload.idle_connections"
  std::vector<nlohmann::ordered_json> values;
};

// What cannot be understood is added to `problems`, each beginning with its flag.
std::vector<Setting> read_settings(const SpecOptions& options, std::vector<Problem>& problems);

// Several values, or one for an axis that is there, become the axis; otherwise the value is replaced.
void apply_settings(nlohmann::ordered_json& root, const std::vector<Setting>& settings);

// Objects that are missing on the way are made. Kafka's property names hold dots themselves: behind `broker.` and its
// like everything is one key.
nlohmann::ordered_json& at_path(nlohmann::ordered_json& root, std::string_view path);
const nlohmann::ordered_json* look_up(const nlohmann::ordered_json& root, std::string_view path);

}  // namespace iolab::lab
