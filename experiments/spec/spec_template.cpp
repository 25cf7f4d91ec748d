#include "experiments/spec/spec_template.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "experiments/spec/json_document.h"

namespace iolab::lab {
namespace {

// $SCHEMA and $NAME are filled in.
constexpr std::string_view kStart = R"(// One question, as a file. What each key means: iolab spec explain KEY
{$SCHEMA
  "version": 1,
  "name": "$NAME",

  // One sentence. The report puts it above everything else. Two languages: { "en": "...", "zh": "..." }
  "question": "Does poll pay more than epoll for connections that do nothing?",
  "background": "Sixteen connections are busy; the others are open and silent.",

  // Two to four answers, of which a reader of the report picks one before looking.
  "predict": ["poll pays for all of them", "poll pays, but little", "it makes no difference"],

  // Before the run: what you expect, and what would show that you are wrong, in the words of a verdict (clearly more,
  // clearly less, the same), because the report sets them beside the one that it found.
  "expected": "with 900 silent connections poll takes clearly more CPU per request than epoll",
  "refuted_by": "with 900 silent connections poll is the same as epoll, or takes clearly less",

  // The same in figures: then the report says whether it came true. All of the list must hold.
  "refuted_when": [
    { "cell": "poll/idle_connections=900", "metric": "server_cpu_us_per_request",
      "against": "epoll/idle_connections=900", "below": 1.05 }
  ],

  // Leave "models" out to have all of them. Every ratio is formed to the baseline, which runs twice to see the noise.
  "models": ["poll", "epoll"],
  "baseline": "epoll",
  "focus": ["poll"],

  // What the load generator does, and what varies: each combination of the matrix is run with each model.
  "workload": { "kind": "produce", "connections": 16, "record_size": "100B" },
  "matrix": { "workload.idle_connections": [0, 100, 900] },

  // Kafka's own names, as in its documentation.
  "producer": { "acks": "1" },

  // Quantities carry their unit. Six trials of a cell are the fewest that give an interval of 95 %.
  "timing": { "warmup": "1s", "measure": "3s", "repeat": 10 },
  "limits": { "total": "30m" },

  // Which comparison counts, decided before the first trial: it stands in the report, with a hash of this file.
  "judge": { "metric": "server_cpu_us_per_request", "better": "lower", "ignore_below": "5%" },

  // --profile quick: a preview in a minute or two, without a verdict.
  "quick": { "timing": { "warmup": "200ms", "measure": "700ms", "repeat": 3 } }
}
)";

void replace(std::string& text, std::string_view what, std::string_view with) {
  text.replace(text.find(what), what.size(), with);
}

// Where in the text a place of it begins.
std::size_t offset_of(std::string_view text, const Position& position) {
  std::size_t at = 0;
  for (int line = 1; line < position.line; ++line) at = text.find('\n', at) + 1;
  for (int column = 1; column < position.column; ++column) {
    for (++at; at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;) ++at;
  }
  return at;
}

}  // namespace

std::string starting_spec(std::string_view name, std::string_view schema_path) {
  std::string text(kStart);
  const auto line = fmt::format(
      "\n  // Editors complete keys and show their meaning with this.\n  \"$schema\": \"{}\",", schema_path);
  replace(text, "$SCHEMA", schema_path.empty() ? "" : line);
  replace(text, "$NAME", name);
  return text;
}

std::expected<std::string, std::string> renamed_spec(const std::string& text, const std::string& file_name,
                                                     std::string_view name) {
  JsonSource source;
  std::vector<Problem> problems;
  const auto root = parse_json(text, file_name, source, problems);
  if (!root) return std::unexpected(to_text(root.error()));
  const auto place = source.places.find("/name");
  if (place == source.places.end() || !(*root)["name"].is_string()) {
    return std::unexpected(file_name + " has no name: iolab spec validate " + file_name);
  }
  auto copy = source.text;
  copy.replace(offset_of(copy, place->second.value), (*root)["name"].dump().size(), fmt::format("\"{}\"", name));
  return copy;
}

}  // namespace iolab::lab
