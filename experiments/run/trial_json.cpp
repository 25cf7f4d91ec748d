// A trial's record as a file: trials/NNNN.json, as RESULTS.md describes it.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "experiments/run/load_json.h"
#include "experiments/run/trial.h"

namespace iolab::lab {
namespace {

using Json = nlohmann::ordered_json;

template <class Value>
Json written(const std::map<std::string, Value>& values) {
  Json object = Json::object();
  for (const auto& [key, value] : values) object[key] = value;
  return object;
}

template <class Value>
std::map<std::string, Value> read(const Json& object) {
  std::map<std::string, Value> values;
  for (const auto& [key, value] : object.items()) values[key] = value.template get<Value>();
  return values;
}

Json to_json(const ServerReading& server) {
  return {{"cpu_s", server.cpu_s},
          {"user_s", server.user_s},
          {"system_s", server.system_s},
          {"calls", written(server.calls)},
          {"counts", written(server.counts)},
          {"voluntary_switches", server.voluntary_switches},
          {"involuntary_switches", server.involuntary_switches},
          {"switches_requests", server.switches_requests},
          {"threads", server.threads},
          {"rss_bytes", server.rss_bytes},
          {"pss_bytes", server.pss_bytes},
          {"threads_cpu", written(server.cpu_by_thread_name)},
          {"listen_ms", server.listen_ms}};
}

ServerReading server_from(const Json& json) {
  ServerReading server;
  json.at("cpu_s").get_to(server.cpu_s);
  json.at("user_s").get_to(server.user_s);
  json.at("system_s").get_to(server.system_s);
  server.calls = read<std::uint64_t>(json.at("calls"));
  server.counts = read<std::uint64_t>(json.at("counts"));
  json.at("voluntary_switches").get_to(server.voluntary_switches);
  json.at("involuntary_switches").get_to(server.involuntary_switches);
  json.at("switches_requests").get_to(server.switches_requests);
  json.at("threads").get_to(server.threads);
  json.at("rss_bytes").get_to(server.rss_bytes);
  json.at("pss_bytes").get_to(server.pss_bytes);
  server.cpu_by_thread_name = read<double>(json.at("threads_cpu"));
  json.at("listen_ms").get_to(server.listen_ms);
  return server;
}

}  // namespace

nlohmann::ordered_json to_json(const TrialRecord& record) {
  Json json{{"schema", "iolab-trial-1"},
            {"index", record.index},
            {"block", record.block},
            {"session", record.session},
            {"cell", record.cell},
            {"series", record.series},
            {"model", record.model},
            {"level", record.level},
            {"status", record.ok ? "ok" : "failed"},
            {"reason", record.reason},
            {"started", record.started},
            {"window_s", record.load.duration_s},
            {"load", to_json(record.load)},
            {"server", to_json(record.server)},
            {"machine", to_json(record.machine)}};
  if (!record.probe.empty()) json["probe"] = written(record.probe);
  return json;
}

std::expected<TrialRecord, std::string> trial_from_json(std::string_view text) {
  try {
    const auto json = Json::parse(text);
    if (json.value("schema", "") != "iolab-trial-1") return std::unexpected("not a trial of this version");
    TrialRecord record;
    json.at("index").get_to(record.index);
    json.at("block").get_to(record.block);
    record.session = json.value("session", 0);  // older runs had no second one
    json.at("cell").get_to(record.cell);
    json.at("series").get_to(record.series);
    json.at("model").get_to(record.model);
    json.at("level").get_to(record.level);
    record.ok = json.at("status") == "ok";
    json.at("reason").get_to(record.reason);
    json.at("started").get_to(record.started);
    auto load = load_result_from_json(json.at("load").dump());
    if (!load) return std::unexpected(load.error());
    record.load = std::move(*load);
    record.server = server_from(json.at("server"));
    record.machine = machine_reading_from_json(json.at("machine"));
    if (json.contains("probe")) record.probe = read<double>(json.at("probe"));
    return record;
  } catch (const nlohmann::json::exception& error) {
    return std::unexpected(fmt::format("not a trial: {}", error.what()));
  }
}

}  // namespace iolab::lab
