// An API of the protocol: its key, the versions spoken here, and where the flexible encoding starts.
//
// Each message header defines one constant of this type. Sources: Kafka's message JSON (trunk after 4.3) for keys and
// flexible versions; KIP-896 for the lower bounds.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

namespace iolab::protocol {

enum class ApiKey : std::int16_t {
  produce = 0,
  fetch = 1,
  list_offsets = 2,
  metadata = 3,
  offset_commit = 8,
  offset_fetch = 9,
  find_coordinator = 10,
  join_group = 11,
  heartbeat = 12,
  leave_group = 13,
  sync_group = 14,
  describe_groups = 15,
  list_groups = 16,
  api_versions = 18,
  create_topics = 19,
  delete_topics = 20,
  delete_records = 21,
  init_producer_id = 22,
  offset_for_leader_epoch = 23,
  add_partitions_to_txn = 24,
  add_offsets_to_txn = 25,
  end_txn = 26,
  write_txn_markers = 27,
  txn_offset_commit = 28,
  describe_configs = 32,
  alter_configs = 33,
  describe_log_dirs = 35,
  create_partitions = 37,
  delete_groups = 42,
  elect_leaders = 43,
  incremental_alter_configs = 44,
  alter_partition_reassignments = 45,
  list_partition_reassignments = 46,
  offset_delete = 47,
  describe_cluster = 60,
  describe_producers = 61,
  describe_transactions = 65,
  list_transactions = 66,
  describe_topic_partitions = 75,
};

// In "authorized operations" of several responses: the client did not ask.
inline constexpr std::int32_t kNoAuthorizedOperations = std::numeric_limits<std::int32_t>::min();

inline constexpr std::int16_t kNeverFlexible = std::numeric_limits<std::int16_t>::max();

struct Api {
  ApiKey key{};
  std::string_view name;             // Kafka's, "CreateTopics"
  std::int16_t first = 0, last = 0;  // versions that can be read and answered
  std::int16_t flexible = kNeverFlexible;
  std::int16_t advertised_first = first;  // lower than `first` only where clients look at the range for a feature

  constexpr bool speaks(std::int16_t version) const { return version >= first && version <= last; }
  constexpr bool is_flexible(std::int16_t version) const { return version >= flexible; }
  // The answer to ApiVersions has the old header in every version: its reader does not know yet what we speak.
  constexpr bool has_flexible_response_header(std::int16_t version) const {
    return is_flexible(version) && key != ApiKey::api_versions;
  }
};

}  // namespace iolab::protocol
