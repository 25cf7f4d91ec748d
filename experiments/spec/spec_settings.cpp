#include "experiments/spec/spec_settings.h"

#include <fmt/format.h>

#include <algorithm>

#include "experiments/spec/spec_fields.h"
#include "experiments/spec/spec_values.h"

namespace iolab::lab {
namespace {

using Json = nlohmann::ordered_json;

// The first key of a path, and what is left of it.
std::pair<std::string, std::string_view> first_key(std::string_view path, bool whole) {
  const auto dot = whole ? std::string_view::npos : path.find('.');
  return {std::string(path.substr(0, dot)), dot == std::string_view::npos ? "" : path.substr(dot + 1)};
}

bool holds_properties(std::string_view path) {
  const Field* field = find_field(path);
  return field != nullptr && field->kind == FieldKind::properties;
}

bool is_block(const Field* field) {
  if (field == nullptr) return false;
  using enum FieldKind;
  constexpr std::array kBlocks{object,     part,        matrix,    exclusions, FieldKind::variants,
                               properties, predictions, refutation};
  return std::ranges::find(kBlocks, field->kind) != kBlocks.end();
}

// Command lines may hold any bytes; JSON and everything that is printed is UTF-8.
Json text_value(const std::string& text) {
  return Json::parse(Json(text).dump(-1, ' ', false, Json::error_handler_t::replace));
}

Json typed(const Field* field, const std::string& text) {
  const bool plain = field == nullptr || field->kind == FieldKind::integer || field->kind == FieldKind::fraction;
  if (!plain) return text_value(text);
  auto parsed = Json::parse(text, nullptr, false);
  return parsed.is_discarded() || !is_plain(parsed) ? text_value(text) : parsed;
}

class SettingsReader {
 public:
  SettingsReader(const SpecOptions& options, std::vector<Problem>& problems) : options_(options), problems_(problems) {}

  std::vector<Setting> read() {
    std::vector<Setting> settings;
    if (!options_.models.empty()) {
      Json list = Json::array();
      for (const auto& model : options_.models) list.push_back(text_value(model));
      check("--models", *find_field("models"), list);
      settings.push_back({"models", {list}});
    }
    for (const auto& [key, texts] : options_.settings) {
      if (auto setting = read_one(key, texts)) settings.push_back(std::move(*setting));
    }
    return settings;
  }

 private:
  std::optional<Setting> read_one(const std::string& key, const std::vector<std::string>& texts) {
    const auto path = complete_path(key);
    if (!path) {
      complain(fmt::format("--set: unknown key {}", text_value(key).dump()),
               path.error().empty() ? "write for example idle_connections=0,1000" : path.error());
      return std::nullopt;
    }
    const Field* field = find_field(*path);
    const auto flag = "--set " + *path;
    if (is_block(field)) {
      complain(flag + " is a block", fmt::format("set one key of it: iolab spec explain {}", *path));
      return std::nullopt;
    }
    Setting setting{*path, {}};
    for (const auto& text : texts) setting.values.push_back(typed(field, text));
    if (field != nullptr && (field->kind == FieldKind::models || field->kind == FieldKind::metrics)) {
      setting.values = {Json(setting.values)};  // the list is the value
    }
    check_values(flag, field, setting.values, key);
    return setting;
  }

  void check_values(const std::string& flag, const Field* field, const std::vector<Json>& values,
                    const std::string& key) {
    if (values.empty()) complain(flag + ": no value", fmt::format("write {}=VALUE", key));
    if (values.size() > 1 && !may_vary(flag.substr(flag.find(' ') + 1))) {
      complain(flag + ": takes one value", "it cannot vary within a run");
    }
    for (auto value = values.begin(); value != values.end(); ++value) {
      if (field != nullptr) check(flag, *field, *value);
      if (std::find(values.begin(), value, *value) != value) {
        complain(fmt::format("{}: names the value {} twice", flag, value->dump()), "once is enough");
      }
    }
  }

  void check(const std::string& flag, const Field& field, const Json& value) {
    for (auto& flaw : check_value(field, value, options_.known_models)) {
      complain(fmt::format("{}: {}", flag, flaw.what), std::move(flaw.remedy));
    }
  }

  void complain(std::string what, std::string remedy) {
    problems_.push_back({.what = std::move(what), .remedy = std::move(remedy)});
  }

  const SpecOptions& options_;
  std::vector<Problem>& problems_;
};

}  // namespace

std::vector<Setting> read_settings(const SpecOptions& options, std::vector<Problem>& problems) {
  return SettingsReader(options, problems).read();
}

void apply_settings(Json& root, const std::vector<Setting>& settings) {
  for (const auto& [path, values] : settings) {
    if (values.empty()) continue;
    const auto matrix = root.find("matrix");
    const bool is_axis = matrix != root.end() && matrix->contains(path);
    if (is_axis || values.size() > 1) {
      Json& axes = root["matrix"];
      if (!axes.is_object()) axes = Json::object();
      axes[path] = values;
    } else {
      at_path(root, path) = values.front();
    }
  }
}

Json& at_path(Json& root, std::string_view path) {
  Json* node = &root;
  for (bool whole = false; !path.empty();) {
    const auto [key, rest] = first_key(path, whole);
    whole = node == &root && holds_properties(key);
    if (!node->is_object()) *node = Json::object();
    node = &(*node)[key];
    path = rest;
  }
  return *node;
}

const Json* look_up(const Json& root, std::string_view path) {
  const Json* node = &root;
  for (bool whole = false; !path.empty();) {
    const auto [key, rest] = first_key(path, whole);
    whole = node == &root && holds_properties(key);
    const auto found = node->find(key);
    if (found == node->end()) return nullptr;
    node = &*found;
    path = rest;
  }
  return node;
}

}  // namespace iolab::lab
