// A duet's spec and result as JSON: how they travel between the lab and the process that alternates the load.
#pragma once

#include <expected>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "clients/duet.h"

namespace iolab::lab {

// What remains of a comparison without its single slices: medians over the pairs of slices. NaN: without a process
// there is no CPU to compare.
struct DuetRatios {
  double cpu = 0;      // server CPU per request, other / baseline
  double cpu_low = 0;  // interval inside this group of processes
  double cpu_high = 0;
  double rate = 0;  // requests per second, other / baseline
  std::uint64_t answered = 0;
};
DuetRatios ratios_of(const clients::DuetComparison& comparison);

struct DuetSummary {
  std::vector<DuetRatios> comparisons;  // in the order of DuetSpec::others
  std::uint64_t answered_baseline = 0;
  std::uint64_t errors = 0;
  std::string note;
};

// JSON has no NaN: null stands for what was not measured.
nlohmann::json number_or_null(double value);
double number_or_nan(const nlohmann::json& value);

nlohmann::json to_json(const clients::DuetSpec& spec);
std::expected<clients::DuetSpec, std::string> duet_spec_from_json(std::string_view text);

nlohmann::json to_json(const clients::DuetResult& result);
std::expected<DuetSummary, std::string> duet_summary_from_json(std::string_view text);

}  // namespace iolab::lab
