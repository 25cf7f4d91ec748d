#include "clients/command_consume.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <memory>
#include <string>
#include <vector>

#include "clients/command_session.h"
#include "clients/topic_reader.h"
#include "experiments/command.h"

namespace iolab::clients {
namespace {

struct ConsumeOptions {
  std::string bootstrap_server = kDefaultBootstrap;
  std::string topic;
  bool from_beginning = false;
  std::int64_t max_messages = -1;
  int partition = -1;
  std::string offset = "latest";
  std::int64_t timeout_ms = -1;
  std::vector<std::string> properties;
};

// How a record becomes a line; the order of the parts is that of Kafka's DefaultMessageFormatter.
struct RecordFormat {
  bool timestamp = false, partition = false, offset = false, headers = false, key = false, value = true;
  std::string separator = "\t", line_end = "\n", null_text = "null";

  void write(std::string& out, int in_partition, const protocol::Record& record) const {
    bool first = true;
    const auto part = [&](bool wanted, std::string_view text) {
      if (!wanted) return;
      if (!first) out += separator;
      first = false;
      out += text;
    };
    const auto bytes_or_null = [&](const std::optional<base::Bytes>& bytes) {
      return bytes ? base::as_text(*bytes) : std::string_view(null_text);
    };
    if (timestamp) part(true, fmt::format("CreateTime:{}", record.timestamp_ms));
    if (partition) part(true, fmt::format("Partition:{}", in_partition));
    if (offset) part(true, fmt::format("Offset:{}", record.offset));
    if (headers) part(true, header_text(record));
    part(key, bytes_or_null(record.key));
    part(value, bytes_or_null(record.value));
    out += line_end;
  }

 private:
  std::string header_text(const protocol::Record& record) const {
    std::string text;
    for (const auto& header : record.headers) {
      if (!text.empty()) text += ',';
      text += base::as_text(header.key);
      text += ':';
      text += header.value ? base::as_text(*header.value) : std::string_view(null_text);
    }
    return text.empty() ? "NO_HEADERS" : text;
  }
};

Result<RecordFormat> record_format(const ConsumeOptions& options) {
  const auto properties = Properties::parse(
      options.properties, {"print.timestamp", "print.partition", "print.offset", "print.headers", "print.key",
                           "print.value", "key.separator", "line.separator", "null.literal"});
  if (!properties) return std::unexpected(properties.error());
  RecordFormat format;
  format.timestamp = properties->flag("print.timestamp");
  format.partition = properties->flag("print.partition");
  format.offset = properties->flag("print.offset");
  format.headers = properties->flag("print.headers");
  format.key = properties->flag("print.key");
  format.value = properties->text("print.value") != "false";
  format.separator = properties->text("key.separator").value_or(format.separator);
  format.line_end = properties->text("line.separator").value_or(format.line_end);
  format.null_text = properties->text("null.literal").value_or(format.null_text);
  return format;
}

Result<std::int64_t> start_offset(ProtocolClient& client, const ConsumeOptions& options, int partition) {
  if (options.from_beginning || options.offset == "earliest") {
    return offset_at(client, options.topic, partition, protocol::kEarliestTimestamp);
  }
  if (options.offset == "latest") return offset_at(client, options.topic, partition, protocol::kLatestTimestamp);
  std::int64_t offset = 0;
  const char* end = options.offset.data() + options.offset.size();
  const auto [stopped, error] = std::from_chars(options.offset.data(), end, offset);
  if (error == std::errc{} && stopped == end && offset >= 0) return offset;
  return std::unexpected(fmt::format("--offset {} is neither earliest, latest nor a number", options.offset));
}

Result<std::vector<TopicReader::Position>> start_positions(ProtocolClient& client, const ConsumeOptions& options) {
  const auto partitions = count_partitions(client, options.topic);
  if (!partitions) return std::unexpected(partitions.error());
  if (options.partition >= *partitions) {
    return std::unexpected(fmt::format("topic '{}' has no partition {}: they go from 0 to {}", options.topic,
                                       options.partition, *partitions - 1));
  }
  std::vector<TopicReader::Position> positions;
  for (int i = 0; i < *partitions; ++i) {
    if (options.partition >= 0 && options.partition != i) continue;
    const auto offset = start_offset(client, options, i);
    if (!offset) return std::unexpected(offset.error());
    positions.push_back({i, *offset});
  }
  return positions;
}

// Until enough messages have been read, none came for the time of the timeout, or Ctrl-C.
Result<std::uint64_t> consume(const CommandSession& session, TopicReader& reader, const ConsumeOptions& options,
                              const RecordFormat& format) {
  std::uint64_t total = 0;
  std::string out;
  Nanoseconds last = monotonic_ns();
  const auto enough = [&] {
    return options.max_messages >= 0 && total >= static_cast<std::uint64_t>(options.max_messages);
  };
  while (!session.interrupted() && !enough()) {
    const auto count = reader.read([&](int partition, const protocol::Record& record) {
      format.write(out, partition, record);
      ++total;
      return !enough();
    });
    std::fwrite(out.data(), 1, out.size(), stdout);
    std::fflush(stdout);
    out.clear();
    if (!count) return std::unexpected(count.error());
    const Nanoseconds now = monotonic_ns();
    if (*count > 0) last = now;
    if (options.timeout_ms >= 0 && now - last > options.timeout_ms * kMillisecond) break;
  }
  return total;
}

int run(const ConsumeOptions& options) {
  const CommandSession session("iolab consume");
  const auto format = record_format(options);
  if (!format) return session.refuse(format.error());
  if (options.offset != "latest" && options.partition < 0 && !options.from_beginning) {
    return session.refuse("--offset needs --partition N; all partitions can be read --from-beginning");
  }
  auto client = session.connect(options.bootstrap_server);
  if (!client) return client.error();
  auto positions = start_positions(*client, options);
  if (!positions) return session.fail(positions.error());
  FetchLimits limits;
  if (options.timeout_ms >= 0) limits.max_wait_ms = static_cast<int>(std::min<std::int64_t>(options.timeout_ms, 500));
  TopicReader reader(*client, options.topic, std::move(*positions), limits);
  const auto total = consume(session, reader, options, *format);
  if (!total && !session.interrupted()) return session.fail(total.error());
  if (total) fmt::print(stderr, "Processed a total of {} messages\n", *total);
  return session.done();
}

}  // namespace

void add_consume_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("consume", "Records become lines of stdout (as kafka-console-consumer.sh)");
  auto options = std::make_shared<ConsumeOptions>();
  command->add_option("--bootstrap-server", options->bootstrap_server, "HOST:PORT of the broker")
      ->capture_default_str();
  command->add_option("--topic", options->topic, "From where")->required();
  command->add_flag("--from-beginning", options->from_beginning,
                    "From the first record still there; else new ones only");
  command->add_option("--max-messages", options->max_messages, "Then end; without it, go on until Ctrl-C");
  command->add_option("--partition", options->partition, "Only this one");
  command->add_option("--offset", options->offset, "earliest, latest or a number; needs --partition")
      ->capture_default_str();
  command->add_option("--timeout-ms", options->timeout_ms, "End when no record came for so long");
  command
      ->add_option("--property,--formatter-property", options->properties,
                   "print.key=true, print.timestamp, print.partition, print.offset, print.headers, key.separator=:")
      ->allow_extra_args(false);
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace iolab::clients
