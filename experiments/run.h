// Runs a plan: the ceilings, every trial in its order, the ceilings again; each trial is on disk before the next one
// starts. Stops in order when the user asks, when the time is over, or before the disk is 80 % full.
#pragma once

#include <expected>
#include <string>

#include "experiments/report.h"
#include "experiments/run_directory.h"

namespace iolab::lab {

struct RunRequest {
  Spec spec;
  std::uint64_t seed = 1;
  std::chrono::seconds longest{0};  // 0: what the spec says
  std::string command;              // that repeats it
};

// Facts, models and plan; nothing has run yet. The error is a sentence.
RunData prepare_run(const RunRequest& request, const OwnBinary& binary, std::vector<ModelInfo> models,
                    const std::string& id);

// A server is started once with each level's properties: a property that the broker refuses is an error before the
// first trial, not a failed cell. The error is the broker's sentence.
std::expected<void, std::string> check_broker_properties(const RunData& data, const OwnBinary& binary,
                                                         const std::string& scratch);

// Fills data.trials, ceilings, status. The error is a sentence: the directory cannot be written.
std::expected<void, std::string> run_plan(RunData& data, const RunDirectory& directory, const OwnBinary& binary,
                                          std::chrono::seconds longest);

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

// results.json, data.csv, figures and report.html; prints the summary. Returns the exit code.
int write_report(const RunData& data, const RunDirectory& directory, nlohmann::ordered_json extra_charts, bool draw);

}  // namespace iolab::lab
