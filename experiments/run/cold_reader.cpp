#include "experiments/run/cold_reader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "experiments/run/load_json.h"

namespace iolab::lab {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using Clock = ChildProcess::Clock;

const std::string kColdTopic = "cold";
constexpr std::size_t kFetchBytes = 256 * 1024;
constexpr double kFetchesPerS = 100;  // of each reader: 25 MiB/s, which a plain disk gives
constexpr auto kFillLimit = 60s;
constexpr auto kAnswerLimit = 15s;

// No record is read twice: the second time it would be in memory.
std::size_t bytes_to_read(const Timing& timing, int readers) {
  const double seconds = std::chrono::duration<double>(timing.warmup + timing.measure).count() + 1;
  return static_cast<std::size_t>(std::ceil(seconds * kFetchesPerS)) * kFetchBytes * static_cast<std::size_t>(readers);
}

clients::LoadSpec load_of(const io::Address& server, const Timing& timing, int readers) {
  clients::LoadSpec spec;
  spec.target = server;
  spec.kind = clients::LoadKind::fetch;
  spec.topic = kColdTopic;
  spec.connections = readers;
  spec.partitions = readers;
  spec.record_bytes = 16'000;
  spec.records_per_batch = 4;
  spec.fetch_max_bytes = kFetchBytes;
  spec.prefill_bytes = bytes_to_read(timing, 1);
  spec.arrivals = clients::Arrivals::open;
  spec.rate_per_s = kFetchesPerS * readers;
  spec.warmup = timing.warmup;
  spec.measure = timing.measure;
  spec.verify = false;  // its CPU is that of the load, which must not suffer
  return spec;
}

// Empty, or why a file's pages are still in memory.
std::string forget(const fs::path& file, bool sync) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return fmt::format("cannot open {}: {}", file.string(), std::strerror(errno));
  int error = !sync || ::fdatasync(descriptor) == 0 ? 0 : errno;  // what is not on the disk cannot be dropped
  if (error == 0) error = ::posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
  ::close(descriptor);
  return error == 0 ? "" : fmt::format("cannot drop {} from memory: {}", file.string(), std::strerror(error));
}

std::expected<std::vector<std::string>, std::string> cold_files(const std::string& data) {
  constexpr long kTmpfs = 0x01021994;
  struct statfs where{};
  if (::statfs(data.c_str(), &where) == 0 && where.f_type == kTmpfs) {
    return std::unexpected(
        "the directory of the run lies in memory (tmpfs): there is nothing cold; name another with --out");
  }
  std::vector<std::string> files;
  std::error_code failed;
  for (const auto& partition : fs::directory_iterator(data, failed)) {
    if (!partition.path().filename().string().starts_with(kColdTopic + "-")) continue;
    for (const auto& file : fs::directory_iterator(partition.path(), failed)) {
      if (file.path().extension() == ".log") files.push_back(file.path());
    }
  }
  if (failed) return std::unexpected(fmt::format("cannot read {}: {}", data, failed.message()));
  return files;
}

// The kernel reads ahead, megabytes for a reader that goes on in sequence, and one fetch in thirty would wait for all.
// What it read and nobody has asked for yet is dropped again.
std::jthread forgetting(std::vector<std::string> files, int cpu) {
  return std::jthread([files = std::move(files), cpu](const std::stop_token& end) {
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(static_cast<unsigned>(cpu), &only);
    ::sched_setaffinity(0, sizeof only, &only);
    constexpr timespec kPause{0, 5'000'000};  // half of that between two fetches
    while (!end.stop_requested()) {
      for (const auto& file : files) (void)forget(file, false);
      ::clock_nanosleep(CLOCK_MONOTONIC, 0, &kPause, nullptr);
    }
  });
}

}  // namespace

std::expected<ColdReader, std::string> ColdReader::start(const TrialSetup& setup, const io::Address& server,
                                                         const Timing& timing, int readers) {
  const std::string errors = setup.scratch + "/cold.stderr";
  auto load = ChildProcess::start({.binary = setup.binary,
                                   .arguments = {"iolab", "load", "--spec", "-"},
                                   .cpu = setup.cpus.load,
                                   .stderr_file = errors,
                                   .network_namespace = setup.load_namespace()});
  if (!load) return std::unexpected(load.error());
  load->write(to_json(load_of(server, timing, readers)).dump() + "\n");
  ColdReader reader(std::move(*load), errors, timing.warmup + timing.measure);
  if (auto problem = reader.expect("ready", kFillLimit); !problem.empty()) return std::unexpected(std::move(problem));
  auto files = cold_files(setup.scratch + "/data");
  if (!files) return std::unexpected(files.error());
  for (const auto& file : *files) {
    if (auto problem = forget(file, true); !problem.empty()) return std::unexpected(std::move(problem));
  }
  reader.forgetting_ = forgetting(std::move(*files), setup.cpus.load);
  return reader;
}

void ColdReader::go() {
  load_.write("go\n");
}

std::expected<std::map<std::string, double>, std::string> ColdReader::finish() {
  for (const auto* word : {"window-start", "window-end", "answered"}) {
    if (auto problem = expect(word, length_ + kAnswerLimit); !problem.empty()) return std::unexpected(problem);
  }
  forgetting_ = {};
  load_.write("close\n");
  constexpr std::string_view kWord = "result ";
  const auto line = load_.read_line(Clock::now() + kAnswerLimit);
  if (!line || !line->starts_with(kWord)) {
    return std::unexpected(with_last_words("no result from the cold reader", errors_));
  }
  const auto result = load_result_from_json(std::string_view(*line).substr(kWord.size()));
  if (!result) return std::unexpected(result.error());
  if (result->requests == 0 || result->errors_total() > 0) {
    return std::unexpected(fmt::format("the cold reader had {} answers and {} errors {}", result->requests,
                                       result->errors_total(), result->note));
  }
  return std::map<std::string, double>{
      {"cold_reads_per_s", result->requests_per_s},
      {"cold_read_p50_us", static_cast<double>(result->latency_ns.percentile(0.5)) / 1000}};
}

std::string ColdReader::expect(std::string_view word, std::chrono::milliseconds limit) {
  const auto line = load_.read_line(Clock::now() + limit);
  if (line && line->starts_with(word)) return {};
  if (!line && line.error() == "interrupted") return line.error();
  return with_last_words(fmt::format("no \"{}\" from the cold reader", word), errors_);
}

}  // namespace iolab::lab
