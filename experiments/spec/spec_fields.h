// Every key that an experiment file may hold, with its kind, range and meaning: the one table behind checking,
// defaults, suggestions, `--set`, `iolab spec explain` and the JSON Schema that editors read.
#pragma once

#include <algorithm>
#include <array>
#include <expected>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/spec/problems.h"

namespace iolab::lab {

enum class FieldKind : std::uint8_t {
  text,
  name,         // lower-case words joined by hyphens
  prose,        // for readers: text, or {"en": text, "zh": text}
  predictions,  // a list of 2 to 4 of those
  integer,      // a JSON number without a fraction, within `low` and `high`
  duration,     // "3s"; `low` and `high` in milliseconds
  size,         // "64KiB"; in bytes
  rate,         // "20000/s"
  percent,      // "5%"
  fraction,     // a JSON number between 0 and 1
  choice,       // one of `choices`
  metric,
  metrics,
  models,  // a list of models, each perhaps with options
  model,
  address,     // "HOST:PORT"
  properties,  // Kafka's names, passed on as they are; only `choices`, if there are any
  matrix,      // path -> list of values
  exclusions,
  variants,    // name -> {model, broker, threads}
  refutation,  // a list of checks of figures, or {"any": list}
  object,      // keys of its own in this table
  part,        // a block that may hold some of the keys of the whole file: quick, careful
};

struct Field {
  std::string_view path;  // "workload.connections"
  FieldKind kind;
  std::string_view summary;
  std::string_view summary_zh;
  std::string_view default_text = "";  // JSON; empty: absent
  double low = 0;
  double high = 0;
  std::string_view choices = "";  // separated by '|'
  bool required = false;          // where the block around it is there
  std::string_view example = "";  // JSON; empty: the default is a good one
};

std::span<const Field> spec_fields();
const Field* find_field(std::string_view path);
std::vector<std::string> choices_of(const Field& field);
// The keys that may stand directly below `path` ("" for the file itself).
std::vector<std::string> keys_below(std::string_view path);

// The whole path of a key of which only the last word is named: "workload.idle_connections" of "idle_connections". The
// error is a suggestion, or empty. Properties pass: "broker.num.partitions".
std::expected<std::string, std::string> complete_path(const std::string& key);

// Whether a path can be an axis: what is done may vary within a run, how it is measured may not.
inline bool may_vary(std::string_view path) {
  constexpr std::array<std::string_view, 6> kGroups{"workload.", "broker.",   "topic_config.",
                                                    "producer.", "consumer.", "probe_config."};
  return std::ranges::any_of(kGroups, [&](std::string_view group) { return path.starts_with(group); });
}
// The paths below `workload` that can be an axis; the others are properties, whose names are not known here.
std::vector<std::string> axis_paths();

// Whether `quick` and `careful` may hold it.
bool may_stand_in_part(std::string_view key);

}  // namespace iolab::lab
