// What the coordinator writes into __transaction_state, in Kafka's own format: a key with its version, which is a
// transactional id, and a value with its own, which is all that is known of it. The last record of an id counts; one
// without a value says that it is forgotten.
//
// Source: TransactionLogKey and TransactionLogValue of Apache Kafka. Both are written and read in version 0.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "broker/core/groups/offset_table.h"
#include "broker/core/internal_log.h"
#include "broker/core/versioned_record.h"
#include "broker/protocol/field.h"

namespace iolab::core {

// Numbered as in the records. The last two are Kafka's own, for moments that nobody sees here.
enum class TransactionState : std::int8_t {
  empty = 0,
  ongoing = 1,
  prepare_commit = 2,
  prepare_abort = 3,
  complete_commit = 4,
  complete_abort = 5,
  dead = 6,
  prepare_epoch_fence = 7,
};
std::string_view name_of(TransactionState state);  // Kafka's: "PrepareCommit"
std::optional<TransactionState> transaction_state_of(std::string_view name);

struct TransactionKey {
  std::string transactional_id;

  static constexpr void fields(auto&& field) { field("transactional_id", &TransactionKey::transactional_id); }
};

struct TransactionValue {
  struct Topic {
    std::string topic;
    std::vector<std::int32_t> partition_ids;

    bool operator==(const Topic&) const = default;
    static constexpr void fields(auto&& field) {
      field("topic", &Topic::topic);
      field("partition_ids", &Topic::partition_ids);
    }
  };

  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = -1;
  std::int32_t timeout_ms = 0;
  TransactionState status = TransactionState::empty;
  std::optional<std::vector<Topic>> partitions;  // null if empty, and only then
  std::int64_t last_update_ms = -1;              // wall milliseconds
  std::int64_t start_ms = -1;                    // the same; -1: none has begun

  bool operator==(const TransactionValue&) const = default;
  static constexpr void fields(auto&& field) {
    field("producer_id", &TransactionValue::producer_id);
    field("producer_epoch", &TransactionValue::producer_epoch);
    field("timeout_ms", &TransactionValue::timeout_ms);
    field("status", &TransactionValue::status);
    field("partitions", &TransactionValue::partitions);
    field("last_update_ms", &TransactionValue::last_update_ms);
    field("start_ms", &TransactionValue::start_ms);
  }
};

std::vector<TransactionValue::Topic> by_topic(const std::set<TopicPartition>& partitions);
std::set<TopicPartition> partitions_of(const TransactionValue& value);

// The record to append; without a value it is a tombstone. Nothing: some text is longer than the format can hold.
std::optional<InternalRecord> record_of(const TransactionKey& key, const TransactionValue* value);

// What a record says; the error is what is unknown or damaged about it.
using TransactionRecord = KeyAndValue<TransactionKey, TransactionValue>;
std::expected<TransactionRecord, std::string> read_transaction_record(const protocol::Record& record);

}  // namespace iolab::core
