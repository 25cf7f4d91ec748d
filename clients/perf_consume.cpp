#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <cstdio>

#include "clients/command_session.h"
#include "clients/perf.h"
#include "clients/topic_reader.h"

namespace iolab::clients {
namespace {

using WallClock = std::chrono::system_clock;

// "2026-11-22 11:05:07:123", as Kafka's tools write it.
std::string wall_text(WallClock::time_point time) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count() % 1000;
  return fmt::format("{:%Y-%m-%d %H:%M:%S}:{:03}", fmt::localtime(WallClock::to_time_t(time)), ms);
}

struct Consumed {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  WallClock::time_point at = WallClock::now();
};

// There is no group to join, so the time of rebalancing is 0 and all time is time of fetching.
void print_header(bool detailed) {
  fmt::print(
      "{}, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, rebalance.time.ms, fetch.time.ms, "
      "fetch.MB.sec, fetch.nMsg.sec\n",
      detailed ? "time, threadId" : "start.time, end.time");
}

void print_row(const std::string& start, const Consumed& before, const Consumed& now, const Consumed& total) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.at - before.at).count();
  const double seconds = std::max(static_cast<double>(ms), 1.0) / 1000;
  const double megabytes = static_cast<double>(now.bytes - before.bytes) / kMegabyte;
  const auto messages = static_cast<double>(now.messages - before.messages);
  fmt::print("{}, {:.4f}, {:.4f}, {}, {:.4f}, 0, {}, {:.4f}, {:.4f}\n", start,
             static_cast<double>(total.bytes) / kMegabyte, megabytes / seconds, total.messages, messages / seconds, ms,
             megabytes / seconds, messages / seconds);
  std::fflush(stdout);
}

Result<std::vector<TopicReader::Position>> starts(ProtocolClient& client, const PerfConsumeOptions& options) {
  const auto partitions = count_partitions(client, options.topic);
  if (!partitions) return std::unexpected(partitions.error());
  std::vector<TopicReader::Position> positions;
  for (int i = 0; i < *partitions; ++i) {
    const auto offset = offset_at(client, options.topic, i,
                                  options.from_latest ? protocol::kLatestTimestamp : protocol::kEarliestTimestamp);
    if (!offset) return std::unexpected(offset.error());
    positions.push_back({i, *offset});
  }
  return positions;
}

Result<Consumed> consume(const CommandSession& session, TopicReader& reader, const PerfConsumeOptions& options,
                         const Consumed& start) {
  Consumed total = start, reported = start;
  Nanoseconds last = monotonic_ns();
  while (total.messages < options.messages && !session.interrupted()) {
    const auto count = reader.read([&](int, const protocol::Record& record) {
      ++total.messages;
      total.bytes += (record.key ? record.key->size() : 0) + (record.value ? record.value->size() : 0);
      return total.messages < options.messages;
    });
    if (!count) return std::unexpected(count.error());
    total.at = WallClock::now();
    const Nanoseconds now = monotonic_ns();
    if (*count > 0) last = now;
    if (now - last > options.timeout_ms * kMillisecond) {
      fmt::print(stderr, "no message for {} ms: ending with {} of {} (--timeout, --messages)\n", options.timeout_ms,
                 total.messages, options.messages);
      break;
    }
    if (options.show_detailed_stats &&
        total.at - reported.at >= std::chrono::milliseconds(options.reporting_interval_ms)) {
      print_row(wall_text(total.at) + ", 0", reported, total, total);
      reported = total;
    }
  }
  return total;
}

}  // namespace

int perf_consume(const PerfConsumeOptions& given) {
  const CommandSession session("iolab perf consume");
  auto pairs = read_property_file(given.config_file);
  if (!pairs) return session.refuse(pairs.error());
  pairs->insert(pairs->end(), given.properties.begin(), given.properties.end());
  const auto properties =
      Properties::parse(*pairs, {"bootstrap.servers", "client.id", "fetch.max.bytes", "auto.offset.reset", "group.id"});
  if (!properties) return session.refuse(properties.error());
  PerfConsumeOptions options = given;
  const auto fetch_bytes = properties->number("fetch.max.bytes", options.fetch_bytes);
  if (!fetch_bytes) return session.refuse(fetch_bytes.error());
  options.fetch_bytes = *fetch_bytes;
  options.from_latest |= properties->text("auto.offset.reset") == "latest";
  if (options.bootstrap_server.empty()) {
    options.bootstrap_server = properties->text("bootstrap.servers").value_or(kDefaultBootstrap);
  }
  if (options.fetch_bytes < 1 || options.fetch_bytes > 1 << 30)
    return session.refuse("--fetch-size is 1 to 1073741824");
  const auto client_id = properties->text("client.id").value_or("iolab-perf");
  auto client = session.connect(options.bootstrap_server, client_id);
  if (!client) return client.error();
  auto positions = starts(*client, options);
  if (!positions) return session.fail(positions.error());
  TopicReader reader(*client, options.topic, std::move(*positions),
                     {.max_wait_ms = 100, .min_bytes = 1, .max_bytes = static_cast<int>(options.fetch_bytes)});
  if (!options.hide_header) print_header(options.show_detailed_stats);
  const Consumed start;
  const auto total = consume(session, reader, options, start);
  if (!total) return session.fail(total.error());
  if (!options.show_detailed_stats) {
    print_row(wall_text(start.at) + ", " + wall_text(total->at), start, *total, *total);
  }
  if (options.print_metrics) {
    constexpr std::string_view kGroup = "consumer-fetch-manager-metrics";
    fmt::print("\n{:<90}   Value\n", "Metric Name");
    print_metric(kGroup, "records-consumed-total", client_id, static_cast<double>(total->messages));
    print_metric(kGroup, "bytes-consumed-total", client_id, static_cast<double>(total->bytes));
  }
  return session.done();
}

}  // namespace iolab::clients
