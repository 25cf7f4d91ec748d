#include "experiments/spec/spec_conditions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "experiments/spec/metrics.h"
#include "experiments/spec/spec_fields.h"
#include "experiments/spec/spec_settings.h"
#include "experiments/words/nearest_word.h"
#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

using Json = nlohmann::ordered_json;
using enum Severity;

constexpr std::size_t kMostLevels = 200;

class Conditions {
 public:
  Conditions(const Json& root, const Occasion& occasion, const Complain& complain)
      : root_(root), occasion_(occasion), complain_(complain) {}

  void arrivals() const {
    constexpr auto kMode = "workload.arrivals.mode";
    constexpr auto kRate = "workload.arrivals.rate";
    const bool open = may_be(kMode, "open");
    const bool has_rate = look_up(root_, kRate) != nullptr || axis(kRate) != nullptr;
    if (open && !has_rate) {
      complain_(error, axis(kMode) != nullptr ? place_of(kMode) : "workload.arrivals",
                "workload.arrivals: an open loop needs a rate", R"(write "rate": "20000/s")");
    }
    if (!open && has_rate) {
      complain_(error, place_of(kRate), R"(workload.arrivals: a rate without "mode": "open" would be ignored)",
                R"(write "mode": "open", or leave it out)");
    }
  }

  // What a producer may wait for is known only if records come by themselves.
  void batching() const {
    for (const auto* path : {"producer.linger.ms", "producer.batch.size"}) {
      if (values_of(path).empty()) continue;
      if (!may_be("workload.arrivals.mode", "open")) {
        complain_(error, place_of(path),
                  fmt::format("{} needs an open loop: in a closed one a request follows its answer", path),
                  R"(write "arrivals": { "mode": "open", "rate": "20000/s" })");
      }
      if (!is_usual("workload.records_per_batch")) {
        complain_(error, place_of(path), fmt::format("{} and records_per_batch both say how large a batch is", path),
                  "leave one of them out");
      }
    }
  }

  void whole_numbers() const {
    for (const auto* path :
         {"producer.linger.ms", "producer.batch.size", "consumer.fetch.max.bytes", "consumer.fetch.max.wait.ms"}) {
      for (const auto& value : values_of(path)) {
        if (value.is_number_unsigned() || value.is_structured()) continue;
        complain_(error, place_of(path), fmt::format("{}={} is no whole number", path, value.dump()),
                  "milliseconds or bytes, as Kafka has them, without a unit");
      }
    }
  }

  void prefill() const {
    if (is_usual("workload.prefill") || may_be("workload.kind", "fetch")) return;
    complain_(warning, "workload.prefill", "workload.prefill is for \"kind\": \"fetch\"", "it has no effect here");
  }

  void size_of_matrix() const {
    const Json* matrix = look_up(root_, "matrix");
    if (matrix == nullptr || !matrix->is_object()) return;
    std::size_t levels = 1;
    for (const auto& values : *matrix) {
      if (values.is_array() && !values.empty()) levels = std::min(levels, kMostLevels * kMostLevels) * values.size();
    }
    if (levels <= kMostLevels) return;
    complain_(error, "matrix", fmt::format("matrix: {} combinations, at most {}", levels, kMostLevels),
              "run a part of it");
  }

  void acks() const {
    static const std::vector<Json> kKnown{"1", 1, "all", "-1", -1};
    for (const auto& value : values_of("producer.acks")) {
      if (value == "0" || value == 0) {
        complain_(error, place_of("producer.acks"), "producer: acks=0 sends no answer, so there is nothing to measure",
                  "write 1 or \"all\"");
      } else if (!value.is_structured() && std::ranges::find(kKnown, value) == kKnown.end()) {
        complain_(error, place_of("producer.acks"), fmt::format("producer: acks={} is unknown", value.dump()),
                  "write 1 or \"all\"");
      }
    }
  }

  void codec() const {
    static const std::vector<std::string> kKnown{"none", "gzip", "snappy", "lz4", "zstd"};
    constexpr auto kPath = "producer.compression.type";
    for (const auto& value : values_of(kPath)) {
      const auto name = value.is_string() ? value.get<std::string>() : value.dump();
      if (value.is_structured() || std::ranges::find(kKnown, name) != kKnown.end()) continue;
      complain_(error, place_of(kPath), fmt::format("producer: no compression.type {}", value.dump()),
                nearest_or_all(name, kKnown));
    }
  }

  // No server of ours runs beside a target, so whatever is about ours has to be absent, empty, or its default.
  void target() const {
    const Json* block = look_up(root_, "target");
    if (block == nullptr) return;
    for (const auto* path :
         {"models", "variants", "baseline", "threads", "focus", "exclude", "judge", "broker", "topic_config", "path"}) {
      const Json* value = look_up(root_, path);
      const auto& usual = find_field(path)->default_text;
      if (value == nullptr || value->empty() || (!usual.empty() && *value == Json::parse(usual))) continue;
      complain_(error, path, fmt::format("{} is about servers of ours, and \"target\" starts none", path),
                fmt::format("leave \"{}\" or \"target\" out", path));
    }
    if (std::ranges::any_of(values_of("workload.cold_readers"), [](const Json& value) { return value != 0; })) {
      complain_(error, place_of("workload.cold_readers"),
                "workload.cold_readers: what is in the memory of a \"target\" is not ours to drop", "leave it out");
    }
    const Json* matrix = look_up(root_, "matrix");
    if (matrix == nullptr || !matrix->is_object()) return;
    for (const auto& [path, values] : matrix->items()) {
      if (!path.starts_with("broker.") && !path.starts_with("topic_config.")) continue;
      complain_(error, "matrix/" + path, fmt::format("matrix: {} cannot vary: \"target\" has its own", path),
                "leave it out");
    }
  }

  void models() const {
    const Json* chosen = look_up(root_, "models");
    if (chosen == nullptr || !chosen->is_array()) return;
    if (look_up(root_, "target") != nullptr) return;
    if (chosen->empty()) {
      return complain_(error, "models", "models: needs a list of at least one model",
                       "leave the key out for all of them");
    }
    const auto is_among = [&](const Json& model) { return std::ranges::find(*chosen, model) != chosen->end(); };
    const Json baseline = value_or_default("baseline");
    if (baseline.is_string() && !is_among(baseline)) {
      const bool probes = look_up(root_, "probe") != nullptr;
      complain_(warning, look_up(root_, "baseline") != nullptr ? "baseline" : "models",
                fmt::format("baseline: {} is not among the models: {}", baseline.dump(),
                            probes ? "there will be no ratios, and no floor" : "it is run beside them, twice"),
                probes ? "add it to them, or take another baseline"
                       : "ratios are formed to it, and to itself; another one: \"baseline\" or --baseline");
    }
  }

  // An interval of the median from all n values covers 1 - 2/2^n (statistics.h).
  void enough_trials() const {
    const Json confidence = value_or_default("judge.confidence");
    if (!confidence.is_number() || confidence.get<double>() <= 0 || confidence.get<double>() >= 1) return;
    const auto needed = static_cast<int>(std::ceil(1 - std::log2(1 - confidence.get<double>()) - 1e-9));
    const auto duets = integer("judge.duets");
    const Json metric = value_or_default("judge.metric");
    const bool by_duets = duets.value_or(0) > 0 && metric.is_string() && duets_measure(metric.get<std::string>());
    const auto* path = by_duets ? "judge.duets" : "timing.repeat";
    const auto count = by_duets ? duets : integer(path);
    if (!count || *count < 1 || *count >= needed) return;
    complain_(warning, path,
              fmt::format("{} cannot give a verdict",
                          counted(static_cast<std::uint64_t>(*count), by_duets ? "duet" : "trial")),
              fmt::format("needs {}", needed));
  }

  void slice() const {
    const Json* slice = look_up(root_, "judge.slice");
    const auto length = slice != nullptr && slice->is_string() ? parse_duration(slice->get<std::string>())
                                                               : std::unexpected(std::string());
    using namespace std::chrono_literals;
    if (!length || (*length >= 5ms && *length <= 20ms)) return;
    complain_(warning, "judge.slice", fmt::format("judge.slice: {} is outside of 5 to 20 ms", slice->dump()),
              "how well duets agree has been measured only there");
  }

 private:
  Json value_or_default(std::string_view path) const {
    if (const Json* value = look_up(root_, path)) return *value;
    const auto text = find_field(path)->default_text;
    return text.empty() ? Json() : Json::parse(text);
  }

  std::optional<int> integer(std::string_view path) const {
    const Json value = value_or_default(path);
    return value.is_number_integer() ? std::optional(value.get<int>()) : std::nullopt;
  }

  const Json* axis(const std::string& path) const {
    const Json* matrix = look_up(root_, "matrix");
    if (matrix == nullptr || !matrix->is_object()) return nullptr;
    const auto found = matrix->find(path);
    return found == matrix->end() ? nullptr : &*found;
  }

  std::string place_of(const std::string& path) const { return axis(path) != nullptr ? "matrix/" + path : path; }

  // Every value that a key takes in this run.
  std::vector<Json> values_of(const std::string& path) const {
    if (const Json* values = axis(path)) return {values->begin(), values->end()};
    const Json* value = look_up(root_, path);
    if (value != nullptr) return {*value};
    const Field* field = find_field(path);
    return field == nullptr || field->default_text.empty() ? std::vector<Json>{}
                                                           : std::vector<Json>{Json::parse(field->default_text)};
  }

  // Not named, or named with its default, as in a spec that was written out.
  bool is_usual(const std::string& path) const {
    const Json* value = look_up(root_, path);
    return axis(path) == nullptr && (value == nullptr || *value == Json::parse(find_field(path)->default_text));
  }

  bool may_be(const std::string& path, std::string_view word) const {
    return std::ranges::any_of(values_of(path), [&](const Json& value) { return value == word; });
  }

  const Json& root_;
  const Occasion& occasion_;
  const Complain& complain_;
};

// The rules of a judgement, against the work that it judges.
class JudgeRules {
 public:
  JudgeRules(const Spec& spec, const Occasion& occasion, const Complain& complain)
      : spec_(spec), judge_(*spec.judge), occasion_(occasion), complain_(complain) {}

  void level() const {
    if (judge_.at.empty() || std::ranges::count(spec_.levels, judge_.at, &Level::id) > 0) return;
    std::vector<std::string> ids;
    for (const auto& level : spec_.levels) ids.push_back(level.id);
    complain_(occasion_.as_written ? error : warning, "judge.at",
              fmt::format("judge.at: this run has no level \"{}\"", judge_.at),
              occasion_.as_written ? nearest_or_all(judge_.at, ids)
                                   : fmt::format("the last is judged: {}", spec_.levels.back().id));
  }

  // The level that is judged is the last at which they all run: there is none if one of them is not in the run.
  void focus() const {
    if (!judge_.at.empty() || spec_.models.empty()) return;
    for (const auto& model : spec_.focus) {
      const bool runs = std::ranges::find(spec_.models, model) != spec_.models.end() ||
                        std::ranges::find(spec_.variants, model, &Variant::id) != spec_.variants.end();
      if (runs) continue;
      complain_(occasion_.as_written ? error : warning, "focus",
                fmt::format("focus: \"{}\" is not among the models: nothing can be judged", model),
                "add it to them, or write judge.at");
    }
  }

  // Of a broker that is not ours only that can be judged which its clients see.
  void running_brokers() const {
    const bool any = std::ranges::any_of(spec_.variants, [](const Variant& one) { return one.target.has_value(); });
    if (!any) return;
    if (!told_by_load(judge_.metric)) {
      complain_(error, "judge.metric",
                fmt::format("judge.metric: {} of a broker that runs already is not ours to measure", judge_.metric),
                "judge \"requests_per_s\", or leave its \"bootstrap_servers\" out");
    }
  }

  void metric() const {
    const bool cold = std::ranges::any_of(spec_.levels, [](const Level& one) { return one.workload.cold_readers > 0; });
    if (judges_by_duets(judge_) && cold) {
      complain_(error, "judge.duets", "judge.duets: slices hold no cold reader", "judge by trials: write \"duets\": 0");
    }
    if (judge_.duets > 0 && !duets_measure(judge_.metric)) {
      complain_(warning, "judge.duets", fmt::format("judge.duets: slices do not show {}", judge_.metric),
                "it is judged by the trials");
    }
    const auto better = better_when(judge_.metric);
    const std::string_view meant = better == Better::higher ? "higher" : "lower";
    if (!better || judge_.better == meant) return;
    complain_(warning, "judge.metric", fmt::format("judge: {} is called better where it is worse", judge_.metric),
              fmt::format("write \"better\": \"{}\"", meant));
  }

  // A slice without requests gives no ratio.
  void slices() const {
    constexpr double kFewest = 2;  // clients/duet.cpp refuses fewer
    const auto found = std::ranges::find(spec_.levels, judge_.at, &Level::id);
    const Level& judged = found == spec_.levels.end() ? spec_.levels.back() : *found;
    const auto rate = judged.workload.rate_per_s;
    if (!judges_by_duets(judge_) || !rate) return;
    if (*rate * std::chrono::duration<double>(judge_.slice).count() >= kFewest) return;
    const auto enough = std::chrono::milliseconds(std::llround(std::ceil(kFewest * 1000 / *rate)));
    complain_(occasion_.known_models == 0 ? warning : error, "judge.slice",
              fmt::format("judge.slice: at {}/s a slice of {} holds fewer than {} requests", with_thousands(*rate),
                          duration_text(judge_.slice), kFewest),
              fmt::format("write \"slice\": \"{}\", or judge another level (judge.at)", duration_text(enough)));
  }

  // Holm asks the smallest p, that of all signs alike, to be below what is left of 1 - confidence.
  void comparisons() const {
    const bool by_duets = judges_by_duets(judge_);
    const int ratios = by_duets ? judge_.duets : spec_.timing.repeat;
    const auto models = spec_.models.empty() ? occasion_.known_models : spec_.models.size();
    const auto comparisons = models + spec_.variants.size();
    if (comparisons < 2) return;
    const auto others = static_cast<double>(comparisons - 1);
    const auto needed = static_cast<int>(std::ceil(1 + std::log2(others / (1 - judge_.confidence)) - 1e-9));
    if (ratios >= needed) return;
    complain_(warning, by_duets ? "judge.duets" : "timing.repeat",
              fmt::format("{} of each of {} cannot make any difference clear",
                          counted(static_cast<std::uint64_t>(ratios), by_duets ? "duet" : "trial"),
                          counted(static_cast<std::uint64_t>(comparisons - 1), "comparison")),
              fmt::format("needs {}", needed));
  }

 private:
  const Spec& spec_;
  const Judge& judge_;
  const Occasion& occasion_;
  const Complain& complain_;
};

std::optional<std::uint64_t> number_of(const Properties& properties, std::string_view name) {
  const auto found = std::ranges::find(properties, name, &Properties::value_type::first);
  if (found == properties.end()) return std::nullopt;
  return std::strtoull(found->second.c_str(), nullptr, 10);
}

// A broker refuses a batch above its limit, and then no request of the level is ever answered with success. Compressed
// batches may be smaller than their records; they are let through.
void check_batch_sizes(const Spec& spec, const Complain& complain) {
  constexpr std::uint64_t kUsualLimit = 1'048'588;             // Kafka's default, and this broker's
  constexpr std::uint64_t kHead = 61, kLeast = 7, kMost = 20;  // bytes of a batch's head, and beside a record's value
  constexpr auto kProperty = "message.max.bytes";
  if (spec.target) return;
  for (const auto& level : spec.levels) {
    const auto codec = std::ranges::find(level.producer, "compression.type", &Properties::value_type::first);
    if (codec != level.producer.end() && codec->second != "none") continue;
    const auto records = static_cast<std::uint64_t>(level.workload.records_per_batch);
    auto limit = number_of(level.broker, kProperty).value_or(kUsualLimit);
    for (const auto& variant : spec.variants)
      limit = std::min(limit, number_of(variant.broker, kProperty).value_or(limit));
    if (kHead + records * (level.workload.record_bytes + kLeast) <= limit) continue;
    const bool varies = std::ranges::find(spec.axes, "workload.record_size", &Axis::path) != spec.axes.end();
    return complain(
        error, varies ? "matrix/workload.record_size" : "workload.record_size",
        fmt::format("workload: a batch of {} x {} is above the broker's {}={}: every request would be refused", records,
                    size_text(level.workload.record_bytes), kProperty, limit),
        fmt::format("write \"broker\": {{ \"{}\": {} }}, or send less at once", kProperty,
                    kHead + records * (level.workload.record_bytes + kMost)));
  }
}

}  // namespace

void check_conditions(const Json& root, const Occasion& occasion, const Complain& complain) {
  const Conditions conditions(root, occasion, complain);
  conditions.arrivals();
  conditions.prefill();
  conditions.size_of_matrix();
  conditions.acks();
  conditions.batching();
  conditions.whole_numbers();
  conditions.codec();
  conditions.target();
  conditions.models();
  if (!occasion.is_preview) conditions.enough_trials();
  conditions.slice();
}

void check_blocks(const Json& root, const Complain& complain) {
  const Json* judge = look_up(root, "judge");
  if (judge == nullptr || judge->contains("metric")) return;
  complain(error, "judge", "judge: key \"metric\" is missing", "it says what is compared");
}

void check_settled(const Spec& spec, const Occasion& occasion, const Complain& complain) {
  if (occasion.known_models > 0) check_batch_sizes(spec, complain);
  if (!spec.judge) return;
  const JudgeRules rules(spec, occasion, complain);
  rules.level();
  rules.focus();
  rules.running_brokers();
  rules.metric();
  rules.slices();
  if (!occasion.is_preview) rules.comparisons();
}

}  // namespace iolab::lab
