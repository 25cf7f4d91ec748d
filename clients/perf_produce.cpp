#include <fmt/format.h>
#include <poll.h>
#include <time.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <random>

#include "clients/command_session.h"
#include "clients/histogram.h"
#include "clients/perf.h"
#include "clients/producer.h"
#include "clients/schedule.h"
#include "clients/topic_calls.h"

namespace iolab::clients {
namespace {

double milliseconds(double ns) {
  return ns / 1e6;
}

// Records, bytes and latencies since some moment.
struct Period {
  Nanoseconds since = 0;
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  Histogram latency_ns;

  // Without the receipt's first `skipped` records.
  void add(const Receipt& receipt, Nanoseconds now, std::size_t skipped = 0) {
    const auto all = receipt.created.size(), counted = all - skipped;
    records += counted;
    bytes += receipt.value_bytes * counted / all;
    for (auto i = skipped; i < all; ++i) latency_ns.record(static_cast<std::uint64_t>(now - receipt.created[i]));
  }
  std::string rates(Nanoseconds now) const {
    const double seconds = std::max(static_cast<double>(now - since) / 1e9, 1e-9);
    return fmt::format("{} records sent, {:.1f} records/sec ({:.2f} MB/sec)", records,
                       static_cast<double>(records) / seconds, static_cast<double>(bytes) / kMegabyte / seconds);
  }
  double max_ms() const { return milliseconds(static_cast<double>(latency_ns.max())); }
  double mean_ms() const { return milliseconds(latency_ns.mean()); }
};

void print_period(const Period& period, Nanoseconds now) {
  fmt::print("{}, {:.1f} ms avg latency, {:.1f} ms max latency.\n", period.rates(now), period.mean_ms(),
             period.max_ms());
  std::fflush(stdout);
}

void print_total(const Period& period, Nanoseconds now) {
  const auto ns = [&](double fraction) { return static_cast<double>(period.latency_ns.percentile(fraction)); };
  fmt::print(
      "{}, {:.2f} ms avg latency, {:.2f} ms max latency, {:.0f} ms 50th, {:.0f} ms 95th, {:.0f} ms 99th, "
      "{:.0f} ms 99.9th.\n",
      period.rates(now), period.mean_ms(), period.max_ms(), milliseconds(ns(0.5)), milliseconds(ns(0.95)),
      milliseconds(ns(0.99)), milliseconds(ns(0.999)));
  fmt::print("{:.0f} us 50th, {:.0f} us 90th, {:.0f} us 95th, {:.0f} us 99th, {:.0f} us 99.9th, {:.0f} us max.\n",
             ns(0.5) / 1e3, ns(0.9) / 1e3, ns(0.95) / 1e3, ns(0.99) / 1e3, ns(0.999) / 1e3, ns(1) / 1e3);
}

// What records are made of: random capital letters, a line of a file at random, or numbers in their order.
class Payloads {
 public:
  static Result<Payloads> make(const PerfProduceOptions& options) {
    Payloads payloads;
    payloads.monotonic_ = options.payload_monotonic;
    if (payloads.monotonic_) return payloads;
    if (options.payload_file.empty()) {
      payloads.letters_.resize(static_cast<std::size_t>(options.record_bytes));
      std::uniform_int_distribution<int> letter('A', 'Z');
      for (auto& each : payloads.letters_) each = static_cast<char>(letter(payloads.random_));
      return payloads;
    }
    std::ifstream file(options.payload_file, std::ios::binary);
    if (!file) return std::unexpected(fmt::format("cannot read the payload file {}", options.payload_file));
    const std::string text(std::istreambuf_iterator<char>(file), {});
    for (std::size_t at = 0; at < text.size();) {
      const auto end = std::min(text.find(options.payload_delimiter, at), text.size());
      if (end > at) payloads.lines_.push_back(text.substr(at, end - at));
      at = end + options.payload_delimiter.size();
    }
    if (payloads.lines_.empty())
      return std::unexpected(fmt::format("the payload file {} is empty", options.payload_file));
    return payloads;
  }

  base::Bytes next() {
    if (monotonic_) letters_ = std::to_string(count_++);
    if (lines_.empty()) return base::as_bytes(letters_);
    return base::as_bytes(lines_[std::uniform_int_distribution<std::size_t>(0, lines_.size() - 1)(random_)]);
  }

 private:
  std::minstd_rand random_;
  bool monotonic_ = false;
  std::uint64_t count_ = 0;
  std::string letters_;  // of every record, or of the next one
  std::vector<std::string> lines_;
};

class ProduceRun {
 public:
  ProduceRun(const CommandSession& session, const PerfProduceOptions& options, ProtocolClient& client,
             ProducerSettings settings)
      : session_(session),
        options_(options),
        producer_(client, std::move(settings), [this](const Receipt& receipt) { take(receipt, monotonic_ns()); }) {}

  Result<void> run(Payloads& payloads) {
    const Nanoseconds begin = monotonic_ns();
    total_.since = window_.since = begin;
    Schedule schedule(begin, options_.throughput_per_s > 0 ? options_.throughput_per_s : 1, 1);
    for (std::uint64_t i = 0; i < options_.records && !session_.interrupted(); ++i, schedule.release()) {
      if (options_.throughput_per_s > 0) {
        if (auto waited = wait_until(schedule.next_due()); !waited) return waited;
      }
      if (auto added = producer_.add(std::nullopt, payloads.next()); !added) return added;
    }
    if (session_.interrupted()) return {};
    return producer_.flush();
  }

  void print_metrics(const std::string& client_id) const {
    const double seconds = std::max(static_cast<double>(monotonic_ns() - total_.since) / 1e9, 1e-9);
    fmt::print("\n{:<90}   Value\n", "Metric Name");
    print_metric("producer-metrics", "record-send-total", client_id, static_cast<double>(taken_));
    print_metric("producer-metrics", "record-send-rate", client_id, static_cast<double>(total_.records) / seconds);
    print_metric("producer-metrics", "record-latency-avg", client_id, total_.mean_ms());
    print_metric("producer-metrics", "record-latency-max", client_id, total_.max_ms());
  }

  void print() const {
    if (options_.warmup_records > 0) {
      fmt::print("{} records were sent to warm up and are not in the next lines.\n",
                 std::min(taken_, options_.warmup_records));
    }
    print_total(total_, monotonic_ns());
  }

 private:
  void take(const Receipt& receipt, Nanoseconds now) {
    window_.add(receipt, now);
    const auto of_warmup = std::min(options_.warmup_records - std::min(taken_, options_.warmup_records),
                                    std::uint64_t{receipt.created.size()});
    taken_ += receipt.created.size();
    if (taken_ > options_.warmup_records) {
      if (total_.records == 0 && options_.warmup_records > 0) total_.since = now;
      total_.add(receipt, now, of_warmup);
    }
    if (now - window_.since < options_.reporting_interval_ms * kMillisecond) return;
    print_period(window_, now);
    window_ = Period{.since = now, .latency_ns = {}};
  }

  // Sends what has lingered and takes answers meanwhile, so that a slow rate has the latency of the broker and not that
  // of the next record.
  Result<void> wait_until(Nanoseconds due) {
    for (Nanoseconds now = monotonic_ns(); now < due && !session_.interrupted(); now = monotonic_ns()) {
      if (auto polled = producer_.poll(); !polled) return polled;
      const Nanoseconds left = due - monotonic_ns();
      const Nanoseconds nap = std::min(left, producer_.in_flight() > 0 ? 50'000 : kMillisecond);
      if (nap <= 0) break;
      const timespec time{0, nap};
      ::nanosleep(&time, nullptr);
    }
    return {};
  }

  const CommandSession& session_;
  const PerfProduceOptions& options_;
  Period total_, window_;
  std::uint64_t taken_ = 0;
  Producer producer_;
};

}  // namespace

int perf_produce(const PerfProduceOptions& options) {
  const CommandSession session("iolab perf produce");
  auto pairs = read_property_file(options.config_file);
  if (!pairs) return session.refuse(pairs.error());
  pairs->insert(pairs->end(), options.properties.begin(), options.properties.end());
  const auto properties = Properties::parse(
      *pairs, {"bootstrap.servers", "acks", "batch.size", "linger.ms", "compression.type",
               "max.in.flight.requests.per.connection", "client.id", "buffer.memory", "enable.idempotence"});
  if (!properties) return session.refuse(properties.error());
  auto settings = read_producer_settings(*properties);
  if (!settings) return session.refuse(settings.error());
  if (properties->flag("enable.idempotence")) {
    return session.refuse("enable.idempotence=true is not offered by this producer; leave it out");
  }
  if (int{!options.payload_file.empty()} + int{options.record_bytes >= 0} + int{options.payload_monotonic} != 1) {
    return session.refuse("say one of --record-size BYTES, --payload-file FILE and --payload-monotonic");
  }
  if (options.payload_delimiter.empty()) return session.refuse("--payload-delimiter cannot be empty");
  auto payloads = Payloads::make(options);
  if (!payloads) return session.refuse(payloads.error());
  const auto server = !options.bootstrap_server.empty()
                          ? options.bootstrap_server
                          : properties->text("bootstrap.servers").value_or(kDefaultBootstrap);
  auto client = session.connect(server, properties->text("client.id").value_or("iolab-perf"));
  if (!client) return client.error();
  const auto partitions = count_partitions(*client, options.topic, true);
  if (!partitions) return session.fail(partitions.error());
  settings->topic = options.topic;
  settings->partitions = *partitions;
  ProduceRun run(session, options, *client, std::move(*settings));
  const auto result = run.run(*payloads);
  run.print();
  if (options.print_metrics) run.print_metrics(properties->text("client.id").value_or("iolab-perf"));
  return result ? session.done() : session.fail(result.error());
}

}  // namespace iolab::clients
