// Every key that an experiment file may hold, with its kind, range and meaning: the one table behind checking,
// defaults, suggestions and `--set`.
#pragma once

#include <algorithm>
#include <array>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/json_document.h"

namespace iolab::lab {

enum class FieldKind : std::uint8_t {
  text,
  integer,   // a JSON number without a fraction, within `low` and `high`
  duration,  // "3s"; `low` and `high` in milliseconds
  size,      // "64KiB"; in bytes
  rate,      // "20000/s"
  percent,   // "5%"
  fraction,  // a JSON number between 0 and 1
  choice,    // one of `choices`
  words,     // a list of `choices`, or of anything if there are none
  models,    // a list of models, each perhaps with options
  model,
  properties,  // Kafka's names, passed on as they are
  matrix,      // path -> list of values
  exclusions,
  object,  // keys of its own in this table
  part,    // a block that may hold some of the keys of the whole file: quick, careful
};

struct Field {
  std::string_view path;  // "workload.connections"
  FieldKind kind;
  std::string_view summary;
  std::string_view default_text = "";  // JSON; empty: absent
  double low = 0;
  double high = 0;
  std::string_view choices = "";  // separated by '|'
  bool required = false;
};

std::span<const Field> spec_fields();
const Field* find_field(std::string_view path);
std::vector<std::string> choices_of(const Field& field);
// The keys that may stand directly below `path` ("" for the file itself).
std::vector<std::string> keys_below(std::string_view path);

// Checks a whole document against the table; nothing is left unsaid. `known_models` empty: any model name passes.
void check_document(const nlohmann::ordered_json& root, const JsonSource& source,
                    const std::vector<std::string>& known_models, std::vector<Problem>& problems);

// Checks one value against a field. Empty, or half a sentence: `"3" has no unit: write ...`.
std::string check_value(const Field& field, const nlohmann::ordered_json& value,
                        const std::vector<std::string>& known_models);

// Whether a path can be an axis: what is done may vary within a run, how it is measured may not.
inline bool may_vary(std::string_view path) {
  constexpr std::array<std::string_view, 5> kGroups{"workload.", "broker.", "topic_config.", "producer.", "consumer."};
  return std::ranges::any_of(kGroups, [&](std::string_view group) { return path.starts_with(group); });
}

}  // namespace iolab::lab
