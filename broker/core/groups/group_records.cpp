#include "broker/core/groups/group_records.h"

#include <fmt/format.h>

#include "broker/core/versioned_record.h"

namespace iolab::core {
namespace {

constexpr std::int16_t kOffsetKeyVersion = 1;
constexpr std::int16_t kGroupKeyVersion = 2;
constexpr std::int16_t kValueVersion = 3;
constexpr std::int16_t kValueWithExpiryVersion = 1;

template <class Read, protocol::Struct Key, protocol::Struct Value>
OffsetsTopicRecord read(const protocol::Record& record, std::int16_t key_version) {
  auto found = read_versioned<Key, Value>(record, key_version, kValueVersion);
  if (!found) return UnknownRecord{std::move(found.error())};
  return Read{std::move(found->key), std::move(found->value)};
}

}  // namespace

std::optional<InternalRecord> record_of(const OffsetCommitKey& key, const OffsetCommitValue* value) {
  const bool expires = value != nullptr && value->expire_timestamp >= 0;
  return versioned_record(key, kOffsetKeyVersion, value, expires ? kValueWithExpiryVersion : kValueVersion);
}

std::optional<InternalRecord> record_of(const GroupMetadataKey& key, const GroupMetadataValue* value) {
  return versioned_record(key, kGroupKeyVersion, value, kValueVersion);
}

OffsetsTopicRecord read_record(const protocol::Record& record) {
  if (!record.key) return UnknownRecord{"it has no key"};
  const std::int16_t version = version_of(*record.key);
  if (version == 0 || version == kOffsetKeyVersion) {
    return read<OffsetRecord, OffsetCommitKey, OffsetCommitValue>(record, version);
  }
  if (version == kGroupKeyVersion) return read<GroupRecord, GroupMetadataKey, GroupMetadataValue>(record, version);
  return UnknownRecord{fmt::format("its key has version {}", version)};
}

}  // namespace iolab::core
