// The handful of questions that commands, tests and a load's preparation ask a broker about topics and records, each
// one call of the protocol client. Errors are sentences that carry Kafka's name for the error.
//
// For one broker: the one that was connected to leads every partition. A partition that is led elsewhere answers with
// NOT_LEADER_OR_FOLLOWER, and the sentence says so.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "broker/protocol/messages/02_list_offsets.h"
#include "broker/protocol/messages/03_metadata.h"
#include "clients/protocol_client.h"

namespace iolab::clients {

using TopicConfig = std::vector<std::pair<std::string, std::string>>;

// `partitions` -1: the broker's default. False: the topic was there already.
Result<bool> create_topic(ProtocolClient& client, const std::string& topic, int partitions, const TopicConfig& config);
Result<void> delete_topic(ProtocolClient& client, const std::string& topic);

// An empty list: of all topics. Never creates any.
Result<protocol::MetadataResponse> describe_topics(ProtocolClient& client, const std::vector<std::string>& topics);
// How many partitions the topic has; `create`: let the broker create it, if it does that by itself.
Result<int> count_partitions(ProtocolClient& client, const std::string& topic, bool create = false);

// `timestamp`: milliseconds, or protocol::kEarliestTimestamp or kLatestTimestamp. -1: no record is that late.
Result<std::int64_t> offset_at(ProtocolClient& client, const std::string& topic, int partition, std::int64_t timestamp);

// One batch, sent and acknowledged. Gives its base offset (-1 with acks=0).
Result<std::int64_t> produce_batch(ProtocolClient& client, const std::string& topic, int partition, base::Bytes batch,
                                   int acks);
// The two halves of it, for several on their way.
Result<void> send_batch(ProtocolClient& client, const std::string& topic, int partition, base::Bytes batch, int acks);
Result<std::int64_t> receive_acknowledgement(ProtocolClient& client);

struct FetchedRecords {
  base::Bytes records;  // whole batches, perhaps with a cut one at the end; valid until the client's next receive
  std::int64_t high_watermark = 0;
};
struct FetchLimits {
  int max_wait_ms = 500;
  int min_bytes = 1;
  int max_bytes = 1 << 20;
};
Result<FetchedRecords> fetch_records(ProtocolClient& client, const std::string& topic, int partition,
                                     std::int64_t offset, const FetchLimits& limits);

// "what: NAME (message)", and what to do about the commonest ones.
Failure broker_error(const std::string& what, protocol::ErrorCode code, const std::string& message = "");

}  // namespace iolab::clients
