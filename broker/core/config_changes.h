// Changes of a topic's settings, as AlterConfigs and IncrementalAlterConfigs ask for them: from what a topic has set
// for itself to what it will have set.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>

#include "broker/core/properties.h"
#include "broker/core/settings.h"
#include "broker/protocol/error_code.h"

namespace iolab::core {

// Numbered as on the wire (AlterConfigOp.OpType of Apache Kafka).
enum class ConfigOperation : std::int8_t {
  set = 0,       // to the value
  remove = 1,    // the broker's default holds again
  append = 2,    // elements to a list
  subtract = 3,  // elements from a list
};

struct ConfigChange {
  std::string name;
  ConfigOperation operation = ConfigOperation::set;
  std::optional<std::string> value;
};

struct ConfigFault {
  protocol::ErrorCode code;
  std::string message;
};

// All changes or none. A list that is added to begins with what is in force, be it the topic's own or the default.
std::expected<Overrides, ConfigFault> change_overrides(const BrokerSettings& broker, const TopicSettings& in_force,
                                                       const Overrides& before, std::span<const ConfigChange> changes);

}  // namespace iolab::core
