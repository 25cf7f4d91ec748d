// What every client command does alike: where the broker is, how a failure is said, which exit code it gets, and how
// Kafka's key=value properties are read.
#pragma once

#include <fmt/format.h>

#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clients/producer.h"
#include "clients/protocol_client.h"

namespace iolab::clients {

inline constexpr const char* kDefaultBootstrap = "127.0.0.1:9092";

class CommandSession {
 public:
  // `command`: as it was typed, "iolab topics".
  explicit CommandSession(std::string command);

  // The error is the exit code, after its sentence was said: what is no HOST:PORT is a mistake of the command line, a
  // broker that cannot be reached is not.
  std::expected<ProtocolClient, int> connect(const std::string& bootstrap_server,
                                             const std::string& client_id = "iolab") const;
  bool interrupted() const;

  // Says the sentence on stderr. The exit code: interrupted, or that this cannot be done here.
  int fail(const Failure& failure) const;
  // The same for what is wrong with the command line.
  int refuse(const Failure& failure) const;
  // For the end of what ran until it was done or interrupted.
  int done() const;

 private:
  std::string command_;
};

// key=value pairs, as in --property and --producer-props. A key that is not in `known` is an error naming those that
// are; a value that should be a number and is none, too.
class Properties {
 public:
  static Result<Properties> parse(const std::vector<std::string>& pairs, const std::vector<std::string_view>& known);

  std::optional<std::string> text(const std::string& key) const;
  bool flag(const std::string& key) const;  // "true"
  Result<std::int64_t> number(const std::string& key, std::int64_t otherwise) const;

 private:
  std::map<std::string, std::string> values_;
};

// The key=value lines of a file as Kafka's tools take it: blank lines and lines that begin with # or ! are skipped. An
// empty name is an empty file.
Result<std::vector<std::string>> read_property_file(const std::string& name);

// One line of --print-metrics, in the form of Kafka's tools.
void print_metric(std::string_view group, std::string_view name, std::string_view client_id, double value);

// acks, batch.size, linger.ms, compression.type and max.in.flight.requests.per.connection, where they are given.
Result<ProducerSettings> read_producer_settings(const Properties& properties);

}  // namespace iolab::clients
