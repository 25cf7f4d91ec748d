// One stretch of a run, from its start or its resumption to its end, and the state of the machine in it. A run that was
// never interrupted has one.
//
// Between two sessions the machine may have been restarted, unplugged or rebuilt. So no ratio is formed between trials
// of different sessions (results.h), and a report says where the borders are and what had changed there.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "experiments/machine/ceilings.h"
#include "experiments/machine/environment.h"

namespace iolab::lab {

// What should be the same for two trials to be of one kind: label -> text.
using Fingerprint = std::map<std::string, std::string>;

constexpr const char* kBinaryPrint = "binary (SHA-256)";
Fingerprint fingerprint_of(const Machine& machine, CpuPair cpus, const std::string& binary_sha256);

// One entry for each difference: "power: no battery in use before, on battery now".
std::vector<std::string> changes(const Fingerprint& before, const Fingerprint& now);

struct Session {
  std::string started;   // ISO 8601, UTC
  std::string finished;  // empty while it runs, and for ever if it was killed
  double duration_s = 0;
  Fingerprint fingerprint;
  std::vector<Ceiling> ceilings_before;
  std::vector<CeilingsBetween> ceilings_between{};
  std::vector<Ceiling> ceilings_after;  // none: it ended before its plan did
};

nlohmann::ordered_json to_json(const Session& session);
// Throws nlohmann::json::exception.
Session session_from(const nlohmann::ordered_json& json);

// What a session that was killed can still be known to have lasted: until `last_record`, the moment (ISO 8601) at which
// it wrote its last record. Empty: it wrote none.
void close_killed(Session& session, const std::string& last_record);

}  // namespace iolab::lab
