#include "experiments/observer.h"

#include <fmt/format.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "experiments/environment.h"

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
  constexpr int kFieldsBeforeUserTime = 11;
  for (int i = 0; i < kFieldsBeforeUserTime; ++i) fields >> skipped;
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
