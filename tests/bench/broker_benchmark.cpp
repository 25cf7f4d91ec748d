// What the broker costs without a network, in Google Benchmark: appending through the `null` model against a raw pwrite
// of the same bytes, and the steps on the way (decode, check, CRC) by themselves.
//
// One iteration appends 64 MiB in 16 KiB batches to a fresh log (in $TMPDIR or /tmp): small enough that the pages were
// touched before and the hypervisor is not what is measured. Rates are by CPU time: one thread does all the work, and
// what else runs on the machine is not the subject.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "broker/base/crc32c.h"
#include "broker/core/broker.h"
#include "broker/core/properties.h"
#include "broker/protocol/batch_builder.h"
#include "broker/protocol/frame.h"
#include "broker/protocol/messages/00_produce.h"
#include "broker/protocol/record_reader.h"
#include "broker/session/broker_host.h"
#include "io_models/null_frontend.h"

namespace {

using namespace iolab;

constexpr std::size_t kBatchBytes = 16 * 1024;
constexpr std::size_t kAppendBytes = 64 * 1024 * 1024;
constexpr std::size_t kBatches = kAppendBytes / kBatchBytes;

class Directory {
 public:
  Directory() {
    std::string name = (std::filesystem::temp_directory_path() / "iolab-bench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

std::vector<std::byte> one_batch() {
  protocol::BatchBuilder builder;
  const std::vector<std::byte> value(kBatchBytes - protocol::kBatchHeaderBytes - 16, std::byte{'v'});
  builder.add({.timestamp_ms = 1'700'000'000'000, .key = std::nullopt, .value = value, .headers = {}});
  return builder.finish();
}

std::vector<std::byte> one_request(const std::vector<std::byte>& batch) {
  protocol::ProduceRequest request{.transactional_id = std::nullopt, .acks = 1, .timeout_ms = 1000, .topic_data = {}};
  request.topic_data.push_back(
      {.name = "bench", .partition_data = {{.index = 0, .records = protocol::Records{batch}}}});
  base::GatherBuffer out;
  if (!protocol::write_request(out, 1, 7, "bench", request)) std::abort();
  return out.flat();
}

void append_through_null(benchmark::State& state) {
  const auto request = one_request(one_batch());
  for (auto _ : state) {
    state.PauseTiming();
    Directory directory;
    const std::string script = directory.path() / "script";
    std::ofstream(script, std::ios::binary)
        .write(reinterpret_cast<const char*>(request.data()), static_cast<std::streamsize>(request.size()));
    core::BrokerSettings settings = core::default_settings();
    if (!core::set_property(settings, "log.dirs", (directory.path() / "logs").string()) || !core::settle(settings)) {
      std::abort();
    }
    session::SystemClock clock;
    session::SystemRandom random;
    auto broker = core::Broker::open(settings, random, clock.now());
    if (!broker || !(*broker)->create_topic({.name = "bench", .partitions = 1, .overrides = {}}, false, clock.now())) {
      std::abort();
    }
    session::BrokerHost host(**broker, clock);
    auto frontend = io::NullFrontend::make({.scripts = {script}, .repeat = kBatches}, {});
    if (!frontend) std::abort();
    state.ResumeTiming();
    (*frontend)->serve({}, host, {});
    state.PauseTiming();
    std::error_code ignored;
    const auto log = directory.path() / "logs/bench-0/00000000000000000000.log";
    if (std::filesystem::file_size(log, ignored) < kAppendBytes * 9 / 10) {
      state.SkipWithError("the log is shorter than what was sent");
    }
    broker->reset();
    state.ResumeTiming();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * kAppendBytes));
}

void append_raw_pwrite(benchmark::State& state) {
  const auto batch = one_batch();
  for (auto _ : state) {
    state.PauseTiming();
    Directory directory;
    const int file = ::open((directory.path() / "raw").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    state.ResumeTiming();
    off_t position = 0;
    for (std::size_t i = 0; i < kBatches; ++i) {
      if (::pwrite(file, batch.data(), batch.size(), position) != static_cast<ssize_t>(batch.size())) std::abort();
      position += static_cast<off_t>(batch.size());
    }
    state.PauseTiming();
    ::close(file);
    state.ResumeTiming();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * kAppendBytes));
}

void check_batch(benchmark::State& state) {
  const auto batch = one_batch();
  for (auto _ : state) benchmark::DoNotOptimize(protocol::check_produced(batch));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * batch.size()));
}

// 100-byte records, as many as fit: what looking at each of them costs a produced batch.
void check_records_of_1_mb(benchmark::State& state) {
  constexpr std::int64_t kRecords = 9'000;
  protocol::BatchBuilder builder;
  const std::vector<std::byte> value(100, std::byte{'v'});
  for (std::int64_t i = 0; i < kRecords; ++i) {
    builder.add({.timestamp_ms = 1'700'000'000'000, .key = std::nullopt, .value = value, .headers = {}});
  }
  const auto batch = builder.finish();
  const auto view = protocol::first_batch(batch);
  for (auto _ : state) benchmark::DoNotOptimize(protocol::check_records(*view));
  state.SetItemsProcessed(state.iterations() * kRecords);
}

void crc32c_16k(benchmark::State& state) {
  const auto batch = one_batch();
  for (auto _ : state) benchmark::DoNotOptimize(base::crc32c(batch));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * batch.size()));
}

void decode_produce(benchmark::State& state) {
  const auto request = one_request(one_batch());
  const base::Bytes frame = base::Bytes(request).subspan(protocol::kFrameSizeBytes);
  for (auto _ : state) {
    const auto header = protocol::read_request_header(frame, false);
    benchmark::DoNotOptimize(protocol::read_request_body<protocol::ProduceRequest>(header->body, 7));
  }
}

BENCHMARK(append_through_null)->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK(append_raw_pwrite)->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK(check_batch);
BENCHMARK(check_records_of_1_mb);
BENCHMARK(crc32c_16k);
BENCHMARK(decode_produce);

}  // namespace

BENCHMARK_MAIN();
