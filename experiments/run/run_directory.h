// The directory of one run (see RESULTS.md): every file is written beside its place, synced, and renamed into it, and
// then the directory is synced. So whatever stops a run, a crash of the machine included, leaves either the whole file
// or none, and a file that is there stays there.
#pragma once

#include <expected>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/run/call_count.h"
#include "experiments/run/duet_trial.h"
#include "experiments/run/trial.h"

namespace iolab::lab {

constexpr std::string_view kScratchPrefix = "data-";  // of directories in a run that hold the data of its servers

class RunDirectory {
 public:
  // A directory is a run as soon as it holds a plan.json, which is therefore the last file to be written at a start.
  // Makes results/NAME-DATE-TIME, or `path` if one is given, which must not hold a run already.
  static std::expected<RunDirectory, std::string> create(const std::string& path, const std::string& name);
  // An existing one: a path, or the name of a run below results/; empty: the latest. The error names the nearest.
  static std::expected<RunDirectory, std::string> find(const std::string& name_or_path);

  // Those below results/, the latest first.
  static std::vector<RunDirectory> all();

  // What a run that was killed left behind: half-written files, and the data of its servers. Only for whoever holds the
  // lock of the run.
  void remove_leftovers() const;

  const std::string& path() const { return path_; }
  std::string id() const;
  std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }

  // The error is a sentence with path and cause.
  std::expected<void, std::string> write(std::string_view name, std::string_view text) const;
  std::expected<void, std::string> write_below(std::string_view folder, std::string_view name,
                                               std::string_view text) const;
  std::expected<void, std::string> write_trial(const TrialRecord& record) const;
  // In order of their index; a file that cannot be read is named in `unreadable`, never skipped in silence.
  std::vector<TrialRecord> read_trials(std::vector<std::string>& unreadable) const;
  std::expected<void, std::string> write_duet(const DuetRecord& record) const;
  std::vector<DuetRecord> read_duets(std::vector<std::string>& unreadable) const;
  std::expected<void, std::string> write_count(const CallCount& count) const;
  std::vector<CallCount> read_counts(std::vector<std::string>& unreadable) const;

 private:
  explicit RunDirectory(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace iolab::lab
