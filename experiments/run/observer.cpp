#include "experiments/run/observer.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "experiments/machine/environment.h"
#include "experiments/words/units.h"
#include "experiments/words/words.h"

namespace iolab::lab {
namespace {

namespace fs = std::filesystem;

void read_ticks(pid_t pid, Border& border) {
  // The second field is the name in brackets and may hold anything: count from the last bracket on.
  const std::string line = first_line(fmt::format("/proc/{}/stat", pid));
  const auto bracket = line.rfind(')');
  if (bracket == std::string::npos) return;
  std::istringstream fields(line.substr(bracket + 1));
  std::string skipped;
  constexpr int kFieldsBeforeFaults = 7;
  for (int i = 0; i < kFieldsBeforeFaults; ++i) fields >> skipped;
  fields >> border.minor_faults >> skipped >> border.major_faults >> skipped;
  fields >> border.user_ticks >> border.system_ticks;
}

void add_thread(const fs::path& directory, Rest& rest) {
  std::ifstream status(directory / "status");
  std::string name;
  for (std::string line; std::getline(status, line);) {
    const auto value = line.substr(std::min(line.find('\t'), line.size() - 1) + 1);
    if (line.starts_with("Name:")) name = value;
    if (line.starts_with("voluntary_ctxt_switches:"))
      rest.voluntary_switches += std::strtoull(value.c_str(), nullptr, 10);
    if (line.starts_with("nonvoluntary_ctxt_switches:")) {
      rest.involuntary_switches += std::strtoull(value.c_str(), nullptr, 10);
    }
  }
  if (name.empty()) return;  // it ended while we looked
  ++rest.threads;
  const double nanoseconds = std::strtod(first_line(directory / "schedstat").c_str(), nullptr);
  rest.cpu_by_thread_name[name] += nanoseconds / 1e9;
}

std::uint64_t kib_in(const std::string& path, std::string_view key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(key)) return std::strtoull(line.c_str() + key.size(), nullptr, 10) * 1024;
  }
  return 0;
}

}  // namespace

std::uint64_t own_memory_bytes(pid_t pid) {
  std::istringstream fields(first_line(fmt::format("/proc/{}/statm", pid)));
  std::uint64_t size_pages = 0;
  std::uint64_t resident_pages = 0;
  std::uint64_t file_pages = 0;
  if (!(fields >> size_pages >> resident_pages >> file_pages) || resident_pages < file_pages) return 0;
  return (resident_pages - file_pages) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::string over_memory(pid_t pid, std::uint64_t limit_bytes) {
  const auto bytes = own_memory_bytes(pid);
  if (bytes <= limit_bytes) return {};
  return recorded("reason.memory", {{"taken", size_text(bytes)}, {"allowed", size_text(limit_bytes)}});
}

std::expected<Observer, std::string> Observer::attach(pid_t pid, const std::string& counters_file) {
  clockid_t clock{};
  if (const int error = clock_getcpuclockid(pid, &clock); error != 0) {
    return std::unexpected(fmt::format("cannot read the CPU clock of process {}: {}", pid, std::strerror(error)));
  }
  auto page = io::CounterPageView::open(counters_file);
  if (!page) return std::unexpected(page.error());
  return Observer(pid, clock, std::move(*page));
}

Border Observer::look_at_border() const {
  Border border;
  timespec time{};
  clock_gettime(cpu_clock_, &time);
  border.cpu_s = static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
  border.counters = page_.totals();
  read_ticks(pid_, border);
  return border;
}

Rest Observer::look_at_rest() const {
  Rest rest;
  const fs::path process = fmt::format("/proc/{}", pid_);
  std::error_code error;
  for (const auto& task : fs::directory_iterator(process / "task", error)) add_thread(task.path(), rest);
  rest.rss_bytes = kib_in(process / "status", "VmRSS:");
  rest.pss_bytes = kib_in(process / "smaps_rollup", "Pss:");
  rest.counters = page_.totals();
  return rest;
}

}  // namespace iolab::lab
