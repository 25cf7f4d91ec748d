// One trial: a fresh server process on a fresh data directory, a load generator in another process on another CPU, one
// window of measuring, everything removed again. Nothing is computed here; what was read goes into the record.
//
// A trial counts only if it proves that the work was done: every connection was served, no answer was missing or wrong,
// and the log grew by what was acknowledged. Else it is a failed trial with the reason, and its times are not looked
// at.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "clients/load.h"
#include "experiments/machine/ceilings.h"
#include "experiments/machine/machine_watch.h"
#include "experiments/machine/network_path.h"
#include "experiments/machine/process.h"
#include "experiments/run/plan.h"
#include "experiments/spec/spec.h"

namespace iolab::lab {

struct ServerReading {
  double cpu_s = 0;  // inside the window, like all below it up to `counts`
  double user_s = 0;
  double system_s = 0;
  std::map<std::string, std::uint64_t> calls;   // system calls by kind, those that were made
  std::map<std::string, std::uint64_t> counts;  // would_block, wake_ups, requests, ...
  std::uint64_t voluntary_switches = 0;         // warm-up and window
  std::uint64_t involuntary_switches = 0;
  std::uint64_t switches_requests = 0;  // requests of that longer time
  int threads = 0;                      // at its end, with all connections open
  std::uint64_t rss_bytes = 0;
  std::uint64_t pss_bytes = 0;
  std::map<std::string, double> cpu_by_thread_name;  // warm-up and window
  double listen_ms = 0;                              // from the start of the process to its first line
};

struct TrialRecord {
  int index = 0;
  int block = 0;
  int session = 0;  // of the run, counted from 0
  std::string cell;
  std::string series;
  std::string model;  // empty: the ceiling
  std::string level;
  bool ok = false;
  std::string reason;  // why not; or a remark on a trial that is good
  std::string started;
  clients::LoadResult load;
  ServerReading server;
  std::map<std::string, double> probe;  // the figures of a probe, or of a cold reader, by the ids of metrics
  MachineReading machine;               // inside the window; the load average is that of the trial's start
};

nlohmann::ordered_json to_json(const TrialRecord& record);
std::expected<TrialRecord, std::string> trial_from_json(std::string_view text);

struct TrialSetup {
  const OwnBinary* binary = nullptr;
  CpuPair cpus;
  std::string scratch;  // an empty directory; left empty
  std::string trace_file = {};
  const NetworkPath* path = nullptr;  // null: loopback

  int server_namespace() const { return path == nullptr ? -1 : path->server_namespace(); }
  int load_namespace() const { return path == nullptr ? -1 : path->load_namespace(); }
};

// The error "interrupted" means that the user stopped it: no record. Any other failure is a record with a reason.
std::expected<TrialRecord, std::string> run_trial(const TrialSetup& setup, const Spec& spec, const Plan& plan,
                                                  const PlannedTrial& trial);

void empty_directory(const std::string& directory);

constexpr std::chrono::seconds kStopLimit{10};

// Of a broker that runs already, also after Ctrl-C, because nobody else would: this wait does not listen to it.
bool delete_topic(const TrialSetup& setup, const Target& target, const std::string& topic);

std::string utc_now();  // "2026-11-26T15:04:05Z"
// `what`, and the last line that a process wrote to its stderr: its own sentence about what went wrong.
std::string with_last_words(std::string what, const std::string& stderr_file);

// A started server, for trials and for the first look.
struct RunningServer {
  ChildProcess process;
  io::Address address;
  double listen_ms = 0;
};
// The error is the server's own sentence, if it said one.
std::expected<RunningServer, std::string> start_server(const TrialSetup& setup, const std::string& model, int threads,
                                                       const Properties& properties);

}  // namespace iolab::lab
