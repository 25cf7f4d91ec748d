#include "experiments/run/cold_client.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "experiments/run/cold_files.h"
#include "experiments/run/load_json.h"

namespace iolab::lab {
namespace {

using namespace std::chrono_literals;
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

}  // namespace

std::expected<ColdClient, std::string> ColdClient::start(const TrialSetup& setup, const io::Address& server,
                                                         const Timing& timing, int readers) {
  const std::string errors = setup.scratch + "/cold.stderr";
  auto load = ChildProcess::start({.binary = setup.binary,
                                   .arguments = {"iolab", "load", "--spec", "-"},
                                   .cpu = setup.cpus.load,
                                   .stderr_file = errors,
                                   .network_namespace = setup.load_namespace()});
  if (!load) return std::unexpected(load.error());
  load->write(to_json(load_of(server, timing, readers)).dump() + "\n");
  ColdClient client(std::move(*load), errors, timing.warmup + timing.measure);
  if (auto problem = client.expect("ready", kFillLimit); !problem.empty()) return std::unexpected(std::move(problem));
  const auto files = log_files(setup.scratch + "/data", kColdTopic);
  if (!files) return std::unexpected(files.error());
  for (const auto& file : *files) {
    if (auto problem = take_out_of_memory(file); !problem.empty()) return std::unexpected(std::move(problem));
  }
  return client;
}

void ColdClient::go() {
  load_.write("go\n");
}

std::expected<ColdReads, std::string> ColdClient::finish() {
  for (const auto* word : {"window-start", "window-end", "answered"}) {
    if (auto problem = expect(word, length_ + kAnswerLimit); !problem.empty()) return std::unexpected(problem);
  }
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
  const double p50_us = static_cast<double>(result->latency_ns.percentile(0.5)) / 1000;
  return ColdReads{.figures = {{"cold_reads_per_s", result->requests_per_s}, {"cold_read_p50_us", p50_us}},
                   .cpu_s = result->cpu_user_s + result->cpu_system_s};
}

std::string ColdClient::expect(std::string_view word, std::chrono::milliseconds limit) {
  const auto line = load_.read_line(Clock::now() + limit);
  if (line && line->starts_with(word)) return {};
  if (!line && line.error() == "interrupted") return line.error();
  return with_last_words(fmt::format("no \"{}\" from the cold reader", word), errors_);
}

}  // namespace iolab::lab
