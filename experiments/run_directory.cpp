#include "experiments/run_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "experiments/json_document.h"
#include "experiments/nearest_word.h"

namespace iolab::lab {
namespace {

namespace fs = std::filesystem;
constexpr const char* kRoot = "results";

std::string local_stamp() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  localtime_r(&now, &parts);
  return fmt::format("{:04}{:02}{:02}-{:02}{:02}{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                     parts.tm_hour, parts.tm_min, parts.tm_sec);
}

bool is_run(const fs::path& path) {
  std::error_code error;
  return fs::exists(path / "plan.json", error);
}

std::string latest_run() {
  std::string best;
  fs::file_time_type newest{};
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(kRoot, error)) {
    if (!is_run(entry.path())) continue;
    const auto time = fs::last_write_time(entry.path() / "plan.json", error);
    if (best.empty() || time > newest) {
      best = entry.path().string();
      newest = time;
    }
  }
  return best;
}

// Every record of a folder, by index.
template <class Record, class FromJson>
std::vector<Record> read_records(const std::string& folder, FromJson&& from_json,
                                 std::vector<std::string>& unreadable) {
  std::vector<Record> records;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() != ".json") continue;  // a .new of an interrupted write
    const auto text = read_text_file(entry.path());
    auto record = text ? from_json(*text) : std::unexpected(text.error());
    if (record) {
      records.push_back(std::move(*record));
    } else {
      unreadable.push_back(fmt::format("{}: {}", entry.path().string(), record.error()));
    }
  }
  std::ranges::sort(records, {}, &Record::index);
  std::ranges::sort(unreadable);
  return records;
}

}  // namespace

std::expected<RunDirectory, std::string> RunDirectory::create(const std::string& path, const std::string& name) {
  std::string wanted = path.empty() ? fmt::format("{}/{}-{}", kRoot, name, local_stamp()) : path;
  if (path.empty()) {
    const std::string first = wanted;
    for (int i = 2; fs::exists(wanted); ++i) wanted = fmt::format("{}-{}", first, i);
  } else if (is_run(wanted)) {
    return std::unexpected(fmt::format("{} holds a run already: name another directory", wanted));
  }
  std::error_code error;
  fs::create_directories(fs::path(wanted) / "trials", error);
  if (error) {
    return std::unexpected(fmt::format("cannot create {}: {}; name another place with --out", wanted, error.message()));
  }
  return RunDirectory(wanted);
}

std::expected<RunDirectory, std::string> RunDirectory::find(const std::string& name_or_path) {
  if (name_or_path.empty()) {
    auto latest = latest_run();
    if (latest.empty()) return std::unexpected("there is no run in ./results yet: iolab run few-busy --profile quick");
    return RunDirectory(std::move(latest));
  }
  std::vector<std::string> known;
  for (const std::string root : {"", "results/", "results/reference/"}) {
    if (is_run(root + name_or_path)) {
      auto path = root + name_or_path;
      while (path.size() > 1 && path.ends_with('/')) path.pop_back();
      return RunDirectory(path);
    }
    std::error_code error;
    if (root.empty()) continue;
    for (const auto& entry : fs::directory_iterator(root, error)) {
      if (is_run(entry.path())) known.push_back(entry.path().filename());
    }
  }
  const auto near = nearest_word(name_or_path, known);
  return std::unexpected(
      fmt::format("no run \"{}\" (a directory with a plan.json){}", name_or_path,
                  near.empty() ? ": iolab list shows what there is" : fmt::format(": did you mean \"{}\"?", near)));
}

std::string RunDirectory::id() const {
  return fs::path(path_).filename().string();
}

std::expected<void, std::string> RunDirectory::write(std::string_view name, std::string_view text) const {
  const std::string final_path = file(name);
  const std::string beside = final_path + ".new";
  const auto fail = [&](const char* what) {
    return std::unexpected(fmt::format("cannot {} {}: {}", what, final_path, std::strerror(errno)));
  };
  constexpr mode_t kMode = 0644;
  const int descriptor = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kMode);
  if (descriptor < 0) return fail("create");
  while (!text.empty()) {
    const auto written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const auto problem = fail("write");
      ::close(descriptor);
      return problem;
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  ::close(descriptor);
  if (::rename(beside.c_str(), final_path.c_str()) != 0) return fail("rename into place");
  return {};
}

std::expected<void, std::string> RunDirectory::write_below(std::string_view folder, std::string_view name,
                                                           std::string_view text) const {
  std::error_code error;
  fs::create_directories(file(folder), error);
  return write(fmt::format("{}/{}", folder, name), text);
}

std::expected<void, std::string> RunDirectory::write_trial(const TrialRecord& record) const {
  return write(fmt::format("trials/{:04}.json", record.index), to_json(record).dump(1) + "\n");
}

std::expected<void, std::string> RunDirectory::write_duet(const DuetRecord& record) const {
  return write_below("duets", fmt::format("{:04}.json", record.index), to_json(record).dump(1) + "\n");
}

std::vector<TrialRecord> RunDirectory::read_trials(std::vector<std::string>& unreadable) const {
  return read_records<TrialRecord>(file("trials"), trial_from_json, unreadable);
}

std::vector<DuetRecord> RunDirectory::read_duets(std::vector<std::string>& unreadable) const {
  return read_records<DuetRecord>(file("duets"), duet_from_json, unreadable);
}

}  // namespace iolab::lab
