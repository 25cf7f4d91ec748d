// DescribeCluster, versions 0 and 1: the cluster's id, its controller and its brokers: always this one.
//
// Not here     controllers as endpoints (type 2): MISMATCHED_ENDPOINT_TYPE; authorised operations.
#include "broker/protocol/messages/60_describe_cluster.h"

#include "broker/handlers/entries.h"

namespace iolab::handlers {
namespace {

using protocol::DescribeClusterRequest;
using protocol::DescribeClusterResponse;
using protocol::ErrorCode;

constexpr std::int8_t kBrokers = 1;

Outcome handle(Request& request, DescribeClusterRequest& wanted, base::GatherBuffer& out) {
  const core::Broker& broker = request.broker;
  DescribeClusterResponse response;
  response.endpoint_type = wanted.endpoint_type;
  if (wanted.endpoint_type != kBrokers) {
    response.error_code = ErrorCode::mismatched_endpoint_type;
    response.error_message = "this is a broker; ask for endpoint type 1";
    return answer(request, response, out);
  }
  response.cluster_id = broker.cluster_id();
  response.controller_id = broker.node_id();
  response.brokers.push_back({.broker_id = broker.node_id(),
                              .host = broker.endpoint().host,
                              .port = broker.endpoint().port,
                              .rack = std::nullopt});
  return answer(request, response, out);
}

}  // namespace

ApiEntry describe_cluster() {
  return {&protocol::kDescribeCluster, decode_and_handle<DescribeClusterRequest, handle>,
          "This broker. No authorised operations."};
}

}  // namespace iolab::handlers
