#include "experiments/run/level_load.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>

namespace iolab::lab {
namespace {

using namespace std::chrono_literals;

constexpr auto kConnectStall = 8s;  // without a connection more: a busy machine may well stand still for seconds

std::string property(const Properties& properties, std::string_view key) {
  for (const auto& [name, value] : properties) {
    if (name == key) return value;
  }
  return {};
}

// Kafka's producer sends when linger.ms are over or batch.size is full. With records that come at a fixed rate both are
// a number of records, the same for every batch; the first of them has waited for the last.
void batch_records(const Level& level, clients::LoadSpec& spec) {
  const auto linger = property(level.producer, "linger.ms");
  const auto size = property(level.producer, "batch.size");
  if (linger.empty() && size.empty()) return;
  constexpr double kUsualBatchBytes = 16'384, kBesideTheValue = 10;
  const double per_s = spec.rate_per_s / spec.connections;  // records of one connection, which is one producer
  const double by_time = 1 + std::floor(std::atof(linger.c_str()) / 1000 * per_s);
  const double bytes = size.empty() ? kUsualBatchBytes : std::atof(size.c_str());
  const double by_size = std::max(1.0, std::floor(bytes / (static_cast<double>(spec.record_bytes) + kBesideTheValue)));
  const double records = std::min(by_time, by_size);
  spec.records_per_batch = static_cast<int>(records);
  spec.rate_per_s /= records;
  spec.waited_for_more = std::chrono::microseconds(std::llround((records - 1) / per_s * 1e6));
}

}  // namespace

clients::LoadSpec load_spec_for(const Level& level, const Timing& timing, std::uint64_t seed) {
  const auto& work = level.workload;
  clients::LoadSpec spec;
  spec.kind = work.kind == "fetch" ? clients::LoadKind::fetch : clients::LoadKind::produce;
  spec.connections = work.connections;
  spec.idle_connections = work.idle_connections + work.stalled_connections;
  spec.stalled_connections = work.stalled_connections;
  spec.in_flight = work.in_flight;
  spec.record_bytes = work.record_bytes;
  spec.records_per_batch = work.records_per_batch;
  spec.partitions = work.partitions;
  spec.prefill_bytes = work.prefill_bytes;
  if (work.rate_per_s) {
    spec.arrivals = clients::Arrivals::open;
    spec.rate_per_s = *work.rate_per_s;
    batch_records(level, spec);
  }
  const auto acks = property(level.producer, "acks");
  if (!acks.empty()) spec.acks = acks == "all" || acks == "-1" ? -1 : 1;
  if (const auto codec = property(level.producer, "compression.type"); !codec.empty()) spec.codec = codec;
  if (const auto bytes = property(level.consumer, "fetch.max.bytes"); !bytes.empty()) {
    spec.fetch_max_bytes = std::strtoull(bytes.c_str(), nullptr, 10);
  }
  if (const auto wait = property(level.consumer, "fetch.max.wait.ms"); !wait.empty()) {
    spec.fetch_max_wait_ms = std::atoi(wait.c_str());
  }
  spec.warmup = timing.warmup;
  spec.measure = timing.measure;
  spec.connect_deadline = kConnectLimit;
  spec.connect_stall = kConnectStall;
  spec.seed = seed;
  return spec;
}

}  // namespace iolab::lab
