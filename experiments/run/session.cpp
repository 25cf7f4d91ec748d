#include "experiments/run/session.h"

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>
#include <set>

#include "experiments/machine/ceilings_json.h"
#include "experiments/words/words.h"

namespace iolab::lab {
namespace {

using Json = nlohmann::ordered_json;

std::time_t seconds_of(const std::string& utc) {
  std::tm parts{};
  return strptime(utc.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts) == nullptr ? 0 : timegm(&parts);
}

std::string text_in(const Fingerprint& fingerprint, const std::string& label) {
  const auto found = fingerprint.find(label);
  return found == fingerprint.end() ? recorded("session.not_recorded") : found->second;
}

}  // namespace

Fingerprint fingerprint_of(const Machine& machine, CpuPair cpus, const std::string& binary_sha256) {
  return {{recorded("group.machine"), one_line(machine)},
          {recorded("fact.kernel"), machine.kernel},
          {recorded("session.boot"), first_line("/proc/sys/kernel/random/boot_id")},
          {recorded("session.cpus"), recorded("session.cpus_value", {{"server", cpus.server}, {"load", cpus.load}})},
          {recorded("fact.governor"), machine.governor.empty() ? recorded("fact.not_visible") : machine.governor},
          {recorded("fact.power"), recorded(machine.on_battery ? "fact.on_battery" : "fact.no_battery")},
          {kBinaryPrint, binary_sha256}};
}

std::vector<std::string> changes(const Fingerprint& before, const Fingerprint& now) {
  std::set<std::string> labels;
  for (const auto* fingerprint : {&before, &now}) {
    for (const auto& [label, text] : *fingerprint) labels.insert(label);
  }
  std::vector<std::string> list;
  for (const auto& label : labels) {
    const auto was = text_in(before, label);
    const auto is = text_in(now, label);
    if (was != is) list.push_back(recorded("session.change", {{"label", label}, {"before", was}, {"now", is}}));
  }
  return list;
}

Json to_json(const Session& session) {
  Json fingerprint = Json::object();
  for (const auto& [label, text] : session.fingerprint) fingerprint[label] = text;
  return {{"started", session.started},
          {"finished", session.finished},
          {"duration_s", session.duration_s},
          {"fingerprint", fingerprint},
          {"ceilings_before", ceilings_json(session.ceilings_before)},
          {"ceilings_between", ceilings_json(session.ceilings_between)},
          {"ceilings_after", ceilings_json(session.ceilings_after)}};
}

Session session_from(const Json& json) {
  Session session{.started = json.at("started").get<std::string>(),
                  .finished = json.at("finished").get<std::string>(),
                  .duration_s = json.at("duration_s").get<double>(),
                  .fingerprint = {},
                  .ceilings_before = ceilings_from(json.at("ceilings_before")),
                  .ceilings_between = ceilings_between_from(json.value("ceilings_between", Json::array())),
                  .ceilings_after = ceilings_from(json.at("ceilings_after"))};
  for (const auto& [label, text] : json.at("fingerprint").items()) {
    session.fingerprint[label] = text.get<std::string>();
  }
  return session;
}

void close_killed(Session& session, const std::string& last_record) {
  if (!session.finished.empty() || last_record.empty()) return;
  const auto seconds = seconds_of(last_record) - seconds_of(session.started);
  session.duration_s = static_cast<double>(std::max<std::time_t>(seconds, 0));
}

}  // namespace iolab::lab
