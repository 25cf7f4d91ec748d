#include "experiments/claims/claims.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "experiments/spec/metrics.h"

namespace iolab::lab {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 6> kRulings{"supported",  "only_if",      "contradicted",
                                                   "cannot_say", "definitional", "historical"};

std::optional<Ruling> ruling_from(const Json& entry) {
  const auto text = entry.value("expected", "");
  if (text.empty()) return std::nullopt;
  const auto found = std::ranges::find(kRulings, text);
  if (found == kRulings.end()) throw std::runtime_error("there is no verdict \"" + text + "\" to be expected");
  return static_cast<Ruling>(found - kRulings.begin());
}

Told told_from(const Json& entry, const char* key) {
  const auto found = entry.find(key);
  if (found == entry.end()) return {};
  return {found->at("en").get<std::string>(), found->at("zh").get<std::string>()};
}

Check check_from(const Json& entry) {
  static const std::vector<std::string> kKeys{"run", "cell", "metric", "per", "against", "above", "below"};
  for (const auto& [key, value] : entry.items()) {
    if (std::ranges::find(kKeys, key) == kKeys.end())
      throw std::runtime_error("unknown key \"" + key + "\" in a check");
  }
  Check check{.run = entry.at("run").get<std::string>(),
              .cell = entry.at("cell").get<std::string>(),
              .metric = entry.at("metric").get<std::string>(),
              .per = entry.value("per", ""),
              .against = entry.value("against", ""),
              .above = {},
              .below = {}};
  if (entry.contains("above")) check.above = entry["above"].get<double>();
  if (entry.contains("below")) check.below = entry["below"].get<double>();
  for (const auto& id : {check.metric, check.per}) {
    if (!id.empty() && find_metric(id) == nullptr) throw std::runtime_error("there is no metric \"" + id + "\"");
  }
  if (!check.above && !check.below) throw std::runtime_error("a check of " + check.cell + " has no border");
  return check;
}

std::vector<Check> checks_from(const Json& entry, const char* key) {
  std::vector<Check> checks;
  for (const auto& one : entry.value(key, Json::array())) checks.push_back(check_from(one));
  return checks;
}

Claim claim_from(const Json& entry) {
  const auto experiment = entry.at("experiment");
  return {.id = entry.at("id").get<std::string>(),
          .group = entry.at("group").get<std::string>(),
          .kinds = entry.at("kind").get<std::vector<std::string>>(),
          .claim = told_from(entry, "claim"),
          .source = entry.value("source", ""),
          .test = told_from(entry, "test"),
          .only_if = told_from(entry, "only_if"),
          .why = told_from(entry, "why"),
          .experiment = experiment.is_string() ? experiment.get<std::string>() : "",
          .expected = ruling_from(entry),
          .checks = checks_from(entry, "checks"),
          .limits = checks_from(entry, "limits")};
}

}  // namespace

bool Claim::is(std::string_view kind) const {
  return std::ranges::find(kinds, kind) != kinds.end();
}

std::string_view name(Ruling ruling) {
  return kRulings[static_cast<std::size_t>(ruling)];
}

std::expected<std::vector<Claim>, std::string> parse_claims(std::string_view text) {
  std::string id = "the file";
  try {
    const auto root = Json::parse(text);
    if (root.at("version") != 1) return std::unexpected("claims.json is of another version");
    std::vector<Claim> claims;
    for (const auto& entry : root.at("claims")) {
      id = entry.value("id", "a claim without id");
      claims.push_back(claim_from(entry));
      if (!claims.back().limits.empty() && claims.back().only_if.en.empty()) {
        return std::unexpected(fmt::format("claims.json: {}: a claim with limits needs \"only_if\"", id));
      }
    }
    return claims;
  } catch (const std::exception& error) {
    return std::unexpected(fmt::format("claims.json: {}: {}", id, error.what()));
  }
}

std::vector<std::string> runs_needed(const std::vector<Claim>& claims) {
  std::vector<std::string> needed;
  for (const auto& claim : claims) {
    for (const auto* list : {&claim.checks, &claim.limits}) {
      for (const auto& check : *list) {
        if (std::ranges::find(needed, check.run) == needed.end()) needed.push_back(check.run);
      }
    }
  }
  return needed;
}

}  // namespace iolab::lab
