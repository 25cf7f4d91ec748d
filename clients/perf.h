// Throughput seen by a person with one client: Kafka's own perf tools, flag by flag and line by line, so that scripts
// which read their output read ours. Latency is per record, from when it was added to a batch until the batch was
// acknowledged, as there. Not for comparing models: that is what the load generator and the lab are for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace iolab::clients {

inline constexpr double kMegabyte = 1024.0 * 1024.0;  // what Kafka's tools call MB

struct PerfProduceOptions {
  std::string bootstrap_server;  // or bootstrap.servers among the properties
  std::string topic;
  std::uint64_t records = 0;
  std::int64_t record_bytes = -1;  // either this
  std::string payload_file;        // or lines to choose from at random
  std::string payload_delimiter = "\n";
  double throughput_per_s = -1;  // negative: as fast as it goes
  std::uint64_t warmup_records = 0;
  std::int64_t reporting_interval_ms = 5000;
  bool payload_monotonic = false;  // or counted numbers
  std::string config_file;         // properties; those of the command line count more
  std::vector<std::string> properties;
  bool print_metrics = false;
};
int perf_produce(const PerfProduceOptions& options);  // the exit code

struct PerfConsumeOptions {
  std::string bootstrap_server;
  std::string topic;
  std::uint64_t messages = 0;
  std::int64_t timeout_ms = 10'000;
  std::int64_t reporting_interval_ms = 5000;
  std::int64_t fetch_bytes = 1 << 20;
  bool from_latest = false;
  bool hide_header = false;
  bool show_detailed_stats = false;
  std::string config_file;  // properties; those of the command line count more
  std::vector<std::string> properties;
  bool print_metrics = false;
};
int perf_consume(const PerfConsumeOptions& options);

}  // namespace iolab::clients
