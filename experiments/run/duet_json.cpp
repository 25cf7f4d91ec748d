#include "experiments/run/duet_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "experiments/run/load_json.h"
#include "experiments/statistics/statistics.h"

namespace iolab::lab {
namespace {

nlohmann::json side_json(const clients::DuetSide& side) {
  return {{"host", side.target.host}, {"port", side.target.port}, {"pid", side.pid}, {"pause", side.pause}};
}

clients::DuetSide side_from(const nlohmann::json& side) {
  return {.target = {side.at("host").get<std::string>(), side.at("port").get<std::uint16_t>()},
          .pid = side.at("pid").get<pid_t>(),
          .pause = side.at("pause").get<bool>()};
}

}  // namespace

nlohmann::json number_or_null(double value) {
  return std::isfinite(value) ? nlohmann::json(value) : nlohmann::json();
}

double number_or_nan(const nlohmann::json& value) {
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

DuetRatios ratios_of(const clients::DuetComparison& comparison) {
  constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  DuetRatios ratios{.cpu = median(comparison.cpu_ratios),
                    .cpu_low = kUnknown,
                    .cpu_high = kUnknown,
                    .rate = median(comparison.rate_ratios),
                    .answered = comparison.answered};
  if (comparison.cpu_ratios.empty()) return ratios;
  const auto interval = median_interval(comparison.cpu_ratios);
  const auto [lowest, highest] = std::ranges::minmax(comparison.cpu_ratios);
  ratios.cpu_low = interval ? interval->low : lowest;
  ratios.cpu_high = interval ? interval->high : highest;
  return ratios;
}

nlohmann::json to_json(const clients::DuetSpec& spec) {
  nlohmann::json others = nlohmann::json::array();
  for (const auto& side : spec.others) others.push_back(side_json(side));
  return {{"baseline", side_json(spec.baseline)}, {"others", others},
          {"load", to_json(spec.load)},           {"slice_us", spec.slice.count()},
          {"lead_in_us", spec.lead_in.count()},   {"pairs", spec.pairs},
          {"warmup_ms", spec.warmup.count()}};
}

std::expected<clients::DuetSpec, std::string> duet_spec_from_json(std::string_view text) {
  try {
    const nlohmann::json object = nlohmann::json::parse(text);
    auto load = load_spec_from_json(object.at("load").dump());
    if (!load) return std::unexpected(load.error());
    clients::DuetSpec spec{.baseline = side_from(object.at("baseline")),
                           .others = {},
                           .load = std::move(*load),
                           .slice = std::chrono::microseconds(object.at("slice_us").get<std::int64_t>()),
                           .lead_in = std::chrono::microseconds(object.at("lead_in_us").get<std::int64_t>()),
                           .pairs = object.at("pairs").get<int>(),
                           .warmup = std::chrono::milliseconds(object.at("warmup_ms").get<std::int64_t>())};
    for (const auto& side : object.at("others")) spec.others.push_back(side_from(side));
    return spec;
  } catch (const nlohmann::json::exception& error) {
    return std::unexpected(fmt::format("a duet's spec cannot be read: {}", error.what()));
  }
}

nlohmann::json to_json(const clients::DuetResult& result) {
  nlohmann::json comparisons = nlohmann::json::array();
  for (const auto& comparison : result.comparisons) {
    const DuetRatios ratios = ratios_of(comparison);
    comparisons.push_back({{"cpu_ratio", number_or_null(ratios.cpu)},
                           {"cpu_ratio_low", number_or_null(ratios.cpu_low)},
                           {"cpu_ratio_high", number_or_null(ratios.cpu_high)},
                           {"rate_ratio", number_or_null(ratios.rate)},
                           {"answered", ratios.answered}});
  }
  return {{"comparisons", comparisons},
          {"answered_baseline", result.answered_baseline},
          {"errors", result.errors},
          {"note", result.note}};
}

std::expected<DuetSummary, std::string> duet_summary_from_json(std::string_view text) {
  try {
    const nlohmann::json object = nlohmann::json::parse(text);
    DuetSummary summary{.comparisons = {},
                        .answered_baseline = object.at("answered_baseline").get<std::uint64_t>(),
                        .errors = object.at("errors").get<std::uint64_t>(),
                        .note = object.at("note").get<std::string>()};
    for (const auto& entry : object.at("comparisons")) {
      summary.comparisons.push_back({.cpu = number_or_nan(entry.at("cpu_ratio")),
                                     .cpu_low = number_or_nan(entry.at("cpu_ratio_low")),
                                     .cpu_high = number_or_nan(entry.at("cpu_ratio_high")),
                                     .rate = number_or_nan(entry.at("rate_ratio")),
                                     .answered = entry.at("answered").get<std::uint64_t>()});
    }
    return summary;
  } catch (const nlohmann::json::exception& error) {
    return std::unexpected(fmt::format("a duet's result cannot be read: {}", error.what()));
  }
}

}  // namespace iolab::lab
