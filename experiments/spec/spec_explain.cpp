#include "experiments/spec/spec_explain.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "experiments/spec/spec_fields.h"
#include "experiments/spec/spec_values.h"
#include "experiments/words/nearest_word.h"

namespace iolab::lab {
namespace {

std::string example_of(const Field& field) {
  if (!field.example.empty()) return std::string(field.example);
  return std::string(field.default_text);
}

// `"workload": { "connections": 16 }`
std::string in_a_file(std::string_view path, std::string_view value) {
  const auto dot = path.find('.');
  if (dot == std::string_view::npos) return fmt::format("\"{}\": {}", path, value);
  return fmt::format("\"{}\": {{ {} }}", path.substr(0, dot), in_a_file(path.substr(dot + 1), value));
}

// As a value of --set: without the quotation marks of JSON.
std::string in_a_flag(const std::string& json) {
  const auto value = nlohmann::json::parse(json);
  return value.is_string() ? value.get<std::string>() : json;
}

TextTable table_of(std::span<const Field> fields, std::string_view below) {
  TextTable table{.headers = {}, .right = {false, false}, .rows = {}};
  for (const auto& field : fields) {
    if (!field.path.starts_with(below)) continue;
    table.rows.push_back({{std::string(field.path), std::string(field.summary)}, ""});
  }
  return table;
}

std::string details(const Field& field, const Terminal& terminal) {
  std::string text;
  const auto line = [&](std::string_view label, std::string_view value) {
    const auto width = static_cast<std::size_t>(std::max(terminal.width, 60));
    text += fmt::format("  {:<11}{}\n", label, folded(value, width, 13, 13));
  };
  line("kind", kind_text(field));
  line("default", !field.default_text.empty() ? field.default_text
                  : field.required            ? "none: it must be there"
                                              : "absent");
  const auto example = example_of(field);
  if (!example.empty()) line("in a file", in_a_file(field.path, example));
  const bool is_block = example.starts_with('{') || example.starts_with('[');
  if (may_vary(field.path) && field.kind != FieldKind::object) {
    line("may vary", fmt::format("\"matrix\": {{ \"{}\": [{}, ...] }}", field.path, example));
  }
  const bool settable = !is_block && field.kind != FieldKind::object && field.kind != FieldKind::part;
  if (settable) line("for once", fmt::format("iolab run NAME --set {}={}", field.path, in_a_flag(example)));
  return text;
}

}  // namespace

std::string list_of_keys(const Terminal& terminal) {
  return to_text(table_of(spec_fields(), ""), terminal);
}

std::expected<std::string, std::string> explanation(const std::string& path, const Terminal& terminal) {
  const auto whole = complete_path(path);
  if (!whole) {
    const auto remedy = whole.error().empty() ? "`iolab spec explain` lists them all" : whole.error();
    return std::unexpected(fmt::format("no key \"{}\" in an experiment file: {}", path, remedy));
  }
  const Field* field = find_field(*whole);
  std::string text;
  if (field == nullptr) {  // a property, whose name only the broker knows
    field = find_field(whole->substr(0, whole->find('.')));
    text = fmt::format("{} is one of these:\n\n", *whole);
  }
  text += fmt::format("{}\n  {}\n  {}\n\n{}", bold(terminal, field->path), field->summary, field->summary_zh,
                      details(*field, terminal));
  if (field->kind == FieldKind::object) {
    text += "\n" + to_text(table_of(spec_fields(), fmt::format("{}.", field->path)), terminal);
  }
  return text;
}

}  // namespace iolab::lab
