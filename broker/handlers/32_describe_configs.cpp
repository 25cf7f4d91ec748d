// DescribeConfigs, versions 1 to 4: the settings in force of topics and of this broker.
//
// Behaviour    All settings, or those named; each with its source, and on demand with what it overrides and a line of
//              documentation. Everything comes from the table of core/properties.
// Not here     loggers, dynamic settings, sensitive values (there are none).
#include "broker/protocol/messages/32_describe_configs.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "broker/handlers/config_entries.h"
#include "broker/handlers/entries.h"

namespace iolab::handlers {
namespace {

using protocol::DescribeConfigsRequest;
using protocol::DescribeConfigsResponse;
using protocol::ErrorCode;
using Answer = DescribeConfigsResponse::Result;

void list(const DescribeConfigsRequest& wanted, const DescribeConfigsRequest::Resource& asked,
          const std::vector<ConfigEntry>& entries, Answer& answer) {
  for (const ConfigEntry& entry : entries) {
    const auto& keys = asked.configuration_keys;
    if (keys && std::ranges::find(*keys, entry.name) == keys->end()) continue;
    auto& config = answer.configs.emplace_back();
    config.name = entry.name;
    config.value = entry.value;
    const auto type = entry.property->type;
    const bool is_text = type == core::PropertyType::string || type == core::PropertyType::list;
    if (entry.value.empty() && !is_text) config.value.reset();  // not given: another property counts
    config.read_only = entry.read_only;
    config.config_source = static_cast<std::int8_t>(entry.source);
    config.config_type = static_cast<std::int8_t>(entry.property->type);
    config.documentation.reset();
    if (wanted.include_documentation) config.documentation = std::string{entry.property->summary};
    if (!wanted.include_synonyms) continue;
    for (const auto& origin : entry.origins) {
      config.synonyms.push_back(
          {.name = origin.name, .value = origin.value, .source = static_cast<std::int8_t>(origin.source)});
    }
  }
}

void describe(const core::Broker& broker, const DescribeConfigsRequest& wanted,
              const DescribeConfigsRequest::Resource& asked, Answer& answer) {
  answer.resource_type = asked.resource_type;
  answer.resource_name = asked.resource_name;
  answer.error_message.reset();
  if (asked.resource_type == kTopicResource) {
    const core::TopicPointer topic = broker.topics().find(asked.resource_name);
    if (topic) return list(wanted, asked, topic_config_entries(broker.settings(), *topic), answer);
    answer.error_code = storage::is_valid_topic_name(asked.resource_name) ? ErrorCode::unknown_topic_or_partition
                                                                          : ErrorCode::invalid_topic_exception;
    return;
  }
  if (asked.resource_type == kBrokerResource && asked.resource_name.empty()) return;  // defaults of a cluster: none
  if (asked.resource_type == kBrokerResource && asked.resource_name == std::to_string(broker.node_id())) {
    return list(wanted, asked, broker_config_entries(broker.settings()), answer);
  }
  answer.error_code = ErrorCode::invalid_request;
  answer.error_message = asked.resource_type == kBrokerResource
                             ? "this broker is " + std::to_string(broker.node_id()) + "; ask it for itself"
                             : "only topics (2) and brokers (4) have settings here";
}

Outcome handle(Request& request, DescribeConfigsRequest& wanted, base::GatherBuffer& out) {
  DescribeConfigsResponse response;
  for (const auto& asked : wanted.resources) describe(request.broker, wanted, asked, response.results.emplace_back());
  return answer(request, response, out);
}

}  // namespace

ApiEntry describe_configs() {
  return {&protocol::kDescribeConfigs, decode_and_handle<DescribeConfigsRequest, handle>,
          "Topics and this broker, with sources, synonyms and documentation. No loggers, no dynamic settings."};
}

}  // namespace iolab::handlers
