#include "experiments/claims/claims.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "experiments/spec/metrics.h"
#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

using Json = nlohmann::ordered_json;

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
          .test = told_from(entry, "test"),
          .only_if = told_from(entry, "only_if"),
          .experiment = experiment.is_string() ? experiment.get<std::string>() : "",
          .checks = checks_from(entry, "checks"),
          .limits = checks_from(entry, "limits")};
}

const Cell* cell_of(const Results& results, const std::string& id) {
  const auto found = std::ranges::find(results.cells(), id, &Cell::id);
  return found == results.cells().end() ? nullptr : &*found;
}

// The median of a cell, divided by another metric if the check asks for it. Nothing, with the reason in `missing`.
std::optional<double> value_of(const Results& results, const Check& check, const std::string& id,
                               std::string& missing) {
  const Cell* cell = cell_of(results, id);
  if (cell == nullptr) {
    missing = recorded("claim.no_cell", {{"run", check.run}, {"cell", id}});
    return std::nullopt;
  }
  const auto value = cell->median_of(check.metric);
  const auto per = check.per.empty() ? std::optional(1.0) : cell->median_of(check.per);
  if (!value || !per || *per == 0) {
    missing = cell->reason.empty() ? recorded("claim.no_figure", {{"cell", id}, {"metric", check.metric}})
                                   : recorded("claim.cell_not_run", {{"cell", id}, {"reason", cell->reason}});
    return std::nullopt;
  }
  return *value / *per;
}

Figure figure_of(const Check& check, const FindRun& find) {
  Figure figure{.check = &check, .value = {}, .missing = ""};
  const Results* results = find(check.run);
  if (results == nullptr) {
    figure.missing = recorded("claim.no_run", {{"run", check.run}});
    return figure;
  }
  figure.value = value_of(*results, check, check.cell, figure.missing);
  if (figure.value && !check.against.empty()) {
    const auto other = value_of(*results, check, check.against, figure.missing);
    figure.value = other && *other != 0 ? std::optional(*figure.value / *other) : std::nullopt;
  }
  if (!figure.value) return figure;
  figure.holds = (!check.above || *figure.value > *check.above) && (!check.below || *figure.value < *check.below);
  return figure;
}

}  // namespace

bool Claim::is_measured() const {
  return std::ranges::find(kinds, "measured") != kinds.end();
}

std::string_view name(Ruling ruling) {
  static constexpr std::array<std::string_view, 6> kNames{"supported",  "only_if",      "contradicted",
                                                          "cannot_say", "definitional", "historical"};
  return kNames[static_cast<std::size_t>(ruling)];
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

Judged judge(const Claim& claim, const FindRun& find) {
  Judged judged{.claim = &claim, .ruling = Ruling::cannot_say, .checks = {}, .limits = {}, .why = ""};
  for (const auto& check : claim.checks) judged.checks.push_back(figure_of(check, find));
  for (const auto& limit : claim.limits) judged.limits.push_back(figure_of(limit, find));
  if (!claim.is_measured() || claim.checks.empty()) {
    const bool history = std::ranges::find(claim.kinds, "historical") != claim.kinds.end();
    const bool definition = std::ranges::find(claim.kinds, "definitional") != claim.kinds.end();
    if (history || definition) judged.ruling = history ? Ruling::historical : Ruling::definitional;
    if (!history && !definition) judged.why = recorded("claim.no_checks");
    return judged;
  }
  for (const auto* list : {&judged.checks, &judged.limits}) {
    for (const auto& figure : *list) {
      if (!figure.value && judged.why.empty()) judged.why = figure.missing;
    }
  }
  if (!judged.why.empty()) return judged;
  const bool shown = std::ranges::all_of(judged.checks, &Figure::holds);
  const bool limited = std::ranges::any_of(judged.limits, &Figure::holds);
  judged.ruling = !shown ? Ruling::contradicted : limited ? Ruling::only_if : Ruling::supported;
  return judged;
}

std::string figure_text(const Words& words, const Figure& figure) {
  const Check& check = *figure.check;
  auto what = metric_label(words, *find_metric(check.metric));
  if (!check.per.empty()) {
    what = words.say("claim.per", {{"what", what}, {"per", metric_label(words, *find_metric(check.per))}});
  }
  what = words.say("claim.of", {{"what", what}, {"cell", check.cell}});
  if (!check.against.empty()) what = words.say("claim.against", {{"what", what}, {"cell", check.against}});
  std::vector<std::string> borders;
  if (check.above) borders.push_back(words.say("claim.above", {{"border", three_digits(*check.above)}}));
  if (check.below) borders.push_back(words.say("claim.below", {{"border", three_digits(*check.below)}}));
  const auto value = figure.value ? three_digits(*figure.value) : words.retold(figure.missing);
  const auto verdict = !figure.value ? "claim.unknown" : figure.holds ? "claim.holds" : "claim.fails";
  return words.say(
      "claim.figure",
      {{"what", what}, {"value", value}, {"borders", words.comma_parted(borders)}, {"verdict", words.say(verdict)}});
}

}  // namespace iolab::lab
