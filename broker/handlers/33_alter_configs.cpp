// AlterConfigs, versions 0 to 2: what a topic has set for itself, all of it: what the request does not name is taken
// back.
//
// Behaviour    All settings of a topic or none; in force, and on the disk, when the answer is sent. validate_only
// checks
//              and changes nothing. A setting of the broker is refused: it is read at the start.
#include "broker/protocol/messages/33_alter_configs.h"

#include "broker/handlers/config_alterations.h"
#include "broker/handlers/disk_request.h"
#include "broker/handlers/entries.h"

namespace iolab::handlers {
namespace {

using protocol::AlterConfigsRequest;
using protocol::AlterConfigsResponse;

Outcome handle(Request& request, AlterConfigsRequest& wanted, base::GatherBuffer& out) {
  AlterConfigsResponse response;
  alter_each(request.broker, wanted, true, response, [](const AlterConfigsRequest::Resource::Config& config) {
    return core::ConfigChange{.name = config.name, .operation = core::ConfigOperation::set, .value = config.value};
  });
  return answer(request, response, out);
}

}  // namespace

ApiEntry alter_configs() {
  return {
      &protocol::kAlterConfigs, decode_and_handle<AlterConfigsRequest, run_at_the_disk<AlterConfigsRequest, handle>>,
      "Topics, at once and for good; `validate_only`. Settings of the broker are refused: they are read at its start."};
}

}  // namespace iolab::handlers
