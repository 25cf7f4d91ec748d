// A load's spec and result as JSON: how they travel between the lab and the process that generates the load. Every
// field of LoadSpec and LoadResult has the key of its name; durations end in _ms or _us, histograms are their text.
// What a spec does not mention keeps its default; a key that no field has is an error.
#pragma once

#include <expected>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "clients/load.h"

namespace iolab::lab {

nlohmann::json to_json(const clients::LoadSpec& spec);
std::expected<clients::LoadSpec, std::string> load_spec_from_json(std::string_view text);

// Beside the fields: the percentiles that people ask for first, under "latency_us".
nlohmann::json to_json(const clients::LoadResult& result);
std::expected<clients::LoadResult, std::string> load_result_from_json(std::string_view text);

}  // namespace iolab::lab
