// What a broker can be told, typed. Every member is named in the one table of properties.cpp, which holds its Kafka
// name, unit, range and default: nothing has a default here, so that no default exists twice.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>

namespace iolab::core {

// When an acknowledged record is on the disk.
enum class FlushPolicy : std::uint8_t {
  os,        // acknowledged: in the page cache. Survives a crash of the process, not of the machine (Kafka's default)
  interval,  // as `os`, and fsync every log.flush.interval.ms
  commit,    // acks=1 and acks=all answer after fsync, many requests sharing one
};

// What a topic may set for itself. Kafka's topic-level names; the broker's own values are the defaults.
struct TopicSettings {
  std::int64_t retention_ms;     // -1: for ever
  std::int64_t retention_bytes;  // of one partition; -1: no limit
  std::int64_t segment_bytes;
  std::int64_t segment_ms;
  std::int64_t segment_index_bytes;
  std::int64_t index_interval_bytes;
  std::int64_t max_message_bytes;  // of one record batch
  std::int64_t min_insync_replicas;
  std::int64_t flush_interval_ms;
  std::int64_t min_compaction_lag_ms;
  std::int64_t max_compaction_lag_ms;
  std::int64_t delete_retention_ms;  // of tombstones
  double min_cleanable_ratio;
  std::string timestamp_type;  // CreateTime or LogAppendTime
  std::string cleanup_policy;  // compacts() and deletes() read it
  std::string compression_type;
  // What was set of Kafka's settings that have no effect here, by property name: kept to be told again.
  std::map<std::string, std::string, std::less<>> without_effect;

  bool compacts() const { return cleanup_policy.find("compact") != std::string::npos; }
  bool deletes() const { return cleanup_policy.find("delete") != std::string::npos; }
};

// A setting's text as it was given, by property name: what DescribeConfigs reports as set, and what a topic stores.
using Overrides = std::map<std::string, std::string, std::less<>>;

struct BrokerSettings {
  std::string listeners;
  std::string advertised_listeners;
  std::string log_dirs;
  std::string cluster_id;  // empty: the data directory's own, made at its first start
  std::string flush;       // as text; flush_policy() reads it
  std::string fetch_cold;  // who waits for the disk: inline, pool or io_uring
  std::int64_t node_id;
  std::int64_t broker_id;
  std::int64_t num_partitions;
  std::int64_t default_replication_factor;
  std::int64_t socket_request_max_bytes;
  std::int64_t fetch_max_bytes;
  std::int64_t fetch_session_slots;
  std::int64_t connections_max_idle_ms;
  std::int64_t roll_hours;         // counts if log.roll.ms is not given
  std::int64_t retention_minutes;  // counts if log.retention.ms is not given
  std::int64_t retention_hours;    // counts if neither is given
  std::int64_t retention_check_interval_ms;
  std::int64_t producer_id_expiration_ms;
  std::int64_t group_min_session_timeout_ms;
  std::int64_t group_max_session_timeout_ms;
  std::int64_t group_initial_rebalance_delay_ms;
  std::int64_t group_max_size;  // members
  std::int64_t offset_metadata_max_bytes;
  std::int64_t offsets_retention_minutes;
  std::int64_t offsets_retention_check_interval_ms;
  std::int64_t offsets_partitions;          // of __consumer_offsets
  std::int64_t offsets_replication_factor;  // the same
  std::int64_t offsets_segment_bytes;       // the same
  std::int64_t cleaner_backoff_ms;
  std::int64_t cleaner_key_bytes;
  std::int64_t transactional_id_expiration_ms;
  std::int64_t transaction_max_timeout_ms;
  std::int64_t transaction_abort_interval_ms;   // of no effect: every transaction has a deadline of its own
  std::int64_t transaction_expiry_interval_ms;  // how often ids are looked at for their expiration
  std::int64_t transaction_partitions;          // of __transaction_state
  std::int64_t transaction_replication_factor;  // the same
  std::int64_t transaction_min_isr;             // the same
  std::int64_t transaction_segment_bytes;       // the same
  std::int64_t requests_per_turn;
  std::int64_t output_high_water_bytes;
  std::int64_t spin_rounds;
  // Of all topics together: each holds descriptors, and a broker without any left cannot even start again. Not a
  // property: whoever starts the broker knows how many it may open.
  std::int64_t most_partitions = std::numeric_limits<std::int64_t>::max();
  bool any_replication_factor;
  bool auto_create_topics;
  bool delete_topics;
  bool cleaner;              // whether logs are compacted
  bool verify_transactions;  // whether a batch's partition has been added to its transaction
  bool fetch_read_ahead;     // false: the kernel reads what a fetch asks for and no more

  TopicSettings topic_defaults;
  Overrides given;  // what was set by file or command line, by name

  FlushPolicy flush_policy() const {
    return flush == "commit" ? FlushPolicy::commit : flush == "interval" ? FlushPolicy::interval : FlushPolicy::os;
  }
};

}  // namespace iolab::core
