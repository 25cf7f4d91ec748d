// The one table of APIs: key, versions, how to decode, who answers. What is not in it is not advertised; the answer to
// ApiVersions and docs/PROTOCOL_SUPPORT.md are made from it.
#pragma once

#include <span>
#include <string>

#include "broker/handlers/handler.h"

namespace iolab::handlers {

std::span<const ApiEntry> apis();  // by ascending key

// One frame, without its size. Unknown APIs and versions close the connection, except for ApiVersions, which says what
// is spoken. `header` and `body` of `request` are filled in here.
Outcome dispatch(base::Bytes frame, core::Broker& broker, core::Moment now, const core::Wakeup& sleeper,
                 core::Wakeups& wakeups, base::GatherBuffer& out);

// The text of docs/PROTOCOL_SUPPORT.md.
std::string describe_support();

}  // namespace iolab::handlers
