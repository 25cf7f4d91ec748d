#include "clients/command_session.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <fstream>

#include "clients/interrupt.h"
#include "experiments/command.h"

namespace iolab::clients {

CommandSession::CommandSession(std::string command) : command_(std::move(command)) {
  clients::interrupted();
}

std::expected<ProtocolClient, int> CommandSession::connect(const std::string& bootstrap_server,
                                                           const std::string& client_id) const {
  if (const auto named = host_and_port(bootstrap_server); !named) return std::unexpected(refuse(named.error()));
  const auto address = bootstrap_address(bootstrap_server);
  if (!address) return std::unexpected(fail(address.error()));
  auto client = ProtocolClient::connect(*address, {.client_id = client_id, .interrupted = &clients::interrupted()});
  if (!client) return std::unexpected(fail(client.error()));
  return std::move(*client);
}

bool CommandSession::interrupted() const {
  return clients::interrupted().load(std::memory_order_relaxed);
}

int CommandSession::fail(const Failure& failure) const {
  if (interrupted()) return kInterrupted;
  std::fflush(stdout);
  fmt::print(stderr, "{}: {}\n", command_, failure);
  return kCannotRunHere;
}

int CommandSession::refuse(const Failure& failure) const {
  fmt::print(stderr, "{}: {}\n", command_, failure);
  return kUsage;
}

int CommandSession::done() const {
  std::fflush(stdout);
  return interrupted() ? kInterrupted : kOk;
}

Result<Properties> Properties::parse(const std::vector<std::string>& pairs,
                                     const std::vector<std::string_view>& known) {
  Properties properties;
  for (const auto& pair : pairs) {
    const auto equals = pair.find('=');
    if (equals == std::string::npos) return std::unexpected(fmt::format("'{}' is not of the form key=value", pair));
    const auto key = pair.substr(0, equals);
    if (std::ranges::find(known, key) == known.end()) {
      return std::unexpected(fmt::format("there is no property '{}' here; there are: {}", key, fmt::join(known, ", ")));
    }
    properties.values_[key] = pair.substr(equals + 1);
  }
  return properties;
}

Result<std::vector<std::string>> read_property_file(const std::string& name) {
  std::vector<std::string> pairs;
  if (name.empty()) return pairs;
  std::ifstream file(name);
  if (!file) return std::unexpected(fmt::format("cannot read the properties file {}", name));
  for (std::string line; std::getline(file, line);) {
    const auto first = line.find_first_not_of(" \t\r");
    if (first == std::string::npos || line[first] == '#' || line[first] == '!') continue;
    pairs.push_back(line.substr(first, line.find_last_not_of(" \t\r") + 1 - first));
  }
  return pairs;
}

void print_metric(std::string_view group, std::string_view name, std::string_view client_id, double value) {
  fmt::print("{:<90} : {:.3f}\n", fmt::format("{}:{}:{{client-id={}}}", group, name, client_id), value);
}

std::optional<std::string> Properties::text(const std::string& key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? std::nullopt : std::optional(found->second);
}

bool Properties::flag(const std::string& key) const {
  return text(key) == "true";
}

Result<std::int64_t> Properties::number(const std::string& key, std::int64_t otherwise) const {
  const auto value = text(key);
  if (!value) return otherwise;
  std::int64_t number = 0;
  const char* end = value->data() + value->size();
  const auto [stopped, error] = std::from_chars(value->data(), end, number);
  if (error == std::errc{} && stopped == end) return number;
  return std::unexpected(fmt::format("{}={} is no whole number", key, *value));
}

Result<ProducerSettings> read_producer_settings(const Properties& properties) {
  ProducerSettings settings;
  const auto acks = properties.text("acks").value_or("all");
  if (acks != "0" && acks != "1" && acks != "-1" && acks != "all") {
    return std::unexpected(fmt::format("acks={} is none of 0, 1, all", acks));
  }
  settings.acks = acks == "all" ? -1 : std::stoi(acks);
  const auto batch = properties.number("batch.size", static_cast<std::int64_t>(settings.batch_bytes));
  const auto linger = properties.number("linger.ms", 0);
  const auto in_flight =
      properties.number("max.in.flight.requests.per.connection", static_cast<std::int64_t>(settings.max_in_flight));
  for (const auto* number : {&batch, &linger, &in_flight}) {
    if (!*number) return std::unexpected(number->error());
    if (**number < 0) return std::unexpected("batch.size, linger.ms and max.in.flight... cannot be negative");
  }
  settings.batch_bytes = static_cast<std::size_t>(*batch);
  settings.linger = std::chrono::milliseconds(*linger);
  settings.max_in_flight = std::max<std::size_t>(static_cast<std::size_t>(*in_flight), 1);
  const auto codec = protocol::compression_named(properties.text("compression.type").value_or("none"));
  if (!codec) return std::unexpected("compression.type is none of none, gzip, snappy, lz4, zstd");
  settings.compression = *codec;
  return settings;
}

}  // namespace iolab::clients
