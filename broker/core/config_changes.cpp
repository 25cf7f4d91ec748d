// The refusals follow ConfigurationControlManager of Apache Kafka in their codes.
#include "broker/core/config_changes.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <vector>

namespace iolab::core {
namespace {

using protocol::ErrorCode;

std::unexpected<ConfigFault> refuse(ErrorCode code, std::string message) {
  return std::unexpected(ConfigFault{code, std::move(message)});
}

std::string joined(const std::vector<std::string>& elements) {
  std::string text;
  for (const std::string& element : elements) text += (text.empty() ? "" : ",") + element;
  return text;
}

// What `text` is with the elements of `change` in it, or without them.
std::string changed_list(std::string_view text, const ConfigChange& change) {
  std::vector<std::string> elements = list_elements(text);
  for (const std::string& element : list_elements(*change.value)) {
    if (change.operation == ConfigOperation::subtract)
      std::erase(elements, element);
    else if (std::ranges::find(elements, element) == elements.end())
      elements.push_back(element);
  }
  return joined(elements);
}

std::expected<void, ConfigFault> apply(const BrokerSettings& broker, const TopicSettings& in_force,
                                       const ConfigChange& change, Overrides& overrides) {
  if (change.operation == ConfigOperation::remove) {
    overrides.erase(change.name);
    return {};
  }
  if (!change.value) return refuse(ErrorCode::invalid_request, fmt::format("{} has no value", change.name));
  if (change.operation == ConfigOperation::set) {
    overrides.insert_or_assign(change.name, *change.value);
    return {};
  }
  const Property* property = find_topic_property(change.name);
  if (property == nullptr || property->type != PropertyType::list) {
    return refuse(ErrorCode::invalid_config,
                  fmt::format("{} is not a list: nothing can be added to it or taken from it; set it", change.name));
  }
  const auto own = overrides.find(change.name);
  const std::string text = own != overrides.end() ? own->second : topic_property_text(broker, in_force, *property);
  overrides.insert_or_assign(change.name, changed_list(text, change));
  return {};
}

}  // namespace

std::expected<Overrides, ConfigFault> change_overrides(const BrokerSettings& broker, const TopicSettings& in_force,
                                                       const Overrides& before, std::span<const ConfigChange> changes) {
  Overrides overrides = before;
  std::set<std::string_view> names;
  for (const ConfigChange& change : changes) {
    if (!names.insert(change.name).second) {
      return refuse(ErrorCode::invalid_request, fmt::format("{} is named twice", change.name));
    }
    if (change.operation < ConfigOperation::set || change.operation > ConfigOperation::subtract) {
      return refuse(ErrorCode::invalid_request,
                    fmt::format("{}: there is no operation {}", change.name, static_cast<int>(change.operation)));
    }
    if (find_topic_property(change.name) == nullptr) {
      // Its sentence names the nearest one.
      return refuse(ErrorCode::invalid_config, topic_settings(broker, {{change.name, ""}}).error());
    }
    if (auto done = apply(broker, in_force, change, overrides); !done) return std::unexpected(done.error());
  }
  return overrides;
}

}  // namespace iolab::core
