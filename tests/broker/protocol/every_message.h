// The list of messages that the tests and the fuzz harnesses of the protocol go through. A message that is missing here
// is missing in the schema facts' test too, which counts them.
#pragma once

#include "broker/protocol/messages/00_produce.h"
#include "broker/protocol/messages/01_fetch.h"
#include "broker/protocol/messages/02_list_offsets.h"
#include "broker/protocol/messages/03_metadata.h"
#include "broker/protocol/messages/08_offset_commit.h"
#include "broker/protocol/messages/09_offset_fetch.h"
#include "broker/protocol/messages/10_find_coordinator.h"
#include "broker/protocol/messages/11_join_group.h"
#include "broker/protocol/messages/12_heartbeat.h"
#include "broker/protocol/messages/13_leave_group.h"
#include "broker/protocol/messages/14_sync_group.h"
#include "broker/protocol/messages/15_describe_groups.h"
#include "broker/protocol/messages/16_list_groups.h"
#include "broker/protocol/messages/18_api_versions.h"
#include "broker/protocol/messages/19_create_topics.h"
#include "broker/protocol/messages/20_delete_topics.h"
#include "broker/protocol/messages/21_delete_records.h"
#include "broker/protocol/messages/22_init_producer_id.h"
#include "broker/protocol/messages/23_offset_for_leader_epoch.h"
#include "broker/protocol/messages/24_add_partitions_to_txn.h"
#include "broker/protocol/messages/25_add_offsets_to_txn.h"
#include "broker/protocol/messages/26_end_txn.h"
#include "broker/protocol/messages/27_write_txn_markers.h"
#include "broker/protocol/messages/28_txn_offset_commit.h"
#include "broker/protocol/messages/32_describe_configs.h"
#include "broker/protocol/messages/33_alter_configs.h"
#include "broker/protocol/messages/35_describe_log_dirs.h"
#include "broker/protocol/messages/37_create_partitions.h"
#include "broker/protocol/messages/42_delete_groups.h"
#include "broker/protocol/messages/43_elect_leaders.h"
#include "broker/protocol/messages/44_incremental_alter_configs.h"
#include "broker/protocol/messages/45_alter_partition_reassignments.h"
#include "broker/protocol/messages/46_list_partition_reassignments.h"
#include "broker/protocol/messages/47_offset_delete.h"
#include "broker/protocol/messages/60_describe_cluster.h"
#include "broker/protocol/messages/61_describe_producers.h"
#include "broker/protocol/messages/65_describe_transactions.h"
#include "broker/protocol/messages/66_list_transactions.h"
#include "broker/protocol/messages/75_describe_topic_partitions.h"

namespace iolab::protocol {

// Calls visit.template operator()<Request, Response>() for each API.
template <class Visit>
void for_each_api(Visit&& visit) {
  visit.template operator()<ProduceRequest, ProduceResponse>();
  visit.template operator()<FetchRequest, FetchResponse>();
  visit.template operator()<ListOffsetsRequest, ListOffsetsResponse>();
  visit.template operator()<MetadataRequest, MetadataResponse>();
  visit.template operator()<OffsetCommitRequest, OffsetCommitResponse>();
  visit.template operator()<OffsetFetchRequest, OffsetFetchResponse>();
  visit.template operator()<FindCoordinatorRequest, FindCoordinatorResponse>();
  visit.template operator()<JoinGroupRequest, JoinGroupResponse>();
  visit.template operator()<HeartbeatRequest, HeartbeatResponse>();
  visit.template operator()<LeaveGroupRequest, LeaveGroupResponse>();
  visit.template operator()<SyncGroupRequest, SyncGroupResponse>();
  visit.template operator()<DescribeGroupsRequest, DescribeGroupsResponse>();
  visit.template operator()<ListGroupsRequest, ListGroupsResponse>();
  visit.template operator()<ApiVersionsRequest, ApiVersionsResponse>();
  visit.template operator()<CreateTopicsRequest, CreateTopicsResponse>();
  visit.template operator()<DeleteTopicsRequest, DeleteTopicsResponse>();
  visit.template operator()<DeleteRecordsRequest, DeleteRecordsResponse>();
  visit.template operator()<InitProducerIdRequest, InitProducerIdResponse>();
  visit.template operator()<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>();
  visit.template operator()<AddPartitionsToTxnRequest, AddPartitionsToTxnResponse>();
  visit.template operator()<AddOffsetsToTxnRequest, AddOffsetsToTxnResponse>();
  visit.template operator()<EndTxnRequest, EndTxnResponse>();
  visit.template operator()<WriteTxnMarkersRequest, WriteTxnMarkersResponse>();
  visit.template operator()<TxnOffsetCommitRequest, TxnOffsetCommitResponse>();
  visit.template operator()<DescribeConfigsRequest, DescribeConfigsResponse>();
  visit.template operator()<AlterConfigsRequest, AlterConfigsResponse>();
  visit.template operator()<DescribeLogDirsRequest, DescribeLogDirsResponse>();
  visit.template operator()<CreatePartitionsRequest, CreatePartitionsResponse>();
  visit.template operator()<DeleteGroupsRequest, DeleteGroupsResponse>();
  visit.template operator()<ElectLeadersRequest, ElectLeadersResponse>();
  visit.template operator()<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>();
  visit.template operator()<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse>();
  visit.template operator()<ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse>();
  visit.template operator()<OffsetDeleteRequest, OffsetDeleteResponse>();
  visit.template operator()<DescribeClusterRequest, DescribeClusterResponse>();
  visit.template operator()<DescribeProducersRequest, DescribeProducersResponse>();
  visit.template operator()<DescribeTransactionsRequest, DescribeTransactionsResponse>();
  visit.template operator()<ListTransactionsRequest, ListTransactionsResponse>();
  visit.template operator()<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>();
}

// Calls visit(M{}) for each request and response; only the type of its argument matters.
template <class Visit>
void for_each_message(Visit&& visit) {
  for_each_api([&]<class Request, class Response>() {
    visit(Request{});
    visit(Response{});
  });
}

}  // namespace iolab::protocol
