#include "experiments/run/load_json.h"

#include <fmt/format.h>

#include <chrono>
#include <concepts>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

namespace iolab::lab {
namespace {

using clients::Arrivals;
using clients::Histogram;
using clients::LoadError;
using clients::LoadKind;
using clients::LoadResult;
using clients::LoadSpec;

// Each field once, for both directions; a visitor gets (key, member).
template <class Spec>
void visit_spec(Spec& spec, auto&& visit) {
  visit("host", spec.target.host);
  visit("port", spec.target.port);
  visit("kind", spec.kind);
  visit("connections", spec.connections);
  visit("idle_connections", spec.idle_connections);
  visit("stalled_connections", spec.stalled_connections);
  visit("in_flight", spec.in_flight);
  visit("threads", spec.threads);
  visit("message_bytes", spec.message_bytes);
  visit("topic", spec.topic);
  visit("partitions", spec.partitions);
  visit("record_bytes", spec.record_bytes);
  visit("records_per_batch", spec.records_per_batch);
  visit("codec", spec.codec);
  visit("acks", spec.acks);
  visit("fetch_max_bytes", spec.fetch_max_bytes);
  visit("fetch_max_wait_ms", spec.fetch_max_wait_ms);
  visit("prefill_bytes", spec.prefill_bytes);
  visit("arrivals", spec.arrivals);
  visit("rate_per_s", spec.rate_per_s);
  visit("waited_for_more_us", spec.waited_for_more);
  visit("spin_before_due_us", spec.spin_before_due);
  visit("warmup_ms", spec.warmup);
  visit("measure_ms", spec.measure);
  visit("connect_deadline_ms", spec.connect_deadline);
  visit("connect_stall_ms", spec.connect_stall);
  visit("answer_deadline_ms", spec.answer_deadline);
  visit("verify", spec.verify);
  visit("seed", spec.seed);
}

template <class Result>
void visit_result(Result& result, auto&& visit) {
  visit("connections_served", result.connections_served);
  visit("idle_connections_served", result.idle_connections_served);
  visit("connect_ns", result.connect_ns);
  visit("duration_s", result.duration_s);
  visit("requests", result.requests);
  visit("records", result.records);
  visit("payload_bytes", result.payload_bytes);
  visit("requests_per_s", result.requests_per_s);
  visit("first_half_per_s", result.first_half_per_s);
  visit("second_half_per_s", result.second_half_per_s);
  visit("early", result.early);
  visit("late", result.late);
  visit("unsent", result.unsent);
  visit("held_back", result.held_back);
  visit("latency_ns", result.latency_ns);
  visit("send_delay_ns", result.send_delay_ns);
  visit("errors", result.errors);
  visit("note", result.note);
  visit("cpu_user_s", result.cpu_user_s);
  visit("cpu_system_s", result.cpu_system_s);
  visit("cpu_share", result.cpu_share);
  visit("client_kept_up", result.client_kept_up);
  visit("overloaded", result.overloaded);
  visit("acknowledged_records", result.acknowledged_records);
  visit("end_offsets_checked", result.end_offsets_checked);
}

using ErrorCounts = decltype(LoadResult::errors);

template <class T>
concept Named = std::same_as<T, LoadKind> || std::same_as<T, Arrivals>;
template <class T>
concept Duration = std::same_as<T, std::chrono::milliseconds> || std::same_as<T, std::chrono::microseconds>;

template <class T>
nlohmann::json written(const T& value) {
  if constexpr (Named<T>)
    return std::string(clients::name(value));
  else if constexpr (Duration<T>)
    return value.count();
  else if constexpr (std::same_as<T, Histogram>)
    return value.serialise();
  else if constexpr (std::same_as<T, ErrorCounts>) {
    nlohmann::json counts = nlohmann::json::object();
    for (std::size_t i = 0; i < clients::kLoadErrors; ++i) counts[clients::name(static_cast<LoadError>(i))] = value[i];
    return counts;
  } else
    return value;
}

template <Named T>
std::optional<T> named(std::string_view text) {
  for (const int i : {0, 1, 2}) {
    if (clients::name(static_cast<T>(i)) == text) return static_cast<T>(i);
  }
  return std::nullopt;
}

// An empty text, or what is wrong with the value.
template <class T>
std::string read(const nlohmann::json& from, T& value) {
  if constexpr (Named<T>) {
    const auto known = from.is_string() ? named<T>(from.get_ref<const std::string&>()) : std::nullopt;
    if (!known) return "is not one of the names";
    value = *known;
  } else if constexpr (Duration<T>) {
    if (!from.is_number_integer()) return "is no whole number";
    value = T(from.get<std::int64_t>());
  } else if constexpr (std::same_as<T, Histogram>) {
    if (!from.is_string()) return "is no histogram";
    auto histogram = Histogram::parse(from.get_ref<const std::string&>());
    if (!histogram) return histogram.error();
    value = std::move(*histogram);
  } else if constexpr (std::same_as<T, ErrorCounts>) {
    for (std::size_t i = 0; i < clients::kLoadErrors; ++i) {
      const auto found = from.find(clients::name(static_cast<LoadError>(i)));
      if (found != from.end() && found->is_number_unsigned()) value[i] = found->template get<std::uint64_t>();
    }
  } else if constexpr (std::same_as<T, std::string>) {
    if (!from.is_string()) return "is no text";
    value = from.get<std::string>();
  } else if constexpr (std::same_as<T, bool>) {
    if (!from.is_boolean()) return "is neither true nor false";
    value = from.get<bool>();
  } else if constexpr (std::floating_point<T>) {
    if (!from.is_number()) return "is no number";
    value = from.get<T>();
  } else {
    if (!from.is_number_integer()) return "is no whole number";
    if (std::unsigned_integral<T> && !from.is_number_unsigned()) return "is out of range";
    value = from.get<T>();
    if (nlohmann::json(value) != from) return "is out of range";
  }
  return {};
}

// Reads every key that `visit` knows; one that it does not know is an error.
std::string read_all(std::string_view text, std::string_view what, auto&& visit, const std::set<std::string>& derived) {
  const nlohmann::json root = nlohmann::json::parse(text, nullptr, false, true);
  if (!root.is_object()) return fmt::format("this is no JSON object with a load's {}", what);
  std::set<std::string> known = derived;
  std::string problem;
  visit([&](const char* key, auto& value) {
    known.insert(key);
    const auto found = root.find(key);
    if (found == root.end() || !problem.empty()) return;
    if (const auto wrong = read(*found, value); !wrong.empty()) problem = fmt::format("'{}' {}", key, wrong);
  });
  for (const auto& [key, value] : root.items()) {
    if (problem.empty() && !known.contains(key)) problem = fmt::format("a load's {} has no '{}'", what, key);
  }
  return problem;
}

}  // namespace

nlohmann::json to_json(const LoadSpec& spec) {
  nlohmann::json root = nlohmann::json::object();
  visit_spec(spec, [&](const char* key, const auto& value) { root[key] = written(value); });
  return root;
}

std::expected<LoadSpec, std::string> load_spec_from_json(std::string_view text) {
  LoadSpec spec;
  auto problem = read_all(text, "spec", [&](auto&& visit) { visit_spec(spec, visit); }, {});
  if (!problem.empty()) return std::unexpected(problem);
  return spec;
}

nlohmann::json to_json(const LoadResult& result) {
  nlohmann::json root = nlohmann::json::object();
  visit_result(result, [&](const char* key, const auto& value) { root[key] = written(value); });
  const auto us = [&](double fraction) { return static_cast<double>(result.latency_ns.percentile(fraction)) / 1000; };
  root["latency_us"] = {{"p50", us(0.5)},     {"p90", us(0.9)}, {"p99", us(0.99)},
                        {"p99.9", us(0.999)}, {"max", us(1)},   {"mean", result.latency_ns.mean() / 1000}};
  return root;
}

std::expected<LoadResult, std::string> load_result_from_json(std::string_view text) {
  LoadResult result;
  auto problem = read_all(text, "result", [&](auto&& visit) { visit_result(result, visit); }, {"latency_us"});
  if (!problem.empty()) return std::unexpected(problem);
  return result;
}

}  // namespace iolab::lab
