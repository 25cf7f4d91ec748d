#include "experiments/spec/spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "clients/protocol_client.h"
#include "experiments/spec/levels.h"
#include "experiments/spec/metrics.h"
#include "experiments/spec/refuted_when.h"
#include "experiments/spec/sha256.h"
#include "experiments/spec/spec_broker.h"
#include "experiments/spec/spec_check.h"
#include "experiments/spec/spec_conditions.h"
#include "experiments/spec/spec_fields.h"
#include "experiments/spec/spec_settings.h"
#include "experiments/spec/spec_values.h"
#include "experiments/words/nearest_word.h"
#include "experiments/words/units.h"

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

// A preview takes no longer than the run that it is a preview of.
bool is_as_short(const Json& root, const std::string& key, const std::string& time) {
  const Json* own = look_up(root, "timing." + key);
  const auto length =
      own != nullptr && own->is_string() ? parse_duration(own->get<std::string>()) : std::unexpected(std::string());
  return length && *length <= *parse_duration(time);
}

Json quick_timing(const Json& root) {
  Json timing{{"repeat", 3}};
  using Time = std::pair<std::string, std::string>;
  for (const auto& [key, time] : {Time{"warmup", "300ms"}, Time{"measure", "1s"}}) {
    if (!is_as_short(root, key, time)) timing[key] = time;
  }
  return timing;
}

void apply_profile(Json& root, const std::string& profile) {
  const auto found = root.find(profile);
  const Json part = found != root.end() && found->is_object() ? *found : Json::object();
  root.erase("quick");
  root.erase("careful");
  if (profile == "quick") merge(root, Json{{"timing", quick_timing(root)}});
  if (profile == "careful") merge(root, Json{{"timing", {{"warmup", "2s"}, {"measure", "10s"}, {"repeat", 20}}}});
  merge(root, part);
}

void fill_defaults(Json& root) {
  for (const auto& field : spec_fields()) {
    if (field.default_text.empty() || look_up(root, field.path) != nullptr) continue;
    if (field.path.starts_with("judge.") && !root.contains("judge")) continue;
    at_path(root, field.path) = Json::parse(field.default_text);
  }
}

Properties properties_of(const Json& root, const char* group) {
  Properties list;
  for (const auto& [key, value] : root[group].items()) list.emplace_back(key, value_text(value));
  return list;
}

std::chrono::milliseconds milliseconds_of(const Json& value) {
  return std::chrono::ceil<std::chrono::milliseconds>(*parse_duration(value.get<std::string>()));
}

Workload workload_of(const Json& node) {
  Workload work;
  work.kind = node["kind"].get<std::string>();
  work.connections = node["connections"].get<int>();
  work.idle_connections = node["idle_connections"].get<int>();
  work.stalled_connections = node["stalled_connections"].get<int>();
  work.cold_readers = node["cold_readers"].get<int>();
  work.in_flight = node["in_flight"].get<int>();
  work.record_bytes = *parse_size(node["record_size"].get<std::string>());
  work.records_per_batch = node["records_per_batch"].get<int>();
  work.partitions = node["partitions"].get<int>();
  work.prefill_bytes = *parse_size(node["prefill"].get<std::string>());
  work.stall = milliseconds_of(node["stall"]);
  if (node["arrivals"]["mode"] == "open") work.rate_per_s = *parse_rate(node["arrivals"]["rate"].get<std::string>());
  return work;
}

Axis make_axis(const std::string& path, const Json& values) {
  Axis axis{
      .path = path, .label = axis_label(Words::in(Language::english), path), .values = {}, .labels = {}, .numbers = {}};
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

Level make_level(const Json& root, const std::vector<Axis>& axes, const std::vector<std::size_t>& at) {
  Level level{
      .id = "", .label = "", .at = at, .workload = {}, .broker = {}, .producer = {}, .consumer = {}, .probe = {}};
  Json settled = root;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto& path = axes[i].path;
    at_path(settled, path) = root["matrix"][path][at[i]];
    const auto dot = path.rfind("workload.", 0) == 0 ? path.rfind('.') : path.find('.');
    level.id += fmt::format("{}{}={}", i > 0 ? "," : "", path.substr(dot + 1), axes[i].values[at[i]]);
  }
  if (axes.empty()) level.id = "all";
  level.label = level_label(Words::in(Language::english), axes, at);
  level.workload = workload_of(settled["workload"]);
  level.broker = properties_of(settled, "broker");
  for (const auto& [key, value] : properties_of(settled, "topic_config")) {
    level.broker.emplace_back(broker_name_of_topic_property(key), value);
  }
  level.producer = properties_of(settled, "producer");
  level.consumer = properties_of(settled, "consumer");
  level.probe = properties_of(settled, "probe_config");
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

// A text for readers, in English and in Chinese.
void read_prose(const Json& block, const char* key, std::string& english, std::string& chinese) {
  const auto found = block.find(key);
  if (found == block.end()) return;
  english = found->is_object() ? found->value("en", "") : found->get<std::string>();
  chinese = found->is_object() ? found->value("zh", "") : "";
}

void read_predictions(const Json& list, Spec& spec) {
  for (const auto& entry : list) {
    Prediction prediction;
    prediction.text = entry.is_object() ? entry.value("en", "") : entry.get<std::string>();
    if (entry.is_object()) prediction.text_zh = entry.value("zh", "");
    spec.predict.push_back(std::move(prediction));
  }
}

void read_exclusions(const Json& list, Spec& spec) {
  for (const auto& entry : list) {
    Exclusion exclusion{entry["models"].get<std::vector<std::string>>(), entry.value("when", ""), "", ""};
    read_prose(entry, "because", exclusion.because, exclusion.because_zh);
    spec.exclusions.push_back(std::move(exclusion));
  }
}

void read_limits(const Json& limits, Spec& spec) {
  spec.longest = std::chrono::ceil<std::chrono::seconds>(milliseconds_of(limits["total"]));
  spec.limits = {limits["connections"].get<int>(), *parse_size(limits["memory"].get<std::string>()),
                 limits["trials"].get<int>()};
}

Judge judge_of(const Json& judge) {
  return {judge["metric"].get<std::string>(),
          judge["better"].get<std::string>(),
          *parse_percent(judge["ignore_below"].get<std::string>()),
          judge["confidence"].get<double>(),
          judge["duets"].get<int>(),
          milliseconds_of(judge["slice"]),
          judge["slices"].get<int>(),
          judge["side_by_side"].get<int>(),
          judge.value("at", "")};
}

Target target_of(const Json& block) {
  const auto where = *clients::host_and_port(block["bootstrap_servers"].get<std::string>());
  return {where.host, where.port};
}

Spec make_spec(const Json& root, const std::string& profile) {
  Spec spec;
  spec.name = root["name"].get<std::string>();
  read_prose(root, "question", spec.question, spec.question_zh);
  read_prose(root, "background", spec.background, spec.background_zh);
  read_prose(root, "expected", spec.expected, spec.expected_zh);
  read_prose(root, "refuted_by", spec.refuted_by, spec.refuted_by_zh);
  if (root.contains("predict")) read_predictions(root["predict"], spec);
  if (root.contains("refuted_when")) spec.refuted_when = refuted_when_of(root["refuted_when"]);
  if (root.contains("target")) {
    spec.target = target_of(root["target"]);
  }
  spec.probe = root.value("probe", "");
  spec.path = root["path"] == "veth" ? PathKind::veth : PathKind::loopback;
  if (root.contains("models")) spec.models = root["models"].get<std::vector<std::string>>();
  for (const auto& [id, entry] : root["variants"].items()) {
    Variant variant{.id = id,
                    .model = entry.value("model", std::string(kTargetModel)),
                    .broker = entry.contains("broker") ? properties_of(entry, "broker") : Properties{}};
    if (entry.contains("threads")) variant.threads = entry["threads"].get<int>();
    if (entry.contains("bootstrap_servers")) variant.target = target_of(entry);
    spec.variants.push_back(std::move(variant));
  }
  // A probe that knows no models is compared with itself.
  spec.baseline = spec.probe.empty() || !spec.models.empty() ? root["baseline"].get<std::string>() : spec.probe;
  spec.threads = root["threads"].get<int>();
  spec.watch = root["watch"].get<std::vector<std::string>>();
  if (spec.target) {
    spec.baseline = kTargetModel;
    std::erase_if(spec.watch, [](const std::string& metric) { return !told_by_load(metric); });
    if (spec.watch.empty()) spec.watch = {"requests_per_s"};
  }
  if (root.contains("focus")) spec.focus = root["focus"].get<std::vector<std::string>>();
  for (const auto& [path, values] : root["matrix"].items()) spec.axes.push_back(make_axis(path, values));
  spec.levels = make_levels(root, spec.axes);
  read_exclusions(root["exclude"], spec);
  spec.timing = {milliseconds_of(root["timing"]["warmup"]), milliseconds_of(root["timing"]["measure"]),
                 root["timing"]["repeat"].get<int>()};
  read_limits(root["limits"], spec);
  if (root.contains("judge")) spec.judge = judge_of(root["judge"]);
  // Without the baseline there is no ratio, and nothing that says how large no difference is.
  const bool is_among = std::ranges::find(spec.models, spec.baseline) != spec.models.end();
  if (spec.probe.empty() && !spec.models.empty() && !is_among) spec.models.push_back(spec.baseline);
  spec.profile = profile;
  spec.text = root.dump(2) + "\n";
  spec.sha256 = sha256_hex(spec.text);
  return spec;
}

// "/judge/duets", but "/broker/log.segment.bytes": a property's dots are its own.
std::string pointer_to(const std::string& path) {
  const auto dot = path.find('.');
  const Field* group = find_field(path.substr(0, dot));
  const bool of_property = dot != std::string::npos && group != nullptr && group->kind == FieldKind::properties;
  if (of_property) return below("/" + path.substr(0, dot), path.substr(dot + 1));
  std::string pointer = "/" + path;
  std::ranges::replace(pointer, '.', '/');
  return pointer;
}

// Where a complaint of a condition belongs: to the flag that set the value, or to the file, the profile's part of it
// first. `path` is as check_conditions() says.
Problem placed(const std::string& path, std::string what, std::string remedy, const JsonSource& source,
               const std::string& profile, const std::vector<Setting>& settings) {
  const bool is_axis = path.starts_with("matrix/");
  const auto key = is_axis ? path.substr(path.find('/') + 1) : path;
  for (const auto& setting : settings) {
    if (setting.path != key && !setting.path.starts_with(key + ".")) continue;
    const auto flag = setting.path == "models" ? "--models" : "--set " + setting.path;
    return {.what = flag + ": " + what, .remedy = std::move(remedy)};
  }
  auto pointer = pointer_to(key);
  if (is_axis) pointer = below("/matrix", key);
  if (source.places.contains("/" + profile + pointer)) pointer.insert(0, "/" + profile);
  auto problem = source.problem(pointer, JsonSource::At::value, std::move(what), std::move(remedy));
  problem.explains = find_field(key) == nullptr ? key.substr(0, key.find('.')) : key;
  return problem;
}

}  // namespace

std::string_view model_id(std::string_view model) {
  return model.substr(0, model.find(':'));
}

bool judges_by_duets(const Judge& judge) {
  return judge.duets > 0 && duets_measure(judge.metric);
}

std::expected<Spec, std::vector<Problem>> parse_spec(std::string_view text, const std::string& file_name,
                                                     const SpecOptions& options) {
  JsonSource source;
  std::vector<Problem> problems;
  const auto document = parse_json(text, file_name, source, problems);
  if (!document) return std::unexpected(std::vector{document.error()});
  check_document(*document, source, options.known_models, problems);
  const auto settings = read_settings(options, problems);
  Json root = document->is_object() ? *document : Json::object();
  apply_profile(root, options.profile);
  apply_settings(root, settings);
  const Complain complain = [&](Severity severity, const std::string& path, std::string what, std::string remedy) {
    problems.push_back(placed(path, std::move(what), std::move(remedy), source, options.profile, settings));
    problems.back().severity = severity;
  };
  const Occasion occasion{.is_preview = options.profile == "quick",
                          .as_written = !options.known_models.empty() && options.profile == "standard" &&
                                        options.settings.empty() && options.models.empty(),
                          .known_models = options.known_models.size()};
  check_conditions(root, occasion, complain);
  if (!has_errors(problems)) check_blocks(root, complain);
  const bool starts_brokers = !root.contains("target") && !root.contains("probe");
  if (options.ask_broker && starts_brokers) {
    check_with_broker(root, options.ask_broker, options.known_models, complain);
  }
  sort_by_place(problems);
  if (has_errors(problems)) return std::unexpected(std::move(problems));
  fill_defaults(root);
  Spec spec = make_spec(root, options.profile);
  check_settled(spec, occasion, complain);
  // Another profile, or a flag, may leave cells out: then a run cannot say, and is none the worse for it.
  if (occasion.as_written) check_refuting_cells(spec, options.known_models, complain);
  if (!spec.probe.empty() && options.ask_probe) check_with_probe(spec, options.ask_probe, complain);
  sort_by_place(problems);
  if (has_errors(problems)) return std::unexpected(std::move(problems));
  spec.warnings = std::move(problems);
  return spec;
}

}  // namespace iolab::lab
