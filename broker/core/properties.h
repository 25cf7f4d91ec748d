// The table of every property: Kafka's name, type, unit, range, default and one line of help. Reading a setting,
// refusing a wrong one, and answering DescribeConfigs all come from here. Our own properties begin with `iolab.`.
//
// Threads: the table is constant; everything else is a pure function.
#pragma once

#include <cstdint>
#include <expected>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "broker/core/settings.h"

namespace iolab::core {

// Numbered as on the wire (DescribeConfigs v3+, config_type).
enum class PropertyType : std::int8_t { boolean = 1, string = 2, integer = 3, long_integer = 5, decimal = 6, list = 7 };

enum class Unit : std::uint8_t { none, bytes, milliseconds, minutes, hours };

// In place of a member: one of Kafka's settings that is checked, kept and told again, and has no effect.
struct WithoutEffect {};

struct Property {
  std::string_view name;
  std::string_view topic_name;  // the topic-level name, if a topic may set it for itself
  PropertyType type;
  Unit unit;
  std::string_view default_value;  // empty text for a number: not set, another property counts
  std::int64_t least;
  std::int64_t most;
  std::string_view choices;  // "os|interval|commit", of a list: of each element; empty: any text
  std::string_view summary;
  std::variant<std::int64_t BrokerSettings::*, bool BrokerSettings::*, std::string BrokerSettings::*,
               std::int64_t TopicSettings::*, double TopicSettings::*, std::string TopicSettings::*, WithoutEffect>
      member;
};

std::span<const Property> properties();
const Property* find_property(std::string_view name);        // by broker-level name; nullptr: unknown
const Property* find_topic_property(std::string_view name);  // by topic-level name

// The elements of a list as it is written: "delete, compact". Empty ones do not count.
std::vector<std::string> list_elements(std::string_view text);

// Every property at its default.
BrokerSettings default_settings();

// Sets one property. The error is one sentence: what is wrong, and what would be right (the nearest name, the unit).
std::expected<void, std::string> set_property(BrokerSettings& settings, std::string_view name, std::string_view value);

// Call once after the last set_property(): settles the properties that speak of one thing (hours, minutes and ms;
// node.id and broker.id), and refuses combinations that cannot work.
std::expected<void, std::string> settle(BrokerSettings& settings);

// The broker's defaults with one topic's own settings on top. Same errors as set_property().
std::expected<TopicSettings, std::string> topic_settings(const BrokerSettings& broker, const Overrides& overrides);

// The value in force as text, the way it would be written in a file.
std::string property_text(const BrokerSettings& settings, const Property& property);
std::string topic_property_text(const BrokerSettings& settings, const TopicSettings& topic, const Property& property);

}  // namespace iolab::core
