#include "experiments/spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "experiments/nearest_word.h"
#include "experiments/sha256.h"
#include "experiments/spec_fields.h"
#include "experiments/units.h"

namespace iolab::lab {
namespace {

using Json = nlohmann::ordered_json;

// Objects are merged key by key; anything else is replaced.
void merge(Json& base, const Json& change) {
  for (const auto& [key, value] : change.items()) {
    if (value.is_object() && base.contains(key) && base[key].is_object()) {
      merge(base[key], value);
    } else {
      base[key] = value;
    }
  }
}

void apply_profile(Json& root, const std::string& profile) {
  const Json part = root.value(profile, Json::object());
  root.erase("quick");
  root.erase("careful");
  if (profile == "quick") merge(root, Json{{"timing", {{"warmup", "300ms"}, {"measure", "1s"}, {"repeat", 3}}}});
  if (profile == "careful") merge(root, Json{{"timing", {{"warmup", "2s"}, {"measure", "10s"}, {"repeat", 20}}}});
  merge(root, part);
}

Json& at_path(Json& root, std::string_view path) {
  Json* node = &root;
  // Kafka's property names hold dots themselves: behind `broker.` and its like everything is one key.
  for (;;) {
    const auto dot = path.find('.');
    const auto key = path.substr(0, dot);
    const Field* field = find_field(key);
    node = &(*node)[std::string(key)];
    if (dot == std::string_view::npos) return *node;
    path.remove_prefix(dot + 1);
    if (field != nullptr && field->kind == FieldKind::properties) return (*node)[std::string(path)];
  }
}

const Json* look_up(const Json& root, std::string_view path) {
  const Json* node = &root;
  while (!path.empty()) {
    const auto dot = path.find('.');
    const auto found = node->find(std::string(path.substr(0, dot)));
    if (found == node->end()) return nullptr;
    node = &*found;
    path = dot == std::string_view::npos ? std::string_view{} : path.substr(dot + 1);
  }
  return node;
}

// "idle_connections" is enough where only one path ends like that.
std::expected<std::string, std::string> complete_path(const std::string& key) {
  for (const auto* group : {"broker.", "topic_config.", "producer.", "consumer."}) {
    if (key.starts_with(group)) return key;
  }
  if (const Field* field = find_field(key); field != nullptr && field->kind != FieldKind::object) return key;
  std::vector<std::string> last_words;
  for (const auto& field : spec_fields()) {
    const auto dot = field.path.rfind('.');
    if (dot == std::string_view::npos || field.kind == FieldKind::object) continue;
    const auto word = field.path.substr(dot + 1);
    if (word == key) return std::string(field.path);
    last_words.emplace_back(word);
  }
  const auto near = nearest_word(key, last_words);
  return std::unexpected(fmt::format(
      "--set: unknown key \"{}\"{}", key,
      near.empty() ? ": write for example idle_connections=0,1000" : fmt::format(": did you mean \"{}\"?", near)));
}

Json typed(const Field* field, const std::string& text) {
  const bool plain = field == nullptr || field->kind == FieldKind::integer || field->kind == FieldKind::fraction;
  if (!plain) return text;
  auto parsed = Json::parse(text, nullptr, false);
  return parsed.is_discarded() || parsed.is_structured() ? Json(text) : parsed;
}

void apply_settings(Json& root, const SpecOptions& options, std::vector<Problem>& problems) {
  const auto complain = [&](std::string text) { problems.push_back({"", {}, std::move(text)}); };
  if (!options.models.empty()) {
    root["models"] = options.models;
    if (auto wrong = check_value(*find_field("models"), root["models"], options.known_models); !wrong.empty()) {
      complain(fmt::format("--models: {}", wrong));
    }
  }
  for (const auto& [key, values] : options.settings) {
    const auto path = complete_path(key);
    if (!path) {
      complain(path.error());
      continue;
    }
    const Field* field = find_field(*path);
    Json list = Json::array();
    for (const auto& value : values) {
      list.push_back(typed(field, value));
      if (field == nullptr) continue;
      if (auto wrong = check_value(*field, list.back(), options.known_models); !wrong.empty()) {
        complain(fmt::format("--set {}: {}", *path, wrong));
      }
    }
    const bool is_axis = root.contains("matrix") && root["matrix"].contains(*path);
    if (list.empty()) {
      complain(fmt::format("--set {}: no value: write {}=VALUE", *path, key));
    } else if (list.size() > 1 && !may_vary(*path)) {
      complain(fmt::format("--set {}: takes one value, it cannot vary within a run", *path));
    } else if (is_axis || list.size() > 1) {
      root["matrix"][*path] = list;
    } else {
      at_path(root, *path) = list.front();
    }
  }
}

void fill_defaults(Json& root) {
  for (const auto& field : spec_fields()) {
    if (field.default_text.empty() || look_up(root, field.path) != nullptr) continue;
    if (field.path.starts_with("judge.") && !root.contains("judge")) continue;
    at_path(root, field.path) = Json::parse(field.default_text);
  }
}

std::string value_text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

Properties properties_of(const Json& root, const char* group) {
  Properties list;
  for (const auto& [key, value] : root[group].items()) list.emplace_back(key, value_text(value));
  return list;
}

// The broker has defaults for new topics under these names; a topic of the lab is created with nothing but defaults.
std::string broker_name_of_topic_property(const std::string& name) {
  if (name == "partitions") return "num.partitions";
  if (name == "compression.type" || name == "message.timestamp.type" || name.starts_with("iolab.")) return name;
  if (name == "max.message.bytes") return "message.max.bytes";
  return "log." + name;
}

Workload workload_of(const Json& node) {
  Workload work;
  work.kind = node["kind"].get<std::string>();
  work.connections = node["connections"].get<int>();
  work.idle_connections = node["idle_connections"].get<int>();
  work.in_flight = node["in_flight"].get<int>();
  work.record_bytes = *parse_size(node["record_size"].get<std::string>());
  work.records_per_batch = node["records_per_batch"].get<int>();
  work.partitions = node["partitions"].get<int>();
  work.prefill_bytes = *parse_size(node["prefill"].get<std::string>());
  if (node["arrivals"]["mode"] == "open") work.rate_per_s = *parse_rate(node["arrivals"]["rate"].get<std::string>());
  return work;
}

std::chrono::milliseconds milliseconds_of(const Json& value) {
  return std::chrono::ceil<std::chrono::milliseconds>(*parse_duration(value.get<std::string>()));
}

std::string axis_label(std::string_view path) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kLabels{{
      {"workload.connections", "busy connections"},
      {"workload.idle_connections", "idle connections"},
      {"workload.in_flight", "requests in flight on each connection"},
      {"workload.record_size", "record size"},
      {"workload.records_per_batch", "records per batch"},
      {"workload.arrivals.rate", "requests per second"},
      {"workload.kind", "kind of work"},
      {"workload.partitions", "partitions"},
  }};
  const auto found = std::ranges::find(kLabels, path, &std::pair<std::string_view, std::string_view>::first);
  if (found != kLabels.end()) return std::string(found->second);
  const auto dot = path.find('.');
  return std::string(dot == std::string_view::npos ? path : path.substr(dot + 1));
}

Axis make_axis(const std::string& path, const Json& values) {
  Axis axis{.path = path, .label = axis_label(path), .values = {}, .labels = {}, .numbers = {}};
  const Field* field = find_field(path);
  for (const auto& value : values) {
    const auto text = value_text(value);
    axis.values.push_back(text);
    double number = std::numeric_limits<double>::quiet_NaN();
    std::string label = text;
    if (value.is_number()) {
      number = value.get<double>();
      label = number == std::floor(number) ? with_thousands(number) : three_digits(number);
    } else if (field != nullptr && field->kind == FieldKind::size) {
      number = static_cast<double>(*parse_size(text));
      label = size_text(*parse_size(text));
    } else if (field != nullptr && field->kind == FieldKind::rate) {
      number = *parse_rate(text);
      label = with_thousands(number) + "/s";
    }
    axis.numbers.push_back(number);
    axis.labels.push_back(label);
  }
  return axis;
}

// "32 busy connections", "1 busy connection", "64 KiB records", "acks all"
std::string level_phrase(const Axis& axis, std::size_t at) {
  const auto& label = axis.labels[at];
  if (axis.path == "workload.record_size") return label + " records";
  if (axis.label.ends_with("connections")) {
    const bool one = axis.numbers[at] == 1;
    return label + " " + (one ? axis.label.substr(0, axis.label.size() - 1) : axis.label);
  }
  if (axis.path == "workload.in_flight") return label + " in flight";
  return axis.label + " " + label;
}

Level make_level(const Json& root, const std::vector<Axis>& axes, const std::vector<std::size_t>& at) {
  Level level{.id = "", .label = "", .at = at, .workload = {}, .broker = {}, .producer = {}, .consumer = {}};
  Json settled = root;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto& path = axes[i].path;
    at_path(settled, path) = root["matrix"][path][at[i]];
    const auto dot = path.rfind("workload.", 0) == 0 ? path.rfind('.') : path.find('.');
    level.id += fmt::format("{}{}={}", i > 0 ? "," : "", path.substr(dot + 1), axes[i].values[at[i]]);
    if (is_said(axes, axes[i])) level.label += (level.label.empty() ? "" : ", ") + level_phrase(axes[i], at[i]);
  }
  if (axes.empty()) level.id = level.label = "all";
  level.workload = workload_of(settled["workload"]);
  level.broker = properties_of(settled, "broker");
  for (const auto& [key, value] : properties_of(settled, "topic_config")) {
    level.broker.emplace_back(broker_name_of_topic_property(key), value);
  }
  level.producer = properties_of(settled, "producer");
  level.consumer = properties_of(settled, "consumer");
  return level;
}

std::vector<Level> make_levels(const Json& root, const std::vector<Axis>& axes) {
  std::vector<Level> levels;
  std::vector<std::size_t> at(axes.size(), 0);
  for (;;) {
    levels.push_back(make_level(root, axes, at));
    std::size_t i = axes.size();
    while (i > 0 && at[i - 1] + 1 == axes[i - 1].values.size()) at[--i] = 0;
    if (i == 0) return levels;
    ++at[i - 1];
  }
}

Spec make_spec(const Json& root, const std::string& profile) {
  Spec spec;
  spec.name = root["name"].get<std::string>();
  spec.question = root["question"].get<std::string>();
  spec.background = root["background"].get<std::string>();
  if (root.contains("models")) spec.models = root["models"].get<std::vector<std::string>>();
  spec.baseline = root["baseline"].get<std::string>();
  spec.threads = root["threads"].get<int>();
  spec.watch = root["watch"].get<std::vector<std::string>>();
  if (root.contains("focus")) spec.focus = root["focus"].get<std::vector<std::string>>();
  for (const auto& [path, values] : root["matrix"].items()) spec.axes.push_back(make_axis(path, values));
  spec.levels = make_levels(root, spec.axes);
  for (const auto& entry : root["exclude"]) {
    spec.exclusions.push_back({entry["models"].get<std::vector<std::string>>(), entry.value("when", ""),
                               entry["because"].get<std::string>()});
  }
  spec.timing = {milliseconds_of(root["timing"]["warmup"]), milliseconds_of(root["timing"]["measure"]),
                 root["timing"]["repeat"].get<int>()};
  spec.longest = std::chrono::ceil<std::chrono::seconds>(milliseconds_of(root["limits"]["total"]));
  if (root.contains("judge")) {
    const auto& judge = root["judge"];
    spec.judge = Judge{judge["metric"].get<std::string>(),
                       judge["better"].get<std::string>(),
                       *parse_percent(judge["ignore_below"].get<std::string>()),
                       judge["confidence"].get<double>(),
                       judge["duets"].get<int>(),
                       milliseconds_of(judge["slice"]),
                       judge["slices"].get<int>()};
  }
  spec.profile = profile;
  spec.text = root.dump(2) + "\n";
  spec.sha256 = sha256_hex(spec.text);
  return spec;
}

// What the table of keys cannot see: conditions between keys.
void check_whole(const Json& root, const std::function<void(const char* pointer, std::string)>& complain) {
  const auto& arrivals = root["workload"]["arrivals"];
  const bool varied_rate = root["matrix"].contains("workload.arrivals.rate");
  const bool open = arrivals["mode"] == "open";
  if (open && !arrivals.contains("rate") && !varied_rate) {
    complain("/workload/arrivals", "workload.arrivals: an open loop needs a rate: write \"rate\": \"20000/s\"");
  }
  if (!open && (arrivals.contains("rate") || varied_rate)) {
    complain("/workload/arrivals", "workload.arrivals: a rate without \"mode\": \"open\" would be ignored");
  }
  constexpr std::size_t kMostLevels = 200;
  std::size_t levels = 1;
  for (const auto& [path, values] : root["matrix"].items()) levels *= values.size();
  if (levels > kMostLevels) {
    complain("/matrix", fmt::format("matrix: {} combinations, at most {}: run a part of it", levels, kMostLevels));
  }
  const auto acks = root["producer"].value("acks", Json("1"));
  if (acks == "0" || acks == 0) {
    complain("/producer/acks", "producer: acks=0 sends no answer, so there is nothing to measure: write 1 or \"all\"");
  }
}

}  // namespace

std::string_view model_id(std::string_view model) {
  return model.substr(0, model.find(':'));
}

std::expected<bool, std::string> condition_holds(std::string_view condition, const Workload& work) {
  if (condition.empty()) return true;
  const auto border = condition.find_first_of("<>=");
  if (border == std::string_view::npos) {
    return std::unexpected(
        fmt::format("\"{}\" compares nothing: write \"workload.idle_connections > 1000\"", condition));
  }
  double sum = 0;
  auto left = condition.substr(0, border);
  while (!left.empty()) {
    const auto plus = left.find('+');
    auto name = left.substr(0, plus);
    while (name.starts_with(' ')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    if (name == "workload.connections")
      sum += work.connections;
    else if (name == "workload.idle_connections")
      sum += work.idle_connections;
    else if (name == "workload.in_flight")
      sum += work.in_flight;
    else if (name == "workload.record_size")
      sum += static_cast<double>(work.record_bytes);
    else {
      static const std::vector<std::string> kNames{"workload.connections", "workload.idle_connections",
                                                   "workload.in_flight", "workload.record_size"};
      return std::unexpected(fmt::format("unknown path \"{}\": {}", name, suggestion(name, kNames)));
    }
    left = plus == std::string_view::npos ? std::string_view{} : left.substr(plus + 1);
  }
  const auto end = condition.find_first_not_of("<>=", border);
  const auto sign = condition.substr(border, end - border);
  auto right = end == std::string_view::npos ? std::string_view{} : condition.substr(end);
  while (right.starts_with(' ')) right.remove_prefix(1);
  double limit = 0;
  const auto [stop, error] = std::from_chars(right.data(), right.data() + right.size(), limit);
  if (error != std::errc{} || stop != right.data() + right.size()) {
    return std::unexpected(fmt::format("\"{}\" is not a number", right));
  }
  if (sign == ">") return sum > limit;
  if (sign == ">=") return sum >= limit;
  if (sign == "<") return sum < limit;
  if (sign == "<=") return sum <= limit;
  if (sign == "==") return sum == limit;
  return std::unexpected(fmt::format("unknown comparison \"{}\": known are >, >=, <, <= and ==", sign));
}

std::expected<Spec, std::vector<Problem>> parse_spec(std::string_view text, const std::string& file_name,
                                                     const SpecOptions& options) {
  Json root;
  JsonSource source;
  auto problems = parse_json(text, file_name, root, source);
  if (!problems.empty()) return std::unexpected(std::move(problems));
  check_document(root, source, options.known_models, problems);
  if (!problems.empty()) return std::unexpected(std::move(problems));
  apply_profile(root, options.profile);
  apply_settings(root, options, problems);
  if (!problems.empty()) return std::unexpected(std::move(problems));
  fill_defaults(root);
  check_whole(root, [&](const char* pointer, std::string complaint) {
    problems.push_back(source.problem(pointer, std::move(complaint)));
  });
  if (!problems.empty()) return std::unexpected(std::move(problems));
  return make_spec(root, options.profile);
}

}  // namespace iolab::lab
