// ApiVersions, versions 0 to 4: what this broker speaks. The answer is the table of dispatch.cpp.
//
// Behaviour    From version 3 on the client names its software; a name that Kafka's rule refuses is INVALID_REQUEST. A
//              version that is not spoken is answered by dispatch() without looking at the body (KIP-511).
// Not here     features.
#include "broker/protocol/messages/18_api_versions.h"

#include <algorithm>
#include <string_view>

#include "broker/handlers/dispatch.h"
#include "broker/handlers/entries.h"

namespace iolab::handlers {
namespace {

using protocol::ApiVersionsRequest;
using protocol::ApiVersionsResponse;
using protocol::ErrorCode;

constexpr std::int16_t kFirstVersionWithSoftware = 3;

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// [a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?
bool is_software_name(std::string_view name) {
  return !name.empty() && is_letter_or_digit(name.front()) && is_letter_or_digit(name.back()) &&
         std::ranges::all_of(name, [](char c) { return is_letter_or_digit(c) || c == '-' || c == '.'; });
}

Outcome handle(Request& request, ApiVersionsRequest& wanted, base::GatherBuffer& out) {
  ApiVersionsResponse response;
  if (request.header.api_version >= kFirstVersionWithSoftware &&
      (!is_software_name(wanted.client_software_name) || !is_software_name(wanted.client_software_version))) {
    response.error_code = ErrorCode::invalid_request;
    return answer(request, response, out);
  }
  for (const ApiEntry& entry : apis()) {
    response.api_keys.push_back(
        {static_cast<std::int16_t>(entry.api->key), entry.api->advertised_first, entry.api->last});
  }
  return answer(request, response, out);
}

}  // namespace

ApiEntry api_versions() {
  return {
      &protocol::kApiVersions, decode_and_handle<ApiVersionsRequest, handle>,
      "The ranges of this table. An unknown version is answered in version 0 with UNSUPPORTED_VERSION and this API's "
      "own range. No features."};
}

}  // namespace iolab::handlers
