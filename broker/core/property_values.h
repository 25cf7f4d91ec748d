// Texts of settings into their members and back: what properties.cpp does with each row of its table.
//
// Threads: pure functions.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "broker/core/properties.h"

namespace iolab::core {

inline constexpr std::int64_t kUnset = std::numeric_limits<std::int64_t>::min();

// Writes `text` to the member, wherever it lives. `shown` is the name that the user knows it by.
std::expected<void, std::string> assign_property(BrokerSettings& broker, TopicSettings& topic, const Property& property,
                                                 std::string_view shown, std::string_view text);

std::string member_text(const BrokerSettings& broker, const TopicSettings& topic, const Property& property);

// "; did you mean num.partitions?", or, where nothing is near, where all names are listed.
std::string what_else(std::string_view wanted, std::string_view Property::* kind);

}  // namespace iolab::core
