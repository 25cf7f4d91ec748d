// IncrementalAlterConfigs, versions 0 and 1: changes of what a topic has set for itself.
//
// Behaviour    SET, DELETE (the broker's default holds again), and of lists APPEND and SUBTRACT, which begin with what
// is
//              in force. All changes of a topic or none; in force, and on the disk, when the answer is sent.
//              validate_only checks and changes nothing. A setting of the broker is refused: it is read at the start.
#include "broker/protocol/messages/44_incremental_alter_configs.h"

#include "broker/handlers/config_alterations.h"
#include "broker/handlers/disk_request.h"
#include "broker/handlers/entries.h"

namespace iolab::handlers {
namespace {

using protocol::IncrementalAlterConfigsRequest;
using protocol::IncrementalAlterConfigsResponse;

Outcome handle(Request& request, IncrementalAlterConfigsRequest& wanted, base::GatherBuffer& out) {
  IncrementalAlterConfigsResponse response;
  alter_each(request.broker, wanted, false, response,
             [](const IncrementalAlterConfigsRequest::Resource::Config& config) {
               return core::ConfigChange{.name = config.name,
                                         .operation = static_cast<core::ConfigOperation>(config.config_operation),
                                         .value = config.value};
             });
  return answer(request, response, out);
}

}  // namespace

ApiEntry incremental_alter_configs() {
  return {
      &protocol::kIncrementalAlterConfigs,
      decode_and_handle<IncrementalAlterConfigsRequest, run_at_the_disk<IncrementalAlterConfigsRequest, handle>>,
      "Topics: set, delete, append to and subtract from lists, at once and for good; `validate_only`. Settings of the "
      "broker are refused: they are read at its start."};
}

}  // namespace iolab::handlers
