#include "experiments/duet_json.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "experiments/load_json.h"

namespace iolab::lab {
namespace {

using nlohmann::json;

json side_json(const clients::DuetSide& side) {
  return {{"host", side.target.host}, {"port", side.target.port}, {"pid", side.pid}, {"pause", side.pause}};
}

clients::DuetSide side_from(const json& side) {
  return {.target = {side.at("host").get<std::string>(), side.at("port").get<std::uint16_t>()},
          .pid = side.at("pid").get<pid_t>(),
          .pause = side.at("pause").get<bool>()};
}

}  // namespace

json to_json(const clients::DuetSpec& spec) {
  return {{"a", side_json(spec.a)},         {"b", side_json(spec.b)}, {"load", to_json(spec.load)},
          {"slice_us", spec.slice.count()}, {"pairs", spec.pairs},    {"warmup_ms", spec.warmup.count()}};
}

std::expected<clients::DuetSpec, std::string> duet_spec_from_json(std::string_view text) {
  try {
    const json object = json::parse(text);
    auto load = load_spec_from_json(object.at("load").dump());
    if (!load) return std::unexpected(load.error());
    return clients::DuetSpec{.a = side_from(object.at("a")),
                             .b = side_from(object.at("b")),
                             .load = std::move(*load),
                             .slice = std::chrono::microseconds(object.at("slice_us").get<std::int64_t>()),
                             .pairs = object.at("pairs").get<int>(),
                             .warmup = std::chrono::milliseconds(object.at("warmup_ms").get<std::int64_t>())};
  } catch (const json::exception& error) {
    return std::unexpected(fmt::format("a duet's spec cannot be read: {}", error.what()));
  }
}

json to_json(const clients::DuetResult& result) {
  return {{"cpu_ratio", result.cpu_ratio},
          {"cpu_ratio_low", result.cpu_ratio_low},
          {"cpu_ratio_high", result.cpu_ratio_high},
          {"rate_ratio", result.rate_ratio},
          {"answered_a", result.answered_a},
          {"answered_b", result.answered_b},
          {"errors", result.errors},
          {"note", result.note}};
}

std::expected<clients::DuetResult, std::string> duet_result_from_json(std::string_view text) {
  try {
    const json object = json::parse(text);
    clients::DuetResult result;
    object.at("cpu_ratio").get_to(result.cpu_ratio);
    object.at("cpu_ratio_low").get_to(result.cpu_ratio_low);
    object.at("cpu_ratio_high").get_to(result.cpu_ratio_high);
    object.at("rate_ratio").get_to(result.rate_ratio);
    object.at("answered_a").get_to(result.answered_a);
    object.at("answered_b").get_to(result.answered_b);
    object.at("errors").get_to(result.errors);
    object.at("note").get_to(result.note);
    return result;
  } catch (const json::exception& error) {
    return std::unexpected(fmt::format("a duet's result cannot be read: {}", error.what()));
  }
}

}  // namespace iolab::lab
