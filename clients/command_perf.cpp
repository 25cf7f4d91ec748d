#include "clients/command_perf.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "clients/command_session.h"
#include "clients/perf.h"

namespace iolab::clients {
namespace {

void add_produce(CLI::App& perf, int& exit_code) {
  auto* command = perf.add_subcommand("produce", "As kafka-producer-perf-test.sh");
  auto options = std::make_shared<PerfProduceOptions>();
  command->add_option("--bootstrap-server", options->bootstrap_server,
                      "HOST:PORT; or bootstrap.servers among the properties; else 127.0.0.1:9092");
  command->add_option("--topic", options->topic, "Where to")->required();
  command->add_option("--num-records", options->records, "How many")->required();
  command->add_option("--record-size", options->record_bytes, "Bytes of each record's value");
  command->add_option("--payload-file", options->payload_file, "Its lines, chosen at random, are the values");
  command->add_option("--payload-delimiter", options->payload_delimiter, "Between the payloads of that file");
  command->add_option("--throughput", options->throughput_per_s, "Records per second at most; -1: no limit")
      ->capture_default_str();
  command->add_option("--warmup-records", options->warmup_records, "Sent first and left out of the summary");
  command->add_option("--reporting-interval", options->reporting_interval_ms, "Milliseconds between lines")
      ->capture_default_str();
  command->add_flag("--payload-monotonic", options->payload_monotonic, "The values are 0, 1, 2, ... as text");
  command->add_flag("--print-metrics", options->print_metrics, "What the producer counted, after the summary");
  command->add_option("--producer.config,--command-config", options->config_file, "A file of properties");
  command->add_option("--producer-props,--command-property,--producer-property", options->properties,
                      "acks=1 batch.size=16384 linger.ms=0 compression.type=none bootstrap.servers=H:P ...");
  command->callback([options, &exit_code] { exit_code = perf_produce(*options); });
}

void add_consume(CLI::App& perf, int& exit_code) {
  auto* command = perf.add_subcommand("consume", "As kafka-consumer-perf-test.sh");
  auto options = std::make_shared<PerfConsumeOptions>();
  auto without_effect = std::make_shared<std::string>();
  command->add_option("--bootstrap-server,--broker-list", options->bootstrap_server,
                      "HOST:PORT; or bootstrap.servers among the properties; else 127.0.0.1:9092");
  command->add_option("--topic", options->topic, "From where")->required();
  command->add_option("--messages,--num-records", options->messages, "How many")->required();
  command->add_option("--timeout", options->timeout_ms, "Milliseconds without a message, then end")
      ->capture_default_str();
  command->add_option("--reporting-interval", options->reporting_interval_ms, "Milliseconds between detailed lines")
      ->capture_default_str();
  command->add_option("--fetch-size", options->fetch_bytes, "Bytes of one fetch at most")->capture_default_str();
  command->add_option("--consumer.config,--command-config", options->config_file, "A file of properties");
  command->add_option("--command-property", options->properties,
                      "auto.offset.reset=latest fetch.max.bytes=1048576 client.id=NAME bootstrap.servers=H:P ...");
  command->add_flag("--print-metrics", options->print_metrics, "What the consumer counted, after the summary");
  command->add_option("--group", *without_effect, "Without effect: there are no groups yet, every partition is read");
  command->add_option("--threads,--num-fetch-threads", *without_effect, "Without effect, as in Kafka's tool");
  command->add_flag("--from-latest", options->from_latest, "Only new messages; else from the beginning");
  command->add_flag("--hide-header", options->hide_header, "Numbers only");
  command->add_flag("--show-detailed-stats", options->show_detailed_stats, "A line for each reporting interval");
  command->callback([options, without_effect, &exit_code] { exit_code = perf_consume(*options); });
}

}  // namespace

void add_perf_command(CLI::App& app, int& exit_code) {
  auto* perf = app.add_subcommand("perf", "Throughput of one client, with the flags of Kafka's perf tools");
  perf->require_subcommand(1);
  add_produce(*perf, exit_code);
  add_consume(*perf, exit_code);
}

}  // namespace iolab::clients
