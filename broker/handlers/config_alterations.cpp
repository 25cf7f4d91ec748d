#include "broker/handlers/config_alterations.h"

#include "broker/handlers/config_entries.h"

namespace iolab::handlers {
namespace {

using protocol::ErrorCode;

std::unexpected<core::TopicFault> refuse(ErrorCode code, std::string message) {
  return std::unexpected(core::TopicFault{code, std::move(message)});
}

std::expected<void, core::TopicFault> alter_broker(const core::Broker& broker, const Alteration& wanted) {
  const std::string id = std::to_string(broker.node_id());
  if (!wanted.resource_name.empty() && wanted.resource_name != id) {
    return refuse(ErrorCode::invalid_request, "this broker is " + id + "; ask it for itself");
  }
  for (const core::ConfigChange& change : wanted.changes) {
    if (core::find_property(change.name) == nullptr) {
      return refuse(ErrorCode::invalid_config, "this broker knows no setting " + change.name);
    }
    return refuse(ErrorCode::invalid_request,
                  change.name +
                      " is read when the broker starts: write it into its properties and start it again; what "
                      "a topic can set for itself can be changed there at any time");
  }
  return {};
}

}  // namespace

std::expected<void, core::TopicFault> alter(core::Broker& broker, const Alteration& wanted) {
  if (wanted.resource_type == kBrokerResource) return alter_broker(broker, wanted);
  if (wanted.resource_type != kTopicResource) {
    return refuse(ErrorCode::invalid_request, "only topics (2) and brokers (4) have settings here");
  }
  if (!storage::is_valid_topic_name(wanted.resource_name)) {
    return refuse(ErrorCode::invalid_topic_exception, "no topic can have this name");
  }
  const auto altered =
      broker.alter_topic(wanted.resource_name, wanted.changes, wanted.only_these, wanted.validate_only);
  if (!altered) return std::unexpected(altered.error());
  return {};
}

}  // namespace iolab::handlers
