#include "experiments/run/run_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "experiments/machine/ceilings_json.h"
#include "experiments/spec/json_document.h"
#include "experiments/spec/sha256.h"

namespace iolab::lab {
namespace {

using Json = nlohmann::ordered_json;

std::size_t index_of(const auto& list, const std::string& id) {
  const auto found = std::ranges::find_if(list, [&](const auto& entry) { return entry.id == id; });
  if (found == list.end()) throw std::runtime_error("plan.json names \"" + id + "\", which it does not list");
  return static_cast<std::size_t>(found - list.begin());
}

Plan plan_from(const Json& json, const Spec& spec) {
  Plan plan;
  plan.seed = json.at("seed").get<std::uint64_t>();
  plan.filter = json.value("filter", "");
  for (const auto& entry : json.at("series")) {
    const auto role = entry.at("role").get<std::string>();
    plan.series.push_back({entry.at("id").get<std::string>(),
                           entry.at("model").get<std::string>(),
                           role == "again"     ? Role::again
                           : role == "ceiling" ? Role::ceiling
                           : role == "target"  ? Role::target
                                               : Role::model,
                           {}});
    const Json properties = entry.value("broker", Json::object());  // kept: items() only points to it
    for (const auto& [key, value] : properties.items()) {
      plan.series.back().broker.emplace_back(key, value.get<std::string>());
    }
    if (entry.contains("threads")) plan.series.back().threads = entry["threads"].get<int>();
    if (const auto target = entry.find("target"); target != entry.end()) {
      plan.series.back().target =
          Target{target->at("host").get<std::string>(), target->at("port").get<std::uint16_t>()};
    } else if (plan.series.back().role == Role::target) {
      plan.series.back().target = spec.target;  // runs from before it stood here
    }
  }
  for (const auto& entry : json.at("trials")) {
    plan.trials.push_back({entry.at("index").get<int>(), entry.at("block").get<int>(),
                           index_of(spec.levels, entry.at("level").get<std::string>()),
                           index_of(plan.series, entry.at("series").get<std::string>())});
  }
  for (const auto& entry : json.value("duets", Json::array())) {  // runs from before there were any
    plan.duets.push_back({entry.at("index").get<int>(), entry.at("round").get<int>(),
                          entry.value("group", entry.at("index").get<int>()),
                          index_of(spec.levels, entry.at("level").get<std::string>()),
                          index_of(plan.series, entry.at("series").get<std::string>())});
  }
  for (const auto& entry : json.at("not_run")) {
    plan.not_run.push_back({index_of(spec.levels, entry.at("level").get<std::string>()),
                            index_of(plan.series, entry.at("series").get<std::string>()),
                            entry.at("reason").get<std::string>()});
  }
  return plan;
}

void read_environment(const Json& json, RunData& data) {
  data.machine = json.value("machine", "");
  for (const auto& fact : json.at("facts")) {
    data.facts.push_back(
        {fact.at("group").get<std::string>(), fact.at("label").get<std::string>(), fact.at("text").get<std::string>()});
  }
  for (const auto& model : json.at("models")) {
    data.models.push_back({model.at("id").get<std::string>(), model.at("family").get<std::string>(),
                           model.at("summary").get<std::string>(), model.at("available").get<bool>(),
                           model.at("reason").get<std::string>(), model.at("features").get<std::vector<std::string>>(),
                           model.value("option_features", decltype(ModelInfo::option_features)())});
  }
  data.ceilings_before = ceilings_from(json.at("ceilings_before"));
  data.ceilings_after = ceilings_from(json.at("ceilings_after"));
  data.cpus = {json.at("cpus").at("server").get<int>(), json.at("cpus").at("load").get<int>()};
  data.commit = json.value("commit", "");
  data.dirty = json.value("dirty", false);
  data.binary_sha256 = json.value("binary_sha256", "");
  data.command = json.value("command", "");
  data.started = json.value("started", "");
  data.finished = json.value("finished", "");
  data.duration_s = json.value("duration_s", 0.0);
  data.reported = json.value("reported", data.finished);
  data.status = json.value("status", "interrupted");
  for (const auto& session : json.value("sessions", Json::array())) data.sessions.push_back(session_from(session));
  if (data.sessions.empty()) {  // runs from before there could be more than one
    data.sessions.push_back({.started = data.started,
                             .finished = data.finished,
                             .duration_s = data.duration_s,
                             .fingerprint = {{"machine", data.machine}, {kBinaryPrint, data.binary_sha256}},
                             .ceilings_before = data.ceilings_before,
                             .ceilings_after = data.ceilings_after});
  }
}

Json facts_json(const std::vector<Fact>& facts) {
  Json list = Json::array();
  for (const auto& fact : facts) list.push_back({{"group", fact.group}, {"label", fact.label}, {"text", fact.text}});
  return list;
}

}  // namespace

nlohmann::ordered_json environment_json(const RunData& data) {
  Json models = Json::array();
  for (const auto& model : data.models) {
    models.push_back({{"id", model.id},
                      {"family", model.family},
                      {"summary", model.summary},
                      {"available", model.available},
                      {"reason", model.reason},
                      {"features", model.features}});
    if (!model.option_features.empty()) models.back()["option_features"] = model.option_features;
  }
  Json sessions = Json::array();
  for (const auto& session : data.sessions) sessions.push_back(to_json(session));
  return {{"schema", "iolab-environment-1"},
          {"machine", data.machine},
          {"facts", facts_json(data.facts)},
          {"models", models},
          {"ceilings_before", ceilings_json(data.ceilings_before)},
          {"ceilings_after", ceilings_json(data.ceilings_after)},
          {"cpus", {{"server", data.cpus.server}, {"load", data.cpus.load}}},
          {"commit", data.commit},
          {"dirty", data.dirty},
          {"binary_sha256", data.binary_sha256},
          {"command", data.command},
          {"seed", data.plan.seed},
          {"started", data.started},
          {"finished", data.finished},
          {"duration_s", data.duration_s},
          {"reported", data.reported},
          {"status", data.status},
          {"sessions", sessions}};
}

std::expected<RunData, std::string> load_run(const RunDirectory& directory) {
  RunData data;
  data.id = directory.id();
  const auto spec_text = read_text_file(directory.file("spec.json"));
  const auto plan_text = read_text_file(directory.file("plan.json"));
  const auto environment_text = read_text_file(directory.file("environment.json"));
  if (!spec_text) return std::unexpected(spec_text.error());
  if (!plan_text) return std::unexpected(plan_text.error());
  if (!environment_text) return std::unexpected(environment_text.error());
  try {
    const auto plan = Json::parse(*plan_text);
    // The spec is written with its profile merged in: "standard" adds nothing to it.
    auto spec = parse_spec(*spec_text, directory.file("spec.json"), {});
    if (!spec) {
      return std::unexpected(to_text(*std::ranges::find(spec.error(), Severity::error, &Problem::severity)));
    }
    data.spec = std::move(*spec);
    // Keys that this version added have their defaults; what was fixed before the run is what the file says.
    data.spec.text = *spec_text;
    data.spec.sha256 = sha256_hex(*spec_text);
    data.spec.profile = plan.value("profile", "standard");
    if (const auto planned = plan.value("spec_sha256", data.spec.sha256); planned != data.spec.sha256) {
      return std::unexpected(fmt::format(
          "{} was changed after the run was planned (its sha256 is {}..., and was {}...): what is judged was "
          "fixed before. Put it back; another question is another run",
          directory.file("spec.json"), data.spec.sha256.substr(0, 12), planned.substr(0, 12)));
    }
    data.plan = plan_from(plan, data.spec);
    read_environment(Json::parse(*environment_text), data);
    data.trials = directory.read_trials(data.unreadable);
    data.duets = directory.read_duets(data.unreadable);
    data.counts = directory.read_counts(data.unreadable);
  } catch (const std::exception& error) {
    return std::unexpected(fmt::format("{} is not a run of this version: {}", directory.path(), error.what()));
  }
  return data;
}

}  // namespace iolab::lab
