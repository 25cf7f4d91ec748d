#include "experiments/spec/refuted_when.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "experiments/spec/json_document.h"
#include "experiments/spec/spec_fields.h"
#include "experiments/spec/spec_values.h"
#include "experiments/words/nearest_word.h"

namespace iolab::lab {
namespace {

using Json = nlohmann::ordered_json;

constexpr auto kRefutedWhenForm =
    R"(write [ { "cell": "epoll/connections=16", "metric": "requests_per_s", "below": 1000 } ])";

void check_key(const std::string& key, const Json& content, const std::string& place, std::vector<Flaw>& flaws) {
  static const std::vector<std::string> kKeys{"cell", "metric", "per", "against", "above", "below"};
  if (std::ranges::find(kKeys, key) == kKeys.end()) {
    flaws.push_back({place, fmt::format("refuted_when: unknown key \"{}\"", key), suggestion(key, kKeys)});
  } else if (key == "metric" || key == "per") {
    for (auto& one : check_value(*find_field("judge.metric"), content, {})) {
      flaws.push_back({place, fmt::format("refuted_when: {}: {}", key, one.what), std::move(one.remedy)});
    }
  } else if (key == "above" || key == "below") {
    if (content.is_number()) return;
    flaws.push_back({place, fmt::format("refuted_when: {}: {} is not a number", key, content.dump()),
                     "write a figure in the metric's unit, or a ratio, without quotation marks"});
  } else if (!content.is_string()) {
    flaws.push_back({place, fmt::format("refuted_when: {}: {} is not a cell", key, content.dump()),
                     "write a model and a level, such as \"epoll/connections=16\""});
  }
}

void check_entry(const Json& entry, const std::string& at, std::vector<Flaw>& flaws) {
  if (!entry.is_object()) {
    flaws.push_back({at, "refuted_when: an entry is an object", kRefutedWhenForm});
    return;
  }
  for (const auto& [marked, content] : entry.items()) check_key(plain_key(marked), content, below(at, marked), flaws);
  for (const auto& [key, why] : {std::pair{"cell", "whose figure it is"}, std::pair{"metric", "which figure it is"}}) {
    if (!entry.contains(key)) flaws.push_back({at, fmt::format("refuted_when: key \"{}\" is missing", key), why});
  }
  if (entry.contains("above") || entry.contains("below")) return;
  flaws.push_back({at, "refuted_when: an entry has no border", R"(write "above" or "below" with a number)"});
}

std::vector<Flaw> check_entries(const Json& list, const std::string& at) {
  if (!list.is_array() || list.empty()) {
    return {{at, "refuted_when needs a list of at least one entry", kRefutedWhenForm}};
  }
  std::vector<Flaw> flaws;
  for (std::size_t i = 0; i < list.size(); ++i) check_entry(list[i], below(at, i), flaws);
  return flaws;
}

RefutingCheck check_of(const Json& entry) {
  RefutingCheck check{.cell = entry["cell"].get<std::string>(), .metric = entry["metric"].get<std::string>()};
  check.per = entry.value("per", "");
  check.against = entry.value("against", "");
  if (entry.contains("above")) check.above = entry["above"].get<double>();
  if (entry.contains("below")) check.below = entry["below"].get<double>();
  return check;
}

// What stands before the slash of a cell's id in a run of this spec.
std::vector<std::string> series_of(const Spec& spec, const std::vector<std::string>& known_models) {
  if (spec.target) return {std::string(kTargetModel)};
  if (!spec.probe.empty() && spec.models.empty()) return {spec.probe};
  auto series = spec.models.empty() ? known_models : spec.models;
  for (const auto& variant : spec.variants) series.push_back(variant.id);
  return series;
}

}  // namespace

std::vector<Flaw> check_refuted_when(const Json& value) {
  if (!value.is_object()) return check_entries(value, "");
  static const std::vector<std::string> kKeys{"any"};
  std::vector<Flaw> flaws;
  for (const auto& [marked, content] : value.items()) {
    const auto key = plain_key(marked);
    const auto at = below("", marked);
    if (key == "any") {
      std::ranges::move(check_entries(content, at), std::back_inserter(flaws));
    } else {
      flaws.push_back({at, fmt::format("refuted_when: unknown key \"{}\"", key), suggestion(key, kKeys)});
    }
  }
  if (value.empty()) flaws.push_back({"", "refuted_when: key \"any\" is missing", "a list, of which one is enough"});
  return flaws;
}

RefutedWhen refuted_when_of(const Json& value) {
  RefutedWhen refuted{.checks = {}, .any = value.is_object()};
  for (const auto& entry : refuted.any ? value["any"] : value) refuted.checks.push_back(check_of(entry));
  return refuted;
}

void check_refuting_cells(const Spec& spec, const std::vector<std::string>& known_models, const Complain& complain) {
  const auto series = series_of(spec, known_models);
  std::vector<std::string> levels;
  for (const auto& level : spec.levels) levels.push_back(level.id);
  const auto look_at = [&](const std::string& cell, const std::string& path) {
    const auto of = std::ranges::find_if(series, [&](const auto& id) { return cell.starts_with(id + "/"); });
    const auto level = of == series.end() ? "" : cell.substr(of->size() + 1);
    if (std::ranges::find(levels, level) != levels.end()) return;
    complain(
        Severity::error, path, fmt::format("refuted_when: this experiment has no cell \"{}\"", cell),
        of == series.end() ? nearest_or_all(cell.substr(0, cell.find('/')), series) : nearest_or_all(level, levels));
  };
  for (std::size_t i = 0; i < spec.refuted_when.checks.size(); ++i) {
    const auto& check = spec.refuted_when.checks[i];
    const auto path = fmt::format("refuted_when.{}{}.", spec.refuted_when.any ? "any." : "", i);
    look_at(check.cell, path + "cell");
    if (!check.against.empty()) look_at(check.against, path + "against");
  }
}

}  // namespace iolab::lab
