#include "experiments/spec/spec_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "clients/protocol_client.h"
#include "experiments/spec/json_document.h"
#include "experiments/spec/metrics.h"
#include "experiments/spec/spec.h"
#include "experiments/words/nearest_word.h"
#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

using Json = nlohmann::ordered_json;
using Flaws = std::vector<Flaw>;

Flaws flaw(std::string what, std::string remedy) {
  return {{"", std::move(what), std::move(remedy)}};
}

bool among(const std::string& word, const std::vector<std::string>& known) {
  return std::ranges::find(known, word) != known.end();
}

struct QuantityWords {
  std::string_view noun;
  std::string_view example;
};
QuantityWords words_of(FieldKind kind) {
  switch (kind) {
    case FieldKind::duration: return {"duration", "3s"};
    case FieldKind::size: return {"size", "64KiB"};
    case FieldKind::rate: return {"rate", "20000/s"};
    default: return {"percentage", "5%"};
  }
}

// In the unit of the table's ranges: durations in milliseconds.
std::expected<double, std::string> parse_quantity(FieldKind kind, const std::string& text) {
  const auto number = [](const auto& parsed) -> std::expected<double, std::string> {
    if (!parsed) return std::unexpected(parsed.error());
    return static_cast<double>(*parsed);
  };
  if (kind == FieldKind::size) return number(parse_size(text));
  if (kind == FieldKind::rate) return parse_rate(text);
  if (kind == FieldKind::percent) return parse_percent(text);
  const auto duration = parse_duration(text);
  if (!duration) return std::unexpected(duration.error());
  return std::chrono::duration<double, std::milli>(*duration).count();
}

std::string range_text(const Field& field) {
  const auto border = [&](double limit) {
    if (field.kind == FieldKind::duration) return duration_text(std::chrono::milliseconds(std::llround(limit)));
    if (field.kind == FieldKind::size) return size_text(static_cast<std::uint64_t>(limit));
    return with_thousands(limit);
  };
  return fmt::format("{} to {}", border(field.low), border(field.high));
}

Flaws check_quantity(const Field& field, const Json& value) {
  if (!value.is_string()) {
    if (!value.is_number()) {
      return flaw(value.dump() + " is not text",
                  fmt::format("quantities carry their unit, as in \"{}\"", words_of(field.kind).example));
    }
    return flaw(value.dump() + " has no unit",
                fmt::format("write it as text with its unit, such as \"{}\"", words_of(field.kind).example));
  }
  const auto number = parse_quantity(field.kind, value.get<std::string>());
  if (!number) {
    // units.h writes both halves of the sentence; no remedy of its holds a colon.
    const auto& sentence = number.error();
    const auto colon = sentence.rfind(": ");
    if (colon == std::string::npos) return flaw(sentence, "");
    return flaw(sentence.substr(0, colon), sentence.substr(colon + 2));
  }
  if (field.high <= field.low || (*number >= field.low && *number <= field.high)) return {};
  return flaw(value.dump() + " is out of range", range_text(field));
}

Flaws check_integer(const Field& field, const Json& value) {
  if (!value.is_number_integer()) {
    const auto text = value.is_string() ? value.get<std::string>() : std::string();
    if (!text.empty() && text.find_first_not_of("0123456789") == std::string::npos) {
      return flaw(value.dump() + " is text, not a number", fmt::format("write {} without quotation marks", text));
    }
    return flaw(value.dump() + " is not a whole number", fmt::format("write {}", range_text(field)));
  }
  const auto number = value.get<double>();
  if (number >= field.low && number <= field.high) return {};
  if (field.low == field.high) return flaw(value.dump() + " is not known", fmt::format("write {}", field.low));
  return flaw(value.dump() + " is out of range", range_text(field));
}

Flaws check_name(const Json& value) {
  constexpr std::size_t kLongest = 60;
  const auto text = value.is_string() ? value.get<std::string>() : std::string();
  const bool good = !text.empty() && text.size() <= kLongest && text.front() != '-' &&
                    text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
  if (good) return {};
  return flaw(value.dump() + " is no name", fmt::format("up to {} lower-case letters, digits and hyphens", kLongest));
}

Flaws check_text(const Field& field, const Json& value) {
  if (!value.is_string()) return flaw(value.dump() + " is not text", "write it in quotation marks");
  if (field.required && value.get<std::string>().empty()) return flaw("is empty", std::string(field.summary));
  return {};
}

Flaws check_prose(const Field& field, const Json& value) {
  if (!value.is_object()) {
    if (value.is_string()) return check_text(field, value);
    return flaw(value.dump() + " is not text", R"(write "..." or { "en": "...", "zh": "..." })");
  }
  static const std::vector<std::string> kLanguages{"en", "zh"};
  Flaws flaws;
  if (!value.contains("en")) flaws.push_back({"", "key \"en\" is missing", "the English text"});
  for (const auto& [marked, text] : value.items()) {
    const auto key = plain_key(marked);
    const auto at = below("", marked);
    if (!among(key, kLanguages)) {
      flaws.push_back({at, fmt::format("unknown language \"{}\"", key), "known are: en, zh"});
    } else if (!text.is_string() || text.get<std::string>().empty()) {
      flaws.push_back({at, text.dump() + " is not text", fmt::format("write the sentence, or leave \"{}\" out", key)});
    }
  }
  return flaws;
}

Flaws check_fraction(const Json& value) {
  if (value.is_number() && value.get<double>() > 0 && value.get<double>() < 1) return {};
  return flaw(value.dump() + " is not a number between 0 and 1", "write for example 0.95");
}

Flaws check_choice(const Field& field, const Json& value) {
  const auto known = choices_of(field);
  const auto word = value.is_string() ? value.get<std::string>() : "";
  if (value.is_string() && among(word, known)) return {};
  return flaw(value.dump() + " is unknown", suggestion(word, known));
}

Flaws check_metric(const Json& value) {
  const auto word = value.is_string() ? value.get<std::string>() : value.dump();
  const auto known = metric_ids();
  if (value.is_string() && among(word, known)) return {};
  return flaw(fmt::format("no metric \"{}\"", word), nearest_or_all(word, known));
}

Flaws check_model(const Json& value, const std::vector<std::string>& known) {
  if (!value.is_string()) return flaw(value.dump() + " is not a model", "write for example \"epoll\"");
  const auto name = value.get<std::string>();
  const std::string id(model_id(name));
  if (name.ends_with(':') || id.empty()) {
    return flaw(value.dump() + " is not a model", "write \"id\" or \"id:option=value\"");
  }
  if (known.empty() || among(id, known)) return {};
  if (id == "null") return flaw("the control null has no network", "an experiment's load comes through one");
  return flaw(fmt::format("no model \"{}\"", id), suggestion(id, known));
}

Flaws check_address(const Json& value) {
  const auto remedy = "write HOST:PORT, such as \"127.0.0.1:9092\"";
  if (!value.is_string()) return flaw(value.dump() + " is not text", remedy);
  const auto text = value.get<std::string>();
  if (text.find(',') != std::string::npos) {
    return flaw(value.dump() + " names several addresses", "one is enough: a broker tells the others");
  }
  if (!clients::host_and_port(text)) return flaw(value.dump() + " is no broker's address", remedy);
  return {};
}

template <class CheckElement>
Flaws check_list(const Json& value, std::string_view noun, bool may_be_empty, CheckElement check_element) {
  if (!value.is_array() || (value.empty() && !may_be_empty)) {
    return flaw(fmt::format("needs a list of at least one {}", noun), "write [ \"...\" ]");
  }
  Flaws flaws;
  for (std::size_t i = 0; i < value.size(); ++i) {
    auto found = check_element(value[i]);
    const auto before = value.begin() + static_cast<std::ptrdiff_t>(i);
    if (found.empty() && std::find(value.begin(), before, *before) != before) {
      found = flaw(fmt::format("{} {} is named twice", noun, value[i].dump()),
                   noun == "model" ? "the baseline is entered twice by itself" : "once is enough");
    }
    for (auto& one : found) flaws.push_back({below("", i) + one.below, std::move(one.what), std::move(one.remedy)});
  }
  return flaws;
}

Flaws check_predictions(const Json& value) {
  constexpr std::size_t kFewest = 2;
  constexpr std::size_t kMost = 4;
  if (!value.is_array() || value.size() < kFewest || value.size() > kMost) {
    return flaw(fmt::format("needs a list of {} to {} answers", kFewest, kMost),
                R"(write [ { "en": "...", "zh": "..." }, ... ])");
  }
  return check_list(value, "answer", false, [](const Json& entry) {
    auto flaws = check_prose(*find_field("question"), entry);
    for (auto& one : flaws) {
      if (one.what == "is empty") one.remedy = "an answer that a reader may expect";
    }
    return flaws;
  });
}

}  // namespace

bool is_plain(const Json& value) {
  return !value.is_structured() && !value.is_null();
}

std::string value_text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::vector<Flaw> check_value(const Field& field, const Json& value, const std::vector<std::string>& known_models) {
  switch (field.kind) {
    case FieldKind::text: return check_text(field, value);
    case FieldKind::name: return check_name(value);
    case FieldKind::prose: return check_prose(field, value);
    case FieldKind::predictions: return check_predictions(value);
    case FieldKind::integer: return check_integer(field, value);
    case FieldKind::duration:
    case FieldKind::size:
    case FieldKind::rate:
    case FieldKind::percent: return check_quantity(field, value);
    case FieldKind::fraction: return check_fraction(value);
    case FieldKind::choice: return check_choice(field, value);
    case FieldKind::metric: return check_metric(value);
    case FieldKind::metrics: return check_list(value, "metric", false, check_metric);
    case FieldKind::model: return check_model(value, known_models);
    case FieldKind::models:
      // Whether the models of the file may be none depends on `target`: spec_conditions.h.
      return check_list(value, "model", field.path == "models",
                        [&](const Json& entry) { return check_model(entry, known_models); });
    case FieldKind::address: return check_address(value);
    default: return {};
  }
}

std::string kind_text(const Field& field) {
  const auto quantity = [&] {
    const auto words = words_of(field.kind);
    const auto range = field.high > field.low ? ", " + range_text(field) : "";
    return fmt::format("{} with its unit{}: \"{}\"", words.noun, range, words.example);
  };
  switch (field.kind) {
    case FieldKind::text: return "text";
    case FieldKind::name: return "text: up to 60 lower-case letters, digits and hyphens";
    case FieldKind::prose: return R"(text, or {"en": "...", "zh": "..."})";
    case FieldKind::predictions: return R"(list of 2 to 4, each text, or {"en": "...", "zh": "..."})";
    case FieldKind::integer: return "whole number, " + range_text(field);
    case FieldKind::duration:
    case FieldKind::size:
    case FieldKind::rate:
    case FieldKind::percent: return quantity();
    case FieldKind::fraction: return "number between 0 and 1";
    case FieldKind::choice: return "one of " + listed(choices_of(field));
    case FieldKind::metric: return "one of " + listed(metric_ids());
    case FieldKind::metrics: return "list of metrics: " + listed(metric_ids());
    case FieldKind::model: return "model: \"id\" or \"id:option=value\" (iolab models)";
    case FieldKind::models: return "list of models, each \"id\" or \"id:option=value\" (iolab models)";
    case FieldKind::address: return "text: HOST:PORT";
    case FieldKind::properties:
      return field.choices.empty() ? "object of Kafka's property names and plain values"
                                   : "object of " + listed(choices_of(field));
    case FieldKind::matrix: return "object of path: [values]";
    case FieldKind::exclusions: return R"(list of {"models": [...], "when": "...", "because": "..."})";
    case FieldKind::variants:
      return R"(object of name: {"model": "...", "broker": {...}, "threads": N}, or )"
             R"({"bootstrap_servers": "HOST:PORT"})";
    case FieldKind::refutation:
      return R"(list of {"cell": "...", "metric": "...", "per": "...", "against": "...", "above": N, "below": N}, )"
             R"(or {"any": list})";
    case FieldKind::object: return "object";
    case FieldKind::part: return "object of the keys that it replaces";
  }
  return {};
}

}  // namespace iolab::lab
