// One resource of AlterConfigs or IncrementalAlterConfigs: a topic, whose settings change, or this broker, whose
// settings are read when it starts and then stay.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/core/broker.h"

namespace iolab::handlers {

struct Alteration {
  std::int8_t resource_type = 0;
  std::string resource_name;
  std::vector<core::ConfigChange> changes;
  bool only_these = false;  // what is not among the changes is taken back
  bool validate_only = false;
};

std::expected<void, core::TopicFault> alter(core::Broker& broker, const Alteration& wanted);

// Answers each resource of either request; one that is named twice is refused in both places. `changes_of` reads one
// entry of a resource.
template <class Request, class Response, class ChangesOf>
void alter_each(core::Broker& broker, const Request& request, bool only_these, Response& response,
                const ChangesOf& changes_of) {
  std::multiset<std::pair<std::int8_t, std::string_view>> named;
  for (const auto& resource : request.resources) named.emplace(resource.resource_type, resource.resource_name);
  for (const auto& resource : request.resources) {
    auto& answer = response.responses.emplace_back();
    answer.resource_type = resource.resource_type;
    answer.resource_name = resource.resource_name;
    answer.error_message.reset();
    if (named.count({resource.resource_type, resource.resource_name}) > 1) {
      answer.error_code = protocol::ErrorCode::invalid_request;
      answer.error_message = "the request names this resource twice";
      continue;
    }
    Alteration wanted{.resource_type = resource.resource_type,
                      .resource_name = resource.resource_name,
                      .changes = {},
                      .only_these = only_these,
                      .validate_only = request.validate_only};
    for (const auto& config : resource.configs) wanted.changes.push_back(changes_of(config));
    const auto done = alter(broker, wanted);
    if (done) continue;
    answer.error_code = done.error().code;
    answer.error_message = done.error().message;
  }
}

}  // namespace iolab::handlers
