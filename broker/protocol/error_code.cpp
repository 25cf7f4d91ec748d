// One row for each code, in the order of the numbers.
#include "broker/protocol/error_code.h"

#include <algorithm>
#include <iterator>

namespace iolab::protocol {
namespace {

enum class Retry : std::uint8_t { no, yes, after_refresh };

struct Row {
  ErrorCode code;
  std::string_view name;
  Retry retry;
};

using enum ErrorCode;
constexpr Row kRows[] = {
    {unknown_server_error, "UNKNOWN_SERVER_ERROR", Retry::no},
    {none, "NONE", Retry::no},
    {offset_out_of_range, "OFFSET_OUT_OF_RANGE", Retry::no},
    {corrupt_message, "CORRUPT_MESSAGE", Retry::yes},
    {unknown_topic_or_partition, "UNKNOWN_TOPIC_OR_PARTITION", Retry::after_refresh},
    {invalid_fetch_size, "INVALID_FETCH_SIZE", Retry::no},
    {leader_not_available, "LEADER_NOT_AVAILABLE", Retry::after_refresh},
    {not_leader_or_follower, "NOT_LEADER_OR_FOLLOWER", Retry::after_refresh},
    {request_timed_out, "REQUEST_TIMED_OUT", Retry::yes},
    {broker_not_available, "BROKER_NOT_AVAILABLE", Retry::no},
    {replica_not_available, "REPLICA_NOT_AVAILABLE", Retry::after_refresh},
    {message_too_large, "MESSAGE_TOO_LARGE", Retry::no},
    {stale_controller_epoch, "STALE_CONTROLLER_EPOCH", Retry::no},
    {offset_metadata_too_large, "OFFSET_METADATA_TOO_LARGE", Retry::no},
    {network_exception, "NETWORK_EXCEPTION", Retry::after_refresh},
    {coordinator_load_in_progress, "COORDINATOR_LOAD_IN_PROGRESS", Retry::yes},
    {coordinator_not_available, "COORDINATOR_NOT_AVAILABLE", Retry::after_refresh},
    {not_coordinator, "NOT_COORDINATOR", Retry::after_refresh},
    {invalid_topic_exception, "INVALID_TOPIC_EXCEPTION", Retry::no},
    {record_list_too_large, "RECORD_LIST_TOO_LARGE", Retry::no},
    {not_enough_replicas, "NOT_ENOUGH_REPLICAS", Retry::yes},
    {not_enough_replicas_after_append, "NOT_ENOUGH_REPLICAS_AFTER_APPEND", Retry::yes},
    {invalid_required_acks, "INVALID_REQUIRED_ACKS", Retry::no},
    {illegal_generation, "ILLEGAL_GENERATION", Retry::no},
    {inconsistent_group_protocol, "INCONSISTENT_GROUP_PROTOCOL", Retry::no},
    {invalid_group_id, "INVALID_GROUP_ID", Retry::no},
    {unknown_member_id, "UNKNOWN_MEMBER_ID", Retry::no},
    {invalid_session_timeout, "INVALID_SESSION_TIMEOUT", Retry::no},
    {rebalance_in_progress, "REBALANCE_IN_PROGRESS", Retry::no},
    {invalid_commit_offset_size, "INVALID_COMMIT_OFFSET_SIZE", Retry::no},
    {topic_authorization_failed, "TOPIC_AUTHORIZATION_FAILED", Retry::no},
    {group_authorization_failed, "GROUP_AUTHORIZATION_FAILED", Retry::no},
    {cluster_authorization_failed, "CLUSTER_AUTHORIZATION_FAILED", Retry::no},
    {invalid_timestamp, "INVALID_TIMESTAMP", Retry::no},
    {unsupported_sasl_mechanism, "UNSUPPORTED_SASL_MECHANISM", Retry::no},
    {illegal_sasl_state, "ILLEGAL_SASL_STATE", Retry::no},
    {unsupported_version, "UNSUPPORTED_VERSION", Retry::no},
    {topic_already_exists, "TOPIC_ALREADY_EXISTS", Retry::no},
    {invalid_partitions, "INVALID_PARTITIONS", Retry::no},
    {invalid_replication_factor, "INVALID_REPLICATION_FACTOR", Retry::no},
    {invalid_replica_assignment, "INVALID_REPLICA_ASSIGNMENT", Retry::no},
    {invalid_config, "INVALID_CONFIG", Retry::no},
    {not_controller, "NOT_CONTROLLER", Retry::yes},
    {invalid_request, "INVALID_REQUEST", Retry::no},
    {unsupported_for_message_format, "UNSUPPORTED_FOR_MESSAGE_FORMAT", Retry::no},
    {policy_violation, "POLICY_VIOLATION", Retry::no},
    {out_of_order_sequence_number, "OUT_OF_ORDER_SEQUENCE_NUMBER", Retry::no},
    {duplicate_sequence_number, "DUPLICATE_SEQUENCE_NUMBER", Retry::no},
    {invalid_producer_epoch, "INVALID_PRODUCER_EPOCH", Retry::no},
    {invalid_txn_state, "INVALID_TXN_STATE", Retry::no},
    {invalid_producer_id_mapping, "INVALID_PRODUCER_ID_MAPPING", Retry::no},
    {invalid_transaction_timeout, "INVALID_TRANSACTION_TIMEOUT", Retry::no},
    {concurrent_transactions, "CONCURRENT_TRANSACTIONS", Retry::yes},
    {transaction_coordinator_fenced, "TRANSACTION_COORDINATOR_FENCED", Retry::no},
    {transactional_id_authorization_failed, "TRANSACTIONAL_ID_AUTHORIZATION_FAILED", Retry::no},
    {security_disabled, "SECURITY_DISABLED", Retry::no},
    {operation_not_attempted, "OPERATION_NOT_ATTEMPTED", Retry::no},
    {kafka_storage_error, "KAFKA_STORAGE_ERROR", Retry::after_refresh},
    {log_dir_not_found, "LOG_DIR_NOT_FOUND", Retry::no},
    {sasl_authentication_failed, "SASL_AUTHENTICATION_FAILED", Retry::no},
    {unknown_producer_id, "UNKNOWN_PRODUCER_ID", Retry::no},
    {reassignment_in_progress, "REASSIGNMENT_IN_PROGRESS", Retry::no},
    {delegation_token_auth_disabled, "DELEGATION_TOKEN_AUTH_DISABLED", Retry::no},
    {delegation_token_not_found, "DELEGATION_TOKEN_NOT_FOUND", Retry::no},
    {delegation_token_owner_mismatch, "DELEGATION_TOKEN_OWNER_MISMATCH", Retry::no},
    {delegation_token_request_not_allowed, "DELEGATION_TOKEN_REQUEST_NOT_ALLOWED", Retry::no},
    {delegation_token_authorization_failed, "DELEGATION_TOKEN_AUTHORIZATION_FAILED", Retry::no},
    {delegation_token_expired, "DELEGATION_TOKEN_EXPIRED", Retry::no},
    {invalid_principal_type, "INVALID_PRINCIPAL_TYPE", Retry::no},
    {non_empty_group, "NON_EMPTY_GROUP", Retry::no},
    {group_id_not_found, "GROUP_ID_NOT_FOUND", Retry::no},
    {fetch_session_id_not_found, "FETCH_SESSION_ID_NOT_FOUND", Retry::yes},
    {invalid_fetch_session_epoch, "INVALID_FETCH_SESSION_EPOCH", Retry::yes},
    {listener_not_found, "LISTENER_NOT_FOUND", Retry::after_refresh},
    {topic_deletion_disabled, "TOPIC_DELETION_DISABLED", Retry::no},
    {fenced_leader_epoch, "FENCED_LEADER_EPOCH", Retry::after_refresh},
    {unknown_leader_epoch, "UNKNOWN_LEADER_EPOCH", Retry::yes},
    {unsupported_compression_type, "UNSUPPORTED_COMPRESSION_TYPE", Retry::no},
    {stale_broker_epoch, "STALE_BROKER_EPOCH", Retry::no},
    {offset_not_available, "OFFSET_NOT_AVAILABLE", Retry::yes},
    {member_id_required, "MEMBER_ID_REQUIRED", Retry::no},
    {preferred_leader_not_available, "PREFERRED_LEADER_NOT_AVAILABLE", Retry::after_refresh},
    {group_max_size_reached, "GROUP_MAX_SIZE_REACHED", Retry::no},
    {fenced_instance_id, "FENCED_INSTANCE_ID", Retry::no},
    {eligible_leaders_not_available, "ELIGIBLE_LEADERS_NOT_AVAILABLE", Retry::after_refresh},
    {election_not_needed, "ELECTION_NOT_NEEDED", Retry::after_refresh},
    {no_reassignment_in_progress, "NO_REASSIGNMENT_IN_PROGRESS", Retry::no},
    {group_subscribed_to_topic, "GROUP_SUBSCRIBED_TO_TOPIC", Retry::no},
    {invalid_record, "INVALID_RECORD", Retry::no},
    {unstable_offset_commit, "UNSTABLE_OFFSET_COMMIT", Retry::yes},
    {throttling_quota_exceeded, "THROTTLING_QUOTA_EXCEEDED", Retry::yes},
    {producer_fenced, "PRODUCER_FENCED", Retry::no},
    {resource_not_found, "RESOURCE_NOT_FOUND", Retry::no},
    {duplicate_resource, "DUPLICATE_RESOURCE", Retry::no},
    {unacceptable_credential, "UNACCEPTABLE_CREDENTIAL", Retry::no},
    {inconsistent_voter_set, "INCONSISTENT_VOTER_SET", Retry::no},
    {invalid_update_version, "INVALID_UPDATE_VERSION", Retry::no},
    {feature_update_failed, "FEATURE_UPDATE_FAILED", Retry::no},
    {principal_deserialization_failure, "PRINCIPAL_DESERIALIZATION_FAILURE", Retry::no},
    {snapshot_not_found, "SNAPSHOT_NOT_FOUND", Retry::no},
    {position_out_of_range, "POSITION_OUT_OF_RANGE", Retry::no},
    {unknown_topic_id, "UNKNOWN_TOPIC_ID", Retry::after_refresh},
    {duplicate_broker_registration, "DUPLICATE_BROKER_REGISTRATION", Retry::no},
    {broker_id_not_registered, "BROKER_ID_NOT_REGISTERED", Retry::no},
    {inconsistent_topic_id, "INCONSISTENT_TOPIC_ID", Retry::after_refresh},
    {inconsistent_cluster_id, "INCONSISTENT_CLUSTER_ID", Retry::no},
    {transactional_id_not_found, "TRANSACTIONAL_ID_NOT_FOUND", Retry::no},
    {fetch_session_topic_id_error, "FETCH_SESSION_TOPIC_ID_ERROR", Retry::yes},
    {ineligible_replica, "INELIGIBLE_REPLICA", Retry::no},
    {new_leader_elected, "NEW_LEADER_ELECTED", Retry::no},
    {offset_moved_to_tiered_storage, "OFFSET_MOVED_TO_TIERED_STORAGE", Retry::no},
    {fenced_member_epoch, "FENCED_MEMBER_EPOCH", Retry::no},
    {unreleased_instance_id, "UNRELEASED_INSTANCE_ID", Retry::no},
    {unsupported_assignor, "UNSUPPORTED_ASSIGNOR", Retry::no},
    {stale_member_epoch, "STALE_MEMBER_EPOCH", Retry::no},
    {mismatched_endpoint_type, "MISMATCHED_ENDPOINT_TYPE", Retry::no},
    {unsupported_endpoint_type, "UNSUPPORTED_ENDPOINT_TYPE", Retry::no},
    {unknown_controller_id, "UNKNOWN_CONTROLLER_ID", Retry::no},
    {unknown_subscription_id, "UNKNOWN_SUBSCRIPTION_ID", Retry::no},
    {telemetry_too_large, "TELEMETRY_TOO_LARGE", Retry::no},
    {invalid_registration, "INVALID_REGISTRATION", Retry::no},
    {transaction_abortable, "TRANSACTION_ABORTABLE", Retry::no},
    {invalid_record_state, "INVALID_RECORD_STATE", Retry::no},
    {share_session_not_found, "SHARE_SESSION_NOT_FOUND", Retry::yes},
    {invalid_share_session_epoch, "INVALID_SHARE_SESSION_EPOCH", Retry::yes},
    {fenced_state_epoch, "FENCED_STATE_EPOCH", Retry::no},
    {invalid_voter_key, "INVALID_VOTER_KEY", Retry::no},
    {duplicate_voter, "DUPLICATE_VOTER", Retry::no},
    {voter_not_found, "VOTER_NOT_FOUND", Retry::no},
    {invalid_regular_expression, "INVALID_REGULAR_EXPRESSION", Retry::no},
    {rebootstrap_required, "REBOOTSTRAP_REQUIRED", Retry::no},
    {streams_invalid_topology, "STREAMS_INVALID_TOPOLOGY", Retry::no},
    {streams_invalid_topology_epoch, "STREAMS_INVALID_TOPOLOGY_EPOCH", Retry::no},
    {streams_topology_fenced, "STREAMS_TOPOLOGY_FENCED", Retry::no},
    {share_session_limit_reached, "SHARE_SESSION_LIMIT_REACHED", Retry::yes},
    {group_deletion_failed, "GROUP_DELETION_FAILED", Retry::no},
    {streams_topology_description_update_failed, "STREAMS_TOPOLOGY_DESCRIPTION_UPDATE_FAILED", Retry::no},
    {controller_id_not_registered, "CONTROLLER_ID_NOT_REGISTERED", Retry::no},
};
static_assert(std::ranges::is_sorted(kRows, {}, &Row::code));

const Row* find(ErrorCode code) {
  const Row* row = std::ranges::lower_bound(kRows, code, {}, &Row::code);
  return row != std::end(kRows) && row->code == code ? row : nullptr;
}

}  // namespace

std::string_view name(ErrorCode code) {
  const Row* row = find(code);
  return row != nullptr ? row->name : "UNKNOWN_ERROR_CODE";
}

bool is_retriable(ErrorCode code) {
  const Row* row = find(code);
  return row != nullptr && row->retry != Retry::no;
}

bool calls_for_new_metadata(ErrorCode code) {
  const Row* row = find(code);
  return row != nullptr && row->retry == Retry::after_refresh;
}

}  // namespace iolab::protocol
