// A duet's spec and result as JSON: how they travel between the lab and the process that alternates the load.
#pragma once

#include <expected>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "clients/duet.h"

namespace iolab::lab {

nlohmann::json to_json(const clients::DuetSpec& spec);
std::expected<clients::DuetSpec, std::string> duet_spec_from_json(std::string_view text);

// Without the single slices: the medians, their interval inside this pair of processes, and what was answered.
nlohmann::json to_json(const clients::DuetResult& result);
std::expected<clients::DuetResult, std::string> duet_result_from_json(std::string_view text);

}  // namespace iolab::lab
