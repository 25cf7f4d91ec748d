#include "experiments/spec/spec_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "experiments/spec/refuted_when.h"
#include "experiments/spec/spec.h"
#include "experiments/spec/spec_fields.h"
#include "experiments/spec/spec_values.h"
#include "experiments/spec/variants.h"
#include "experiments/words/nearest_word.h"

namespace iolab::lab {
namespace {

using Json = nlohmann::ordered_json;
using At = JsonSource::At;

std::string joined(std::string_view path, std::string_view key) {
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

class Checker {
 public:
  Checker(const JsonSource& source, const std::vector<std::string>& known_models, std::vector<Problem>& problems)
      : source_(source), known_models_(known_models), problems_(problems) {}

  // `path` is where the table is looked up, `pointer` where the value stands: they differ inside quick and careful.
  void object(const Json& node, const std::string& path, const std::string& pointer, bool in_part) {
    for (const auto& [marked, value] : node.items()) {
      const auto key = plain_key(marked);
      const auto at = below(pointer, marked);
      const Field* field = find_field(joined(path, key));
      if (field == nullptr || key.empty() || (path.empty() && key.find('.') != std::string::npos)) {
        unknown(key, path, at);
      } else if (in_part && path.empty() && !may_stand_in_part(key)) {
        add(at, At::key,
            {"", fmt::format("key \"{}\" cannot be changed by a profile", key), "it holds for all of them"},
            field->path);
      } else {
        checked(*field, value, at, in_part);
      }
    }
    if (!in_part) required(node, path, pointer);
  }

 private:
  void add(const std::string& pointer, At at, Flaw flaw, std::string_view explains) {
    problems_.push_back(source_.problem(pointer + flaw.below, at, std::move(flaw.what), std::move(flaw.remedy)));
    problems_.back().explains = explains;
  }

  // Flaws of the value at `pointer`. What is wrong with a block's key is shown at the key.
  void add_all(const Field& field, const std::string& pointer, std::vector<Flaw> flaws, std::string_view prefix) {
    for (auto& flaw : flaws) {
      flaw.what.insert(0, prefix);
      const bool block = field.kind == FieldKind::variants && !flaw.below.empty();
      const bool wrong_name = flaw.what.contains("unknown language") || flaw.what.contains("unknown key");
      add(pointer, block || wrong_name ? At::key : At::value, std::move(flaw), field.path);
    }
  }

  void unknown(const std::string& key, const std::string& path, const std::string& at) {
    const auto keys = keys_below(path);
    const auto near = nearest_word(key, keys);
    const Field* parent = find_field(path);
    const auto* meant = near.empty() ? parent : find_field(joined(path, near));
    auto remedy = suggestion(key, keys);
    if (const auto elsewhere = complete_path(key); elsewhere && elsewhere->find('.') != std::string::npos) {
      remedy = fmt::format("it belongs into \"{}\"", elsewhere->substr(0, elsewhere->rfind('.')));
      meant = find_field(*elsewhere);
    }
    if (remedy.empty()) remedy = "`iolab spec explain` lists the known ones";
    add(at, At::key, {"", fmt::format("unknown key \"{}\"", key), remedy}, meant == nullptr ? "" : meant->path);
  }

  void required(const Json& node, const std::string& path, const std::string& pointer) {
    for (const auto& key : keys_below(path)) {
      const Field* field = find_field(joined(path, key));
      if (!field->required || node.contains(key)) continue;
      add(pointer, At::key, {"", fmt::format("key \"{}\" is missing", key), std::string(field->summary)}, field->path);
    }
  }

  void checked(const Field& field, const Json& value, const std::string& pointer, bool in_part) {
    switch (field.kind) {
      case FieldKind::object:
      case FieldKind::part: {
        if (!value.is_object()) return not_an_object(field, pointer, "{ ... }");
        const bool is_part = field.kind == FieldKind::part;
        return object(value, is_part ? "" : std::string(field.path), pointer, is_part || in_part);
      }
      case FieldKind::matrix: return check_matrix(field, value, pointer);
      case FieldKind::exclusions: return check_exclusions(field, value, pointer);
      case FieldKind::properties: return check_properties(field, value, pointer);
      case FieldKind::variants: return add_all(field, pointer, check_variants(value, known_models_), "");
      case FieldKind::refutation: return add_all(field, pointer, check_refuted_when(value), "");
      default:
        return add_all(field, pointer, check_value(field, value, known_models_), fmt::format("{}: ", field.path));
    }
  }

  void not_an_object(const Field& field, const std::string& pointer, std::string_view form) {
    add(pointer, At::value, {"", fmt::format("\"{}\" must be an object", field.path), fmt::format("write {}", form)},
        field.path);
  }

  void check_matrix(const Field& matrix, const Json& value, const std::string& pointer) {
    if (!value.is_object()) return not_an_object(matrix, pointer, R"({ "workload.connections": [1, 16] })");
    for (const auto& [marked, values] : value.items()) {
      const auto path = plain_key(marked);
      const auto at = below(pointer, marked);
      const auto dot = path.find('.');
      const Field* group = dot == std::string::npos ? nullptr : find_field(path.substr(0, dot));
      const Field* field = find_field(path);
      const auto known = path.starts_with("workload.") || !may_vary(path) ? axis_paths() : std::vector<std::string>{};
      if (!known.empty() && std::ranges::find(known, path) == known.end()) {
        unknown_axis(path, known, at);
        continue;
      }
      if (group != nullptr && group->kind == FieldKind::properties) check_property(*group, path.substr(dot + 1), at);
      if (!values.is_array() || values.empty()) {
        add(at, At::value,
            {"", fmt::format("matrix: \"{}\" needs a list of at least one value", path), "write [ ... ]"}, "matrix");
        continue;
      }
      check_axis_values(path, field, values, at);
    }
  }

  void unknown_axis(const std::string& path, const std::vector<std::string>& known, const std::string& at) {
    if (find_field(path) != nullptr && path.find('.') != std::string::npos) {
      return add(at, At::key,
                 {"", fmt::format("matrix: {} cannot vary within a run", path),
                  "what can begins with workload, broker, topic_config, producer or consumer"},
                 path);
    }
    auto near = nearest_word(path, known);
    const auto whole = complete_path(path);  // "idle_connections", as with --set
    if (whole && std::ranges::find(known, *whole) != known.end()) near = *whole;
    if (path.starts_with("iolab.")) near = "broker." + path;
    add(at, At::key,
        {"", fmt::format("matrix: unknown path \"{}\"", path),
         near.empty() ? "write for example \"workload.connections\"" : fmt::format("did you mean \"{}\"?", near)},
        near.empty() ? "matrix" : near);
  }

  void check_axis_values(const std::string& path, const Field* field, const Json& values, const std::string& pointer) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto at = below(pointer, i);
      const auto here = values.begin() + static_cast<std::ptrdiff_t>(i);
      if (std::find(values.begin(), here, *here) != here) {
        add(at, At::value,
            {"", fmt::format("matrix: {} names the value {} twice", path, values[i].dump()), "once is enough"},
            "matrix");
      }
      if (field != nullptr) {
        add_all(*field, at, check_value(*field, values[i], known_models_), fmt::format("matrix: {}: ", path));
      } else if (!is_plain(values[i])) {
        add(at, At::value, {"", fmt::format("matrix: {} needs plain values", path), "text, numbers, true or false"},
            "matrix");
      }
    }
  }

  void check_exclusions(const Field& field, const Json& value, const std::string& pointer) {
    constexpr auto kForm = R"(write { "models": [...], "when": "...", "because": "..." })";
    if (!value.is_array()) return add(pointer, At::value, {"", "exclude must be a list", kForm}, field.path);
    for (std::size_t i = 0; i < value.size(); ++i) {
      const auto at = below(pointer, i);
      if (value[i].is_object()) {
        check_exclusion(field, value[i], at);
      } else {
        add(at, At::value, {"", "exclude: an entry is an object", kForm}, field.path);
      }
    }
  }

  void check_exclusion(const Field& field, const Json& entry, const std::string& at) {
    static const std::vector<std::string> kKeys{"models", "when", "because"};
    const auto missing = [&](const char* key, const char* why) {
      if (!entry.contains(key))
        add(at, At::key, {"", fmt::format("exclude: key \"{}\" is missing", key), why}, "exclude");
    };
    missing("models", "which models are left out");
    missing("because", "a thing that is not run is a row with its reason");
    for (const auto& [marked, content] : entry.items()) {
      const auto key = plain_key(marked);
      const auto place = below(at, marked);
      if (key == "models") {
        add_all(field, place, check_value(*find_field("focus"), content, known_models_), "exclude: models: ");
      } else if (key == "because") {
        auto flaws = check_value(*find_field("question"), content, {});
        for (auto& flaw : flaws) {
          if (flaw.what == "is empty") flaw.remedy = "a thing that is not run is a row with its reason";
        }
        add_all(field, place, std::move(flaws), "exclude: because: ");
      } else if (key == "when") {
        check_condition(content, place);
      } else {
        add(place, At::key, {"", fmt::format("exclude: unknown key \"{}\"", key), suggestion(key, kKeys)}, "exclude");
      }
    }
  }

  void check_condition(const Json& content, const std::string& at) {
    constexpr auto kForm = "write \"workload.idle_connections > 1000\"";
    if (!content.is_string()) return add(at, At::value, {"", "exclude: \"when\" must be text", kForm}, "exclude");
    const auto holds = condition_holds(content.get<std::string>(), {});
    if (holds) return;
    const auto& sentence = holds.error();
    const auto colon = sentence.find(": ");
    const auto remedy = colon == std::string::npos ? kForm : sentence.substr(colon + 2);
    add(at, At::value, {"", "exclude: when: " + sentence.substr(0, colon), remedy}, "exclude");
  }

  void check_properties(const Field& field, const Json& value, const std::string& pointer) {
    if (!value.is_object()) return not_an_object(field, pointer, R"({ "name": value } with Kafka's property names)");
    for (const auto& [marked, content] : value.items()) {
      const auto key = plain_key(marked);
      const auto at = below(pointer, marked);
      if (!is_plain(content)) {
        add(at, At::value,
            {"", fmt::format("{}: the property \"{}\" is no plain value", field.path, key),
             "write text, a number, true or false"},
            field.path);
      }
      check_property(field, key, at);
    }
  }

  void check_property(const Field& group, const std::string& key, const std::string& at) {
    const auto known = choices_of(group);
    if (known.empty() || std::ranges::find(known, key) != known.end()) return;
    add(at, At::key,
        {"", fmt::format("{}: the load generator has no property \"{}\"", group.path, key), suggestion(key, known)},
        group.path);
  }

  const JsonSource& source_;
  const std::vector<std::string>& known_models_;
  std::vector<Problem>& problems_;
};

}  // namespace

void check_document(const Json& root, const JsonSource& source, const std::vector<std::string>& known_models,
                    std::vector<Problem>& problems) {
  if (!root.is_object()) {
    problems.push_back(source.problem("", At::value, "an experiment is one object", "write { ... }"));
    return;
  }
  Checker(source, known_models, problems).object(root, "", "", false);
}

}  // namespace iolab::lab
