#include "experiments/spec_fields.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "experiments/metrics.h"
#include "experiments/nearest_word.h"
#include "experiments/spec.h"
#include "experiments/units.h"

namespace iolab::lab {
namespace {

using Json = nlohmann::ordered_json;
using enum FieldKind;

constexpr std::array kFields{
    Field{"$schema", text, "for editors; not read here"},
    Field{"version", integer, "the version of this format, which is 1", "", 1, 1, "", true},
    Field{"name", text, "lower-case words joined by hyphens; also the name of the run", "", 0, 0, "", true},
    Field{"question", text, "what the run is to answer, one sentence", "", 0, 0, "", true},
    Field{"background", text, "what a reader should know first", "\"\""},
    Field{"models", FieldKind::models, "which models, \"id\" or \"id:option=value\"; absent: all"},
    Field{"baseline", model, "the model of every ratio, entered a second time to see the noise", "\"epoll\""},
    Field{"threads", integer, "serving threads; 0: the model's own default", "0", 0, 1024},
    Field{"watch", words, "the metrics to show, the most telling first",
          R"(["server_cpu_us_per_request", "requests_per_s", "latency_p99_us"])"},
    Field{"focus", FieldKind::models, "the models that the question names: compared with the baseline level by level"},
    Field{"workload", object, "what the load generator does"},
    Field{"workload.kind", choice, "produce or fetch", "\"produce\"", 0, 0, "produce|fetch"},
    Field{"workload.connections", integer, "connections that send requests", "16", 1, 20'000},
    Field{"workload.idle_connections", integer, "connections that are open and silent", "0", 0, 100'000},
    Field{"workload.in_flight", integer, "requests outstanding on each connection, at most", "1", 1, 1000},
    Field{"workload.record_size", size, "value of each record", "\"100B\"", 1, 16e6},
    Field{"workload.records_per_batch", integer, "records in each request", "1", 1, 100'000},
    Field{"workload.partitions", integer, "of the topic; connection i uses partition i modulo this", "1", 1, 1000},
    Field{"workload.prefill", size, "fetch: what each partition holds before the load starts", "\"4MiB\"", 1, 16e9},
    Field{"workload.arrivals", object, "when requests fall due"},
    Field{"workload.arrivals.mode", choice, "closed: the next request follows the answer; open: a fixed rate",
          "\"closed\"", 0, 0, "closed|open"},
    Field{"workload.arrivals.rate", rate, "open: requests per second over all connections"},
    Field{"matrix", matrix, "what varies besides the model: path -> list of values; every combination is run", "{}"},
    Field{"exclude", exclusions, "what is not run, and why", "[]"},
    Field{"broker", properties, "broker properties, by Kafka's names", "{}"},
    Field{"topic_config", properties, "topic properties, by Kafka's names", "{}"},
    Field{"producer", properties, "producer properties of the load generator: acks, compression.type", "{}"},
    Field{"consumer", properties, "consumer properties of the load generator: fetch.max.bytes, fetch.max.wait.ms",
          "{}"},
    Field{"timing", object, "how long, how often"},
    Field{"timing.warmup", duration, "before each window, not counted", "\"1s\"", 0, 600e3},
    Field{"timing.measure", duration, "the window of a trial", "\"3s\"", 50, 3600e3},
    Field{"timing.repeat", integer, "trials of each cell", "10", 1, 1000},
    Field{"limits", object, "what a run may take from this machine"},
    Field{"limits.total", duration, "after this long no new trial is started", "\"20m\"", 1000, 86'400e3},
    Field{"judge", object, "fixed before the run: which comparison counts, and how large a difference matters"},
    Field{"judge.metric", words, "one metric", "", 0, 0, "", true},
    Field{"judge.better", choice, "lower or higher", "\"lower\"", 0, 0, "lower|higher"},
    Field{"judge.ignore_below", percent, "smaller differences do not matter", "\"5%\""},
    Field{"judge.confidence", fraction, "of each interval", "0.95"},
    Field{"judge.duets", integer, "pairs of processes for each model, under alternating load; 0: the trials judge", "0",
          0, 1000},
    Field{"judge.slice", duration, "of a duet: how long the load stays with one side", "\"10ms\"", 2, 1000},
    Field{"judge.slices", integer, "of each side of a duet", "150", 10, 100'000},
    Field{"quick", part, "what replaces the above with --profile quick"},
    Field{"careful", part, "what replaces the above with --profile careful"},
};

bool may_stand_in_part(std::string_view key) {
  return key == "models" || key == "workload" || key == "matrix" || key == "timing" || key == "broker" ||
         key == "topic_config" || key == "limits" || key == "exclude" || key == "judge";
}

std::string pointer_of(std::string_view prefix, std::string_view key) {
  return fmt::format("{}/{}", prefix, key);
}

const std::vector<std::string> kProducerKeys{"acks", "compression.type"};
const std::vector<std::string> kConsumerKeys{"fetch.max.bytes", "fetch.max.wait.ms"};

class Checker {
 public:
  Checker(const JsonSource& source, const std::vector<std::string>& known_models, std::vector<Problem>& problems)
      : source_(source), known_models_(known_models), problems_(problems) {}

  // `path` is where the table is looked up, `pointer` where the value stands: they differ inside quick and careful.
  void object(const Json& node, const std::string& path, const std::string& pointer, bool in_part) {
    const auto keys = keys_below(path);
    for (const auto& [key, value] : node.items()) {
      const std::string child = path.empty() ? key : path + "." + key;
      const std::string at = pointer_of(pointer, key);
      const Field* field = find_field(child);
      if (field == nullptr || (in_part && path.empty() && !may_stand_in_part(key))) {
        const auto near = suggestion(key, keys);
        const bool misplaced = field != nullptr;
        add(at, misplaced ? fmt::format("key \"{}\" cannot be changed by a profile", key)
                          : fmt::format("unknown key \"{}\"{}", key, near.empty() ? "" : ": " + near));
        continue;
      }
      checked(*field, value, at);
    }
    if (!in_part) required(node, path, pointer);
  }

 private:
  void add(const std::string& pointer, std::string text) {
    problems_.push_back(source_.problem(pointer, std::move(text)));
  }

  void required(const Json& node, const std::string& path, const std::string& pointer) {
    for (const auto& key : keys_below(path)) {
      const Field* field = find_field(path.empty() ? key : path + "." + key);
      if (field->required && !node.contains(key))
        add(pointer, fmt::format("key \"{}\" is missing: {}", key, field->summary));
    }
  }

  void checked(const Field& field, const Json& value, const std::string& pointer) {
    switch (field.kind) {
      case FieldKind::object:
      case part: {
        if (!value.is_object()) return add(pointer, fmt::format("\"{}\" must be an object {{ ... }}", field.path));
        const bool is_part = field.kind == part;
        return object(value, is_part ? "" : std::string(field.path), pointer,
                      is_part || pointer.find("/quick/") == 0 || pointer.find("/careful/") == 0);
      }
      case matrix: return check_matrix(value, pointer);
      case exclusions: return check_exclusions(value, pointer);
      case properties: return check_properties(field, value, pointer);
      default:
        if (auto wrong = check_value(field, value, known_models_); !wrong.empty()) {
          add(pointer, fmt::format("{}: {}", field.path, wrong));
        }
    }
  }

  void check_matrix(const Json& value, const std::string& pointer) {
    if (!value.is_object()) return add(pointer, "matrix must be an object of path: [values]");
    std::vector<std::string> paths;
    for (const auto& field : spec_fields()) {
      if (field.path.starts_with("workload.") && field.kind != FieldKind::object) paths.emplace_back(field.path);
    }
    for (const auto& [path, values] : value.items()) {
      const std::string at = pointer_of(pointer, path);
      const Field* field = find_field(path);
      if (!may_vary(path) || (path.starts_with("workload.") && std::ranges::find(paths, path) == paths.end())) {
        const auto near = nearest_word(path, paths);
        add(at, fmt::format("matrix: unknown path \"{}\"{}", path,
                            near.empty() ? ": write for example \"workload.connections\""
                                         : fmt::format(": did you mean \"{}\"?", near)));
        continue;
      }
      if (!values.is_array() || values.empty()) {
        add(at, fmt::format("matrix: \"{}\" needs a list of at least one value", path));
        continue;
      }
      check_axis_values(path, field, values, at);
    }
  }

  void check_axis_values(const std::string& path, const Field* field, const Json& values, const std::string& pointer) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::string at = fmt::format("{}/{}", pointer, i);
      const bool repeated = std::find(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(i), values[i]) !=
                            values.begin() + static_cast<std::ptrdiff_t>(i);
      if (repeated) add(at, fmt::format("matrix: {} names the value {} twice", path, values[i].dump()));
      if (field == nullptr) {
        if (values[i].is_structured()) add(at, fmt::format("matrix: {} needs plain values", path));
      } else if (auto wrong = check_value(*field, values[i], known_models_); !wrong.empty()) {
        add(at, fmt::format("matrix: {}: {}", path, wrong));
      }
    }
  }

  void check_exclusions(const Json& value, const std::string& pointer) {
    if (!value.is_array()) return add(pointer, "exclude must be a list of { models, when, because }");
    static const std::vector<std::string> kKeys{"models", "when", "because"};
    for (std::size_t i = 0; i < value.size(); ++i) {
      const std::string at = fmt::format("{}/{}", pointer, i);
      if (!value[i].is_object()) {
        add(at, "exclude: an entry is { \"models\": [...], \"when\": \"...\", \"because\": \"...\" }");
        continue;
      }
      for (const auto& [key, content] : value[i].items()) {
        if (std::ranges::find(kKeys, key) == kKeys.end()) {
          add(pointer_of(at, key), fmt::format("exclude: unknown key \"{}\": {}", key, suggestion(key, kKeys)));
        }
      }
      check_exclusion(value[i], at);
    }
  }

  void check_exclusion(const Json& entry, const std::string& at) {
    const Field* list = find_field("models");
    if (!entry.contains("models")) {
      add(at, "exclude: key \"models\" is missing");
    } else if (auto wrong = check_value(*list, entry["models"], known_models_); !wrong.empty()) {
      add(at + "/models", fmt::format("exclude: models: {}", wrong));
    }
    if (!entry.contains("because") || !entry["because"].is_string() || entry["because"].get<std::string>().empty()) {
      add(at, "exclude: key \"because\" is missing: a thing that is not run is a row with its reason");
    }
    if (!entry.contains("when")) return;
    if (!entry["when"].is_string()) return add(at + "/when", "exclude: \"when\" must be text");
    if (const auto holds = condition_holds(entry["when"].get<std::string>(), {}); !holds) {
      add(at + "/when", fmt::format("exclude: when: {}", holds.error()));
    }
  }

  void check_properties(const Field& field, const Json& value, const std::string& pointer) {
    if (!value.is_object()) return add(pointer, fmt::format("{} must be an object of Kafka properties", field.path));
    const auto* known = field.path == "producer" ? &kProducerKeys : field.path == "consumer" ? &kConsumerKeys : nullptr;
    for (const auto& [key, content] : value.items()) {
      const std::string at = pointer_of(pointer, key);
      if (content.is_structured() || content.is_null()) {
        add(at, fmt::format("{}: the property \"{}\" needs a plain value", field.path, key));
      }
      if (known != nullptr && std::ranges::find(*known, key) == known->end()) {
        add(at,
            fmt::format("{}: the load generator has no property \"{}\": {}", field.path, key, suggestion(key, *known)));
      }
    }
  }

  const JsonSource& source_;
  const std::vector<std::string>& known_models_;
  std::vector<Problem>& problems_;
};

template <class Parsed>
std::string check_quantity(const Field& field, const Json& value, Parsed (*parse)(std::string_view), double scale) {
  if (!value.is_string()) {
    return fmt::format("{} is not text: quantities carry their unit, as in {}", value.dump(),
                       field.kind == size       ? "\"64KiB\""
                       : field.kind == duration ? "\"3s\""
                       : field.kind == rate     ? "\"20000/s\""
                                                : "\"5%\"");
  }
  const auto parsed = parse(value.get<std::string>());
  if (!parsed) return parsed.error();
  double number = 0;
  if constexpr (std::is_same_v<Parsed, std::expected<std::chrono::nanoseconds, std::string>>) {
    number = static_cast<double>(parsed->count()) * scale;
  } else {
    number = static_cast<double>(*parsed) * scale;
  }
  if (field.high <= field.low || (number >= field.low && number <= field.high)) return {};
  const auto border = [&](double limit) {
    return field.kind == duration ? duration_text(std::chrono::milliseconds(std::llround(limit)))
                                  : size_text(static_cast<std::uint64_t>(limit));
  };
  return fmt::format("{} is out of range: {} to {}", value.dump(), border(field.low), border(field.high));
}

std::string check_model(const Json& value, const std::vector<std::string>& known) {
  if (!value.is_string()) return fmt::format("{} is not a model: write \"epoll\"", value.dump());
  const auto name = value.get<std::string>();
  const std::string id(model_id(name));
  if (known.empty() || std::ranges::find(known, id) != known.end()) return {};
  if (id == "null") return "the control null has no network, and an experiment's load comes through one";
  return fmt::format("no model \"{}\": {}", id, suggestion(id, known));
}

std::string no_metric(const std::string& word, const std::vector<std::string>& known) {
  const auto near = nearest_word(word, known);
  return fmt::format(
      "no metric \"{}\": {}", word,
      near.empty() ? fmt::format("there are {}", fmt::join(known, ", ")) : fmt::format("did you mean \"{}\"?", near));
}

std::string check_words(const Field& field, const Json& value) {
  const auto known = metric_ids();
  if (field.path == "judge.metric" && value.is_string()) {
    const auto word = value.get<std::string>();
    if (std::ranges::find(known, word) != known.end()) return {};
    return no_metric(word, known);
  }
  if (!value.is_array() || value.empty()) return "needs a list of metrics";
  for (const auto& entry : value) {
    const auto word = entry.is_string() ? entry.get<std::string>() : entry.dump();
    if (std::ranges::find(known, word) == known.end()) {
      return no_metric(word, known);
    }
  }
  return {};
}

std::string check_model_list(const Json& value, const std::vector<std::string>& known) {
  if (!value.is_array() || value.empty()) return "needs a list of at least one model";
  std::vector<std::string> seen;
  for (const auto& entry : value) {
    if (auto wrong = check_model(entry, known); !wrong.empty()) return wrong;
    if (std::ranges::find(seen, entry.get<std::string>()) != seen.end()) {
      return fmt::format("model {} is named twice: the baseline is entered twice by itself", entry.dump());
    }
    seen.push_back(entry.get<std::string>());
  }
  return {};
}

std::string check_integer(const Field& field, const Json& value) {
  if (!value.is_number_integer()) return fmt::format("{} is not a whole number", value.dump());
  const auto number = value.get<double>();
  if (number >= field.low && number <= field.high) return {};
  if (field.low == field.high) return fmt::format("{} is not known: write {}", value.dump(), field.low);
  return fmt::format("{} is out of range: {} to {}", value.dump(), with_thousands(field.low),
                     with_thousands(field.high));
}

std::string check_text(const Field& field, const Json& value) {
  if (!value.is_string()) return fmt::format("{} is not text", value.dump());
  const auto text = value.get<std::string>();
  if (field.required && text.empty()) return "is empty";
  constexpr std::size_t kLongestName = 60;
  const bool is_name = !text.empty() && text.size() <= kLongestName &&
                       text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos &&
                       text.front() != '-';
  if (field.path == "name" && !is_name) {
    return fmt::format("\"{}\" is no name: up to {} lower-case letters, digits and hyphens", text, kLongestName);
  }
  return {};
}

}  // namespace

std::span<const Field> spec_fields() {
  return kFields;
}

const Field* find_field(std::string_view path) {
  const auto found = std::ranges::find(kFields, path, &Field::path);
  return found == kFields.end() ? nullptr : &*found;
}

std::vector<std::string> choices_of(const Field& field) {
  std::vector<std::string> words;
  auto rest = field.choices;
  while (!rest.empty()) {
    const auto bar = rest.find('|');
    words.emplace_back(rest.substr(0, bar));
    rest = bar == std::string_view::npos ? std::string_view{} : rest.substr(bar + 1);
  }
  return words;
}

std::vector<std::string> keys_below(std::string_view path) {
  std::vector<std::string> keys;
  for (const auto& field : kFields) {
    auto rest = field.path;
    if (!path.empty()) {
      if (!rest.starts_with(path) || rest.size() <= path.size() || rest[path.size()] != '.') continue;
      rest.remove_prefix(path.size() + 1);
    }
    if (rest.find('.') == std::string_view::npos) keys.emplace_back(rest);
  }
  return keys;
}

void check_document(const Json& root, const JsonSource& source, const std::vector<std::string>& known_models,
                    std::vector<Problem>& problems) {
  if (!root.is_object()) {
    problems.push_back(source.problem("", "an experiment is one object { ... }"));
    return;
  }
  Checker(source, known_models, problems).object(root, "", "", false);
}

std::string check_value(const Field& field, const Json& value, const std::vector<std::string>& known_models) {
  switch (field.kind) {
    case text: return check_text(field, value);
    case integer: return check_integer(field, value);
    case duration: return check_quantity(field, value, parse_duration, 1e-6);
    case size: return check_quantity(field, value, parse_size, 1);
    case rate: return check_quantity(field, value, parse_rate, 1);
    case percent: return check_quantity(field, value, parse_percent, 1);
    case fraction:
      return value.is_number() && value.get<double>() > 0 && value.get<double>() < 1
                 ? ""
                 : fmt::format("{} is not a number between 0 and 1", value.dump());
    case choice: {
      const auto known = choices_of(field);
      if (value.is_string() && std::ranges::find(known, value.get<std::string>()) != known.end()) return {};
      return fmt::format("{} is unknown: {}", value.dump(),
                         suggestion(value.is_string() ? value.get<std::string>() : "", known));
    }
    case words: return check_words(field, value);
    case models: return check_model_list(value, known_models);
    case model: return check_model(value, known_models);
    default: return {};
  }
}

}  // namespace iolab::lab
