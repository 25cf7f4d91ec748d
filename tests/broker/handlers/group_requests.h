// Requests of groups as clients send them, and a broker that has been asked for its coordinator.
#pragma once

#include "broker/protocol/messages/08_offset_commit.h"
#include "broker/protocol/messages/09_offset_fetch.h"
#include "broker/protocol/messages/10_find_coordinator.h"
#include "broker/protocol/messages/11_join_group.h"
#include "broker/protocol/messages/12_heartbeat.h"
#include "broker/protocol/messages/13_leave_group.h"
#include "broker/protocol/messages/14_sync_group.h"
#include "broker/protocol/messages/15_describe_groups.h"
#include "broker/protocol/messages/16_list_groups.h"
#include "broker/protocol/messages/42_delete_groups.h"
#include "broker/protocol/messages/47_offset_delete.h"
#include "tests/broker/core/test_broker.h"

namespace iolab::test {

inline void find_coordinator(TestBroker& broker) {
  protocol::FindCoordinatorRequest request;
  request.key = "g";
  const auto answer = broker.ask<protocol::FindCoordinatorResponse>(request, 2);
  EXPECT_EQ(answer.error_code, protocol::ErrorCode::none);
  EXPECT_EQ(answer.port, 9092);
}

// A consumer's subscription, version 0.
inline std::string subscription_to(const std::string& topic) {
  std::string bytes(2 + 4, '\0');
  bytes[5] = 1;
  bytes += '\0';
  bytes += static_cast<char>(topic.size());
  return bytes + topic + std::string(4, '\xff');
}

inline protocol::JoinGroupRequest join_request(const std::string& member_id, const std::string& metadata) {
  protocol::JoinGroupRequest request;
  request.group_id = "g";
  request.session_timeout_ms = 10'000;
  request.rebalance_timeout_ms = 60'000;
  request.member_id = member_id;
  request.protocol_type = "consumer";
  const auto kept = std::make_shared<const std::string>(metadata);  // as long as the request is
  request.protocols.push_back({.name = "range", .metadata = protocol::Blob(base::as_bytes(*kept), kept)});
  return request;
}

inline protocol::OffsetCommitRequest commit_request(const std::string& topic, std::int32_t partition,
                                                    std::int64_t offset, const std::string& metadata = "") {
  protocol::OffsetCommitRequest request;
  request.group_id = "g";
  auto& asked = request.topics.emplace_back();
  asked.name = topic;
  asked.partitions.push_back(
      {.partition_index = partition, .committed_offset = offset, .committed_metadata = metadata});
  return request;
}

inline protocol::ErrorCode commit(TestBroker& broker, const protocol::OffsetCommitRequest& request,
                                  std::int16_t version = 8) {
  return broker.ask<protocol::OffsetCommitResponse>(request, version).topics.at(0).partitions.at(0).error_code;
}

inline protocol::OffsetFetchResponse::Topic::Partition fetch_offset(TestBroker& broker, const std::string& topic,
                                                                    std::int32_t partition, std::int16_t version = 7,
                                                                    bool require_stable = false) {
  protocol::OffsetFetchRequest request;
  request.group_id = "g";
  request.topics->push_back({.name = topic, .partition_indexes = {partition}});
  request.require_stable = require_stable;
  return broker.ask<protocol::OffsetFetchResponse>(request, version).topics.at(0).partitions.at(0);
}

// One member that has the whole group, and is stable in it. Returns its id.
inline std::string only_member(TestBroker& broker, const std::string& topic = "t") {
  const std::string metadata = subscription_to(topic);
  Asked joining = broker.send(join_request("", metadata), 2);
  broker.clock.advance(10'000);
  broker->run_timers(broker.clock.now());
  EXPECT_TRUE(broker.resume(joining));
  const auto joined = TestBroker::answer_of<protocol::JoinGroupResponse>(joining, 2);
  protocol::SyncGroupRequest sync;
  sync.group_id = "g";
  sync.generation_id = joined.generation_id;
  sync.member_id = joined.member_id;
  sync.assignments.push_back({.member_id = joined.member_id, .assignment = protocol::Blob(base::as_bytes("all"))});
  const auto synced = broker.ask<protocol::SyncGroupResponse>(sync, 2);
  EXPECT_EQ(synced.error_code, protocol::ErrorCode::none);
  return joined.member_id;
}

inline protocol::ErrorCode heartbeat(TestBroker& broker, const std::string& member, std::int32_t generation) {
  protocol::HeartbeatRequest request;
  request.group_id = "g";
  request.generation_id = generation;
  request.member_id = member;
  return broker.ask<protocol::HeartbeatResponse>(request, 3).error_code;
}

}  // namespace iolab::test
