#include "experiments/spec/spec_schema.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "experiments/spec/metrics.h"
#include "experiments/spec/spec_fields.h"

namespace iolab::lab {
namespace {

using Json = nlohmann::ordered_json;

Json reference(std::string_view name) {
  return {{"$ref", fmt::format("#/$defs/{}", name)}};
}

Json list_of(Json element) {
  return {{"type", "array"}, {"items", std::move(element)}, {"minItems", 1}, {"uniqueItems", true}};
}

Json object_of(Json properties, std::vector<std::string> required) {
  Json schema{{"type", "object"}, {"properties", std::move(properties)}};
  if (!required.empty()) schema["required"] = std::move(required);
  schema["additionalProperties"] = false;
  return schema;
}

Json block(std::string_view path, bool in_part);

// Only what can be said of the value alone; quantities carry their unit, and their range is not a matter of a pattern.
Json value_schema(const Field& field, bool in_part);

Json matrix_schema() {
  Json properties = Json::object();
  for (const auto& path : axis_paths()) properties[path] = list_of(value_schema(*find_field(path), false));
  Json patterns = Json::object();
  for (const auto& field : spec_fields()) {
    if (field.kind != FieldKind::properties) continue;
    const auto known = choices_of(field);
    const auto names = known.empty() ? ".+" : fmt::format("({})$", fmt::join(known, "|"));
    patterns[fmt::format("^{}\\.{}", field.path, names)] = list_of(reference("plain"));
  }
  return {
      {"type", "object"}, {"properties", properties}, {"patternProperties", patterns}, {"additionalProperties", false}};
}

Json properties_schema(const Field& field) {
  const auto known = choices_of(field);
  if (known.empty()) return {{"type", "object"}, {"additionalProperties", reference("plain")}};
  Json properties = Json::object();
  for (const auto& key : known) properties[key] = reference("plain");
  return object_of(properties, {});
}

Json exclusions_schema() {
  const Json condition{{"type", "string"},
                       {"description",
                        "sums of connections, idle_connections, in_flight and record_size, compared with "
                        "a number: workload.idle_connections > 1000"}};
  return {{"type", "array"},
          {"items",
           object_of({{"models", list_of(reference("model"))}, {"when", condition}, {"because", reference("prose")}},
                     {"models", "because"})}};
}

Json variants_schema() {
  const Json properties{{"type", "object"}, {"additionalProperties", reference("plain")}};
  const Json threads = value_schema(*find_field("threads"), false);
  const Json model =
      object_of({{"model", reference("model")}, {"broker", properties}, {"threads", threads}}, {"model"});
  const auto* address = find_field("target.bootstrap_servers");
  const Json running = object_of({{"bootstrap_servers", value_schema(*address, false)}}, {"bootstrap_servers"});
  const Json variant{{"anyOf", Json::array({model, running})}};
  return {{"type", "object"}, {"propertyNames", {{"pattern", "^[a-z0-9.%-]+$"}}}, {"additionalProperties", variant}};
}

Json predictions_schema() {
  Json list = list_of(reference("prose"));
  list["minItems"] = 2;
  list["maxItems"] = 4;
  return list;
}

Json refutation_schema() {
  const Json text{{"type", "string"}};
  const Json number{{"type", "number"}};
  Json check = object_of({{"cell", text},
                          {"metric", reference("metric")},
                          {"per", reference("metric")},
                          {"against", text},
                          {"above", number},
                          {"below", number}},
                         {"cell", "metric"});
  const Json above{{"required", Json::array({"above"})}};
  const Json below{{"required", Json::array({"below"})}};
  check["anyOf"] = Json::array({above, below});
  const Json all = list_of(check);
  return {{"anyOf", Json::array({all, object_of({{"any", all}}, {"any"})})}};
}

Json value_schema(const Field& field, bool in_part) {
  switch (field.kind) {
    case FieldKind::text: return {{"type", "string"}};
    case FieldKind::name: return {{"type", "string"}, {"pattern", "^[a-z0-9][a-z0-9-]{0,59}$"}};
    case FieldKind::prose: return reference(field.required ? "prose" : "prose_or_nothing");
    case FieldKind::predictions: return predictions_schema();
    case FieldKind::integer:
      if (field.low == field.high) return {{"const", static_cast<int>(field.low)}};
      return {{"type", "integer"},
              {"minimum", static_cast<std::int64_t>(field.low)},
              {"maximum", static_cast<std::int64_t>(field.high)}};
    case FieldKind::duration: return reference("duration");
    case FieldKind::size: return reference("size");
    case FieldKind::rate: return reference("rate");
    case FieldKind::percent: return reference("percent");
    case FieldKind::fraction: return {{"type", "number"}, {"exclusiveMinimum", 0}, {"exclusiveMaximum", 1}};
    case FieldKind::choice: return {{"enum", choices_of(field)}};
    case FieldKind::metric: return reference("metric");
    case FieldKind::metrics: return list_of(reference("metric"));
    case FieldKind::model: return reference("model");
    case FieldKind::models: {
      Json list = list_of(reference("model"));
      if (field.path == "models") list.erase("minItems");  // beside a `target` it may be empty
      return list;
    }
    case FieldKind::address: return {{"type", "string"}, {"pattern", "^[^,]+:[0-9]{1,5}$"}};
    case FieldKind::properties: return properties_schema(field);
    case FieldKind::matrix: return matrix_schema();
    case FieldKind::exclusions: return exclusions_schema();
    case FieldKind::variants: return variants_schema();
    case FieldKind::refutation: return refutation_schema();
    case FieldKind::object: return block(field.path, in_part);
    case FieldKind::part: return block("", true);
  }
  return {};
}

// What an editor shows when the pointer rests on a key: both languages, and what holds if the key is left out.
Json described(const Field& field, bool in_part) {
  Json schema{{"title", std::string(field.path)},
              {"description", fmt::format("{}\n\n{}", field.summary, field.summary_zh)}};
  if (!field.default_text.empty()) schema["default"] = Json::parse(field.default_text);
  if (!field.example.empty()) schema["examples"] = Json::array({Json::parse(field.example)});
  schema.update(value_schema(field, in_part));
  return schema;
}

Json block(std::string_view path, bool in_part) {
  Json properties = Json::object();
  std::vector<std::string> required;
  for (const auto& key : keys_below(path)) {
    const Field& field = *find_field(path.empty() ? key : fmt::format("{}.{}", path, key));
    if (in_part && path.empty() && !may_stand_in_part(key)) continue;
    properties[key] = described(field, in_part);
    if (field.required && !in_part) required.push_back(key);
  }
  return object_of(std::move(properties), std::move(required));
}

Json quantity(std::string_view number, std::string_view units, std::string_view example) {
  return {{"type", "string"},
          {"pattern", fmt::format("^{}([0-9]+\\.?[0-9]*|\\.[0-9]+) *({})$", number, units)},
          {"examples", {example}}};
}

Json definitions(const std::vector<std::string>& models) {
  const Json sentence{{"type", "string"}, {"minLength", 1}};
  const Json languages = object_of({{"en", sentence}, {"zh", sentence}}, {"en"});
  return {
      {"duration", quantity("", "us|ms|s|m|h", "3s")},
      {"size", quantity("", "B|KiB|MiB|GiB|KB|MB|GB", "64KiB")},
      {"rate", quantity("(?=.*[1-9])", "/s|k/s|M/s|/m", "20000/s")},
      {"percent", quantity("", "%", "5%")},
      {"prose", {{"anyOf", {sentence, languages}}}},
      {"prose_or_nothing", {{"anyOf", {{{"type", "string"}}, languages}}}},
      {"plain", {{"type", {"string", "number", "boolean"}}}},
      {"model",
       {{"type", "string"}, {"pattern", fmt::format("^({})(:.+)?$", fmt::join(models, "|"))}, {"examples", models}}},
      {"metric", {{"enum", metric_ids()}}}};
}

}  // namespace

Json spec_schema(const std::vector<std::string>& models) {
  Json schema{
      {"$schema", "https://json-schema.org/draft/2020-12/schema"},
      {"$id", "experiment-1.json"},
      {"title", "An experiment of iolab, version 1"},
      {"description", "Which models, which work, what varies, how long. Made by `iolab spec schema`; do not edit."}};
  schema.update(block("", false));
  schema["$defs"] = definitions(models);
  return schema;
}

}  // namespace iolab::lab
