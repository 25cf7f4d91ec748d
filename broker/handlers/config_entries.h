// Settings as CreateTopics and DescribeConfigs report them: every value in force, and where it comes from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "broker/core/broker.h"

namespace iolab::handlers {

// Numbered as on the wire (ConfigResource.Type of Apache Kafka).
inline constexpr std::int8_t kTopicResource = 2;
inline constexpr std::int8_t kBrokerResource = 4;

// Numbered as on the wire (ConfigEntry.ConfigSource of Apache Kafka).
enum class ConfigSource : std::int8_t { topic = 1, broker_file = 4, built_in = 5 };

struct ConfigEntry {
  struct Origin {  // one place that says a value, the one in force first
    std::string name;
    std::string value;
    ConfigSource source;
  };
  std::string name;
  std::string value;
  ConfigSource source;
  bool read_only;  // cannot be changed while the broker runs
  std::vector<Origin> origins;
  const core::Property* property;
};

std::vector<ConfigEntry> topic_config_entries(const core::BrokerSettings& broker, const core::Topic& topic);
std::vector<ConfigEntry> broker_config_entries(const core::BrokerSettings& broker);

}  // namespace iolab::handlers
