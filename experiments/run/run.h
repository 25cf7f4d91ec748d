// Runs a plan, or what is left of it: the ceilings, every trial in its order, the ceilings again; each trial is on disk
// before the next one starts. Stops in order when the user asks, when the time is over, or before the disk is 80 %
// full; what is left then is the next session's.
#pragma once

#include <expected>
#include <optional>
#include <string>

#include "experiments/machine/process.h"
#include "experiments/run/progress.h"
#include "experiments/run/run_data.h"
#include "experiments/run/run_directory.h"

namespace iolab::lab {

struct RunRequest {
  Spec spec;
  std::uint64_t seed = 1;
  std::string command;  // that repeats it
  CellFilter filter = {};
  std::optional<CpuPair> cpus = {};  // nothing: the lab chooses
};

// Facts, models and plan; nothing has run yet. The error is a sentence.
RunData prepare_run(const RunRequest& request, const OwnBinary& binary, std::vector<ModelInfo> models,
                    const std::string& id);

// A server is started once with each level's properties: a property that the broker refuses is an error before the
// first trial, not a failed cell. The error is the broker's sentence.
std::expected<void, std::string> check_broker_properties(const RunData& data, const OwnBinary& binary,
                                                         const std::string& scratch);

// spec.json, environment.json and, last, plan.json: from then on there is a run, and it can be resumed. The error is a
// sentence: the directory cannot be written.
std::expected<void, std::string> write_plan(const RunData& data, const RunDirectory& directory);

// environment.json alone: what is known of the run so far.
std::expected<void, std::string> write_environment(const RunData& data, const RunDirectory& directory);

// The planned trials and duets that have no record.
Left what_is_left(const RunData& data);

// The end of a run as far as its records tell: how long its sessions took together, and how the machine was meanwhile.
void sum_up(RunData& data);

struct SessionOptions {
  std::chrono::seconds longest{0};  // of this session
  Talk talk = Talk::redraw;
  bool count_calls = true;  // a trial more of each model, for the kernel's own counts
};

// Does what is left, as one more session: fills data.sessions, trials, duets, ceilings and status, and writes
// environment.json when it starts and when it ends. Only for the holder of the run's lock. The error is a sentence: the
// directory cannot be written.
std::expected<void, std::string> run_session(RunData& data, const RunDirectory& directory, const OwnBinary& binary,
                                             const SessionOptions& options);

// An empty directory for one process's data beside the run, on the same disk; gone with the object.
class Scratch {
 public:
  static std::expected<Scratch, std::string> create(const std::string& beside);
  Scratch(Scratch&& other) noexcept : path_(std::move(other.path_)) { other.path_.clear(); }
  Scratch& operator=(Scratch&&) = delete;
  ~Scratch();
  const std::string& path() const { return path_; }

 private:
  explicit Scratch(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

// The models of a plan that cannot run on this machine at all, each with its reason.
std::vector<std::string> missing_models(const RunData& data);

}  // namespace iolab::lab
