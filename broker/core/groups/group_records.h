// What the coordinator writes into __consumer_offsets, in Kafka's own formats: a key with its version, and a value with
// its own. Key versions 0 and 1 are committed offsets, 2 is a group with its members; others are of a newer broker.
//
// Source: OffsetCommitKey, OffsetCommitValue, GroupMetadataKey and GroupMetadataValue of Apache Kafka. Values are
// written in version 3 (1 for an offset with an expiry time of its own, as Kafka does) and read in versions 0 to 3.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "broker/core/internal_log.h"
#include "broker/protocol/field.h"

namespace iolab::core {

struct OffsetCommitKey {
  std::string group;
  std::string topic;
  std::int32_t partition = 0;

  auto operator<=>(const OffsetCommitKey&) const = default;
  static constexpr void fields(auto&& field) {
    field("group", &OffsetCommitKey::group);
    field("topic", &OffsetCommitKey::topic);
    field("partition", &OffsetCommitKey::partition);
  }
};

struct OffsetCommitValue {
  std::int64_t offset = -1;
  std::int32_t leader_epoch = -1;
  std::string metadata;
  std::int64_t commit_timestamp = -1;
  std::int64_t expire_timestamp = -1;  // -1: as offsets.retention.minutes says

  bool operator==(const OffsetCommitValue&) const = default;
  static constexpr void fields(auto&& field) {
    field("offset", &OffsetCommitValue::offset);
    field("leader_epoch", &OffsetCommitValue::leader_epoch, protocol::since(3));
    field("metadata", &OffsetCommitValue::metadata);
    field("commit_timestamp", &OffsetCommitValue::commit_timestamp);
    field("expire_timestamp", &OffsetCommitValue::expire_timestamp, protocol::between(1, 1));
  }
};

struct GroupMetadataKey {
  std::string group;

  static constexpr void fields(auto&& field) { field("group", &GroupMetadataKey::group); }
};

struct GroupMetadataValue {
  struct Member {
    std::string member_id;
    std::optional<std::string> group_instance_id;
    std::string client_id;
    std::string client_host;
    std::int32_t rebalance_timeout = -1;
    std::int32_t session_timeout = -1;
    protocol::Blob subscription;  // of the chosen protocol
    protocol::Blob assignment;

    bool operator==(const Member&) const = default;
    static constexpr void fields(auto&& field) {
      field("member_id", &Member::member_id);
      field("group_instance_id", &Member::group_instance_id, protocol::since(3));
      field("client_id", &Member::client_id);
      field("client_host", &Member::client_host);
      field("rebalance_timeout", &Member::rebalance_timeout, protocol::since(1));
      field("session_timeout", &Member::session_timeout);
      field("subscription", &Member::subscription);
      field("assignment", &Member::assignment);
    }
  };

  std::string protocol_type;
  std::int32_t generation = 0;
  std::optional<std::string> protocol;
  std::optional<std::string> leader;
  std::int64_t current_state_timestamp = -1;  // wall milliseconds; -1: not known
  std::vector<Member> members;

  bool operator==(const GroupMetadataValue&) const = default;
  static constexpr void fields(auto&& field) {
    field("protocol_type", &GroupMetadataValue::protocol_type);
    field("generation", &GroupMetadataValue::generation);
    field("protocol", &GroupMetadataValue::protocol);
    field("leader", &GroupMetadataValue::leader);
    field("current_state_timestamp", &GroupMetadataValue::current_state_timestamp, protocol::since(2));
    field("members", &GroupMetadataValue::members);
  }
};

// Records to append; without a value they are tombstones. Nothing: some text is longer than the format can hold.
std::optional<InternalRecord> record_of(const OffsetCommitKey& key, const OffsetCommitValue* value);
std::optional<InternalRecord> record_of(const GroupMetadataKey& key, const GroupMetadataValue* value);

// What a record says. Blobs are views into it.
struct OffsetRecord {
  OffsetCommitKey key;
  std::optional<OffsetCommitValue> value;  // nothing: forgotten
};
struct GroupRecord {
  GroupMetadataKey key;
  std::optional<GroupMetadataValue> value;
};
struct UnknownRecord {
  std::string why;  // what is unknown or damaged about it
};
using OffsetsTopicRecord = std::variant<OffsetRecord, GroupRecord, UnknownRecord>;
OffsetsTopicRecord read_record(const protocol::Record& record);

}  // namespace iolab::core
