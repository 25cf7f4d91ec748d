#include "experiments/spec/variants.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "experiments/spec/json_document.h"
#include "experiments/spec/spec_values.h"
#include "experiments/words/nearest_word.h"

namespace iolab::lab {
namespace {

using Json = nlohmann::ordered_json;

bool is_name(const std::string& text) {
  return !text.empty() && text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-.%") == std::string::npos;
}

void check_variant(const Json& entry, const std::string& at, const std::vector<std::string>& known_models,
                   std::vector<Flaw>& flaws) {
  static const std::vector<std::string> kKeys{"model", "broker", "threads", "bootstrap_servers"};
  const auto refuse = [&](const std::string& place, std::string_view key, const std::string& kind,
                          const Json& content) {
    for (auto& one : check_value(*find_field(kind), content, known_models)) {
      flaws.push_back({place, fmt::format("variants: {}: {}", key, one.what), std::move(one.remedy)});
    }
  };
  for (const auto& [marked, content] : entry.items()) {
    const auto key = plain_key(marked);
    const auto place = below(at, marked);
    if (std::ranges::find(kKeys, key) == kKeys.end()) {
      flaws.push_back({place, fmt::format("variants: unknown key \"{}\"", key), suggestion(key, kKeys)});
    } else if (key == "model") {
      refuse(place, key, "baseline", content);
    } else if (key == "threads") {
      refuse(place, key, "threads", content);
    } else if (key == "bootstrap_servers") {
      refuse(place, key, "target.bootstrap_servers", content);
      if (entry.contains("model") || entry.contains("broker") || entry.contains("threads")) {
        flaws.push_back({place, "variants: bootstrap_servers names a broker that is there already",
                         "leave out \"model\", \"broker\" and \"threads\""});
      }
    } else if (!content.is_object() || !std::ranges::all_of(content, is_plain)) {
      flaws.push_back(
          {place, "variants: broker is no object of properties with plain values", R"(write { "num.partitions": 4 })"});
    }
  }
}

}  // namespace

std::vector<Flaw> check_variants(const Json& block, const std::vector<std::string>& known_models) {
  if (!block.is_object()) {
    return {{"", "variants must be an object", R"(write { "name": { "model": "...", "broker": { ... } } })"}};
  }
  std::vector<Flaw> flaws;
  for (const auto& [marked, entry] : block.items()) {
    const auto id = plain_key(marked);
    const auto at = below("", marked);
    if (!is_name(id)) {
      flaws.push_back({at, fmt::format("variants: \"{}\" is no name", id), "lower-case letters, digits and hyphens"});
    }
    if (std::ranges::find(known_models, id) != known_models.end()) {
      flaws.push_back({at, fmt::format("variants: \"{}\" is the name of a model", id), "take another"});
    }
    if (!entry.is_object() || !(entry.contains("model") || entry.contains("bootstrap_servers"))) {
      flaws.push_back({at, "variants: key \"model\" is missing", "which model it is"});
    }
    if (entry.is_object()) check_variant(entry, at, known_models, flaws);
  }
  return flaws;
}

}  // namespace iolab::lab
