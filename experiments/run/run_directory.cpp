#include "experiments/run/run_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "experiments/spec/json_document.h"
#include "experiments/words/nearest_word.h"

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

// A new name in a directory is safe only when the directory is.
void sync_directory(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);  // some file systems cannot; the file itself is synced in any case
  ::close(descriptor);
}

bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

// Every record of a folder, by index. Throws where the folder is there and cannot be read: its records are not missing.
template <class Record, class FromJson>
std::vector<Record> read_records(const std::string& folder, FromJson&& from_json,
                                 std::vector<std::string>& unreadable) {
  std::vector<Record> records;
  if (!fs::exists(folder)) return records;
  for (const auto& entry : fs::directory_iterator(folder)) {
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
  for (const auto* folder : {"trials", "duets"}) {
    fs::create_directories(fs::path(wanted) / folder, error);
    if (!error) continue;
    return std::unexpected(fmt::format("cannot create {}: {}; name another place with --out", wanted, error.message()));
  }
  sync_directory(wanted);
  sync_directory(fs::absolute(wanted, error).parent_path());
  return RunDirectory(wanted);
}

std::vector<RunDirectory> RunDirectory::all() {
  std::vector<std::pair<fs::file_time_type, std::string>> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(kRoot, error)) {
    if (!is_run(entry.path())) continue;
    found.emplace_back(fs::last_write_time(entry.path() / "plan.json", error), entry.path().string());
  }
  std::ranges::sort(found, std::greater{});
  std::vector<RunDirectory> runs;
  for (auto& [time, path] : found) runs.push_back(RunDirectory(std::move(path)));
  return runs;
}

std::expected<RunDirectory, std::string> RunDirectory::find(const std::string& name_or_path) {
  if (name_or_path.empty()) {
    auto runs = all();
    if (runs.empty()) return std::unexpected("there is no run in ./results yet: iolab run few-busy --profile quick");
    return std::move(runs.front());
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
  if (!write_all(descriptor, text) || ::fsync(descriptor) != 0) {
    const auto problem = fail("write");
    ::close(descriptor);
    return problem;
  }
  ::close(descriptor);
  if (::rename(beside.c_str(), final_path.c_str()) != 0) return fail("rename into place");
  sync_directory(fs::path(final_path).parent_path());
  return {};
}

void RunDirectory::remove_leftovers() const {
  std::error_code error;
  std::vector<fs::path> leftovers;
  for (const auto* folder : {"", "trials", "duets", "counts", "traces"}) {
    for (const auto& entry : fs::directory_iterator(file(folder), error)) {
      const auto name = entry.path().filename().string();
      if (name.ends_with(".new") || (entry.is_directory() && name.starts_with(kScratchPrefix))) {
        leftovers.push_back(entry.path());
      }
    }
  }
  for (const auto& path : leftovers) fs::remove_all(path, error);
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
  return write(fmt::format("duets/{:04}.json", record.index), to_json(record).dump(1) + "\n");
}

std::vector<TrialRecord> RunDirectory::read_trials(std::vector<std::string>& unreadable) const {
  return read_records<TrialRecord>(file("trials"), trial_from_json, unreadable);
}

std::vector<DuetRecord> RunDirectory::read_duets(std::vector<std::string>& unreadable) const {
  return read_records<DuetRecord>(file("duets"), duet_from_json, unreadable);
}

// A variant's id is its own: "nonblocking:idle=yield" is a file name, a slash in one is not.
std::expected<void, std::string> RunDirectory::write_count(const CallCount& count) const {
  std::string name = count.series;
  std::ranges::replace(name, '/', '_');
  return write_below("counts", name + ".json", to_json(count).dump(1) + "\n");
}

std::vector<CallCount> RunDirectory::read_counts(std::vector<std::string>& unreadable) const {
  return read_records<CallCount>(file("counts"), call_count_from_json, unreadable);
}

}  // namespace iolab::lab
