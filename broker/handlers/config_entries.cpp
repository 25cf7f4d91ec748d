#include "broker/handlers/config_entries.h"

namespace iolab::handlers {
namespace {

void add_broker_origins(const core::BrokerSettings& broker, const core::Property& property, ConfigEntry& entry) {
  const std::string name{property.name};
  if (broker.given.contains(property.name)) {
    entry.origins.push_back({name, core::property_text(broker, property), ConfigSource::broker_file});
  }
  if (!property.default_value.empty()) {
    entry.origins.push_back({name, std::string{property.default_value}, ConfigSource::built_in});
  }
}

ConfigSource source_of(const ConfigEntry& entry) {
  return entry.origins.empty() ? ConfigSource::built_in : entry.origins.front().source;
}

}  // namespace

std::vector<ConfigEntry> topic_config_entries(const core::BrokerSettings& broker, const core::Topic& topic) {
  std::vector<ConfigEntry> entries;
  for (const core::Property& property : core::properties()) {
    if (property.topic_name.empty()) continue;
    ConfigEntry entry{.name = std::string{property.topic_name},
                      .value = core::topic_property_text(broker, topic.settings, property),
                      .source = {},
                      .read_only = false,
                      .origins = {},
                      .property = &property};
    if (const auto own = topic.overrides.find(property.topic_name); own != topic.overrides.end()) {
      entry.origins.push_back({entry.name, own->second, ConfigSource::topic});
    }
    add_broker_origins(broker, property, entry);
    entry.source = source_of(entry);
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::vector<ConfigEntry> broker_config_entries(const core::BrokerSettings& broker) {
  std::vector<ConfigEntry> entries;
  for (const core::Property& property : core::properties()) {
    ConfigEntry entry{.name = std::string{property.name},
                      .value = core::property_text(broker, property),
                      .source = {},
                      .read_only = true,
                      .origins = {},
                      .property = &property};
    add_broker_origins(broker, property, entry);
    entry.source = source_of(entry);
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace iolab::handlers
