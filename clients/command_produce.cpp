#include "clients/command_produce.h"

#include <poll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clients/command_session.h"
#include "clients/producer.h"
#include "clients/topic_calls.h"
#include "experiments/command.h"

namespace iolab::clients {
namespace {

struct ProduceOptions {
  std::string bootstrap_server = kDefaultBootstrap;
  std::string topic;
  std::vector<std::string> properties;           // how lines are read
  std::vector<std::string> producer_properties;  // how records are sent
  std::string compression;
};

// Lines of stdin. A line that has begun is waited for; between lines the caller is asked to come back, so that it can
// send what it has while nobody types.
class Lines {
 public:
  enum class State { line, nothing_yet, end };

  State next(std::string_view& line) {
    for (;;) {
      if (const auto end = buffer_.find('\n', at_); end != std::string::npos) {
        line = std::string_view(buffer_).substr(at_, end - at_);
        at_ = end + 1;
        return State::line;
      }
      if (ended_) {
        line = std::string_view(buffer_).substr(at_);
        at_ = buffer_.size();
        return line.empty() ? State::end : State::line;
      }
      if (!is_there()) return State::nothing_yet;
      fill();
    }
  }

 private:
  static bool is_there() {
    constexpr int kWaitMs = 20;
    pollfd watched{STDIN_FILENO, POLLIN, 0};
    return ::poll(&watched, 1, kWaitMs) > 0;
  }
  void fill() {
    buffer_.erase(0, std::exchange(at_, 0));
    constexpr std::size_t kStep = 256 * 1024;
    const auto had = buffer_.size();
    buffer_.resize(had + kStep);
    const ssize_t got = ::read(STDIN_FILENO, buffer_.data() + had, kStep);
    buffer_.resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    ended_ = got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN);
  }

  std::string buffer_;
  std::size_t at_ = 0;
  bool ended_ = false;
};

struct LineFormat {
  bool parse_key = false;
  std::string separator = "\t";
  bool ignore_missing_key = false;
};

Result<LineFormat> line_format(const ProduceOptions& options) {
  const auto properties = Properties::parse(options.properties, {"parse.key", "key.separator", "ignore.error"});
  if (!properties) return std::unexpected(properties.error());
  LineFormat format{properties->flag("parse.key"), properties->text("key.separator").value_or("\t"),
                    properties->flag("ignore.error")};
  if (format.separator.empty()) return std::unexpected("key.separator cannot be empty");
  return format;
}

Result<ProducerSettings> producer_settings(const ProduceOptions& options) {
  const auto properties = Properties::parse(
      options.producer_properties,
      {"acks", "batch.size", "linger.ms", "compression.type", "max.in.flight.requests.per.connection"});
  if (!properties) return std::unexpected(properties.error());
  auto settings = read_producer_settings(*properties);
  if (!settings || options.compression.empty()) return settings;
  const auto codec = protocol::compression_named(options.compression);
  if (!codec) {
    return std::unexpected(
        fmt::format("--compression-codec {} is none of none, gzip, snappy, lz4, zstd", options.compression));
  }
  settings->compression = *codec;
  return settings;
}

Result<void> add_line(Producer& producer, const LineFormat& format, std::string_view line, std::uint64_t number) {
  if (!format.parse_key) return producer.add(std::nullopt, base::as_bytes(line));
  const auto separator = line.find(format.separator);
  if (separator != std::string_view::npos) {
    return producer.add(base::as_bytes(line.substr(0, separator)),
                        base::as_bytes(line.substr(separator + format.separator.size())));
  }
  if (format.ignore_missing_key) return producer.add(std::nullopt, base::as_bytes(line));
  return std::unexpected(
      fmt::format("line {} has no key: '{}' is not in it (--property key.separator=..., or "
                  "--property ignore.error=true to send such lines without a key)",
                  number, format.separator));
}

Result<void> produce_lines(const CommandSession& session, Producer& producer, const LineFormat& format) {
  Lines lines;
  std::string_view line;
  for (std::uint64_t number = 1; !session.interrupted();) {
    const auto state = lines.next(line);
    if (state == Lines::State::end) break;
    if (state == Lines::State::nothing_yet) {
      if (auto polled = producer.poll(); !polled) return polled;
    } else if (auto added = add_line(producer, format, line, number++); !added) {
      // What was read before is not lost for the sake of this line.
      static_cast<void>(producer.flush());
      return added;
    }
  }
  return session.interrupted() ? Result<void>() : producer.flush();
}

int run(const ProduceOptions& options) {
  const CommandSession session("iolab produce");
  const auto format = line_format(options);
  if (!format) return session.refuse(format.error());
  auto settings = producer_settings(options);
  if (!settings) return session.refuse(settings.error());
  auto client = session.connect(options.bootstrap_server);
  if (!client) return client.error();
  const auto partitions = count_partitions(*client, options.topic, true);
  if (!partitions) return session.fail(partitions.error());
  settings->topic = options.topic;
  settings->partitions = *partitions;
  Producer producer(*client, *settings, [](const Receipt&) {});
  const auto produced = produce_lines(session, producer, *format);
  return produced ? session.done() : session.fail(produced.error());
}

}  // namespace

void add_produce_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("produce", "Lines of stdin become records (as kafka-console-producer.sh)");
  auto options = std::make_shared<ProduceOptions>();
  command->add_option("--bootstrap-server", options->bootstrap_server, "HOST:PORT of the broker")
      ->capture_default_str();
  command->add_option("--topic", options->topic, "Where to")->required();
  command
      ->add_option("--property,--reader-property", options->properties,
                   "parse.key=true, key.separator=:, ignore.error=true")
      ->allow_extra_args(false);
  command
      ->add_option("--producer-property,--command-property", options->producer_properties,
                   "acks=all, batch.size=16384, linger.ms=0, compression.type=lz4")
      ->allow_extra_args(false);
  command->add_option("--compression-codec", options->compression, "none, gzip, snappy, lz4 or zstd; alone: gzip")
      ->expected(0, 1)
      ->default_str("gzip");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace iolab::clients
