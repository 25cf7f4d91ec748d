#include "broker/core/groups/group_records.h"

#include <fmt/format.h>

#include "broker/protocol/codec.h"

namespace iolab::core {
namespace {

constexpr std::int16_t kOffsetKeyVersion = 1;
constexpr std::int16_t kGroupKeyVersion = 2;
constexpr std::int16_t kValueVersion = 3;
constexpr std::int16_t kValueWithExpiryVersion = 1;
constexpr std::size_t kVersionBytes = sizeof(std::int16_t);

template <protocol::Struct M>
std::optional<std::vector<std::byte>> encoded(const M& message, std::int16_t version) {
  base::GatherBuffer out;
  out.append_big_endian(version);
  protocol::Encoder encoder(out, version, false);
  encoder.message(message);
  if (!encoder.ok()) return std::nullopt;
  return out.flat();
}

template <protocol::Struct Key, protocol::Struct Value>
std::optional<InternalRecord> record(const Key& key, std::int16_t key_version, const Value* value,
                                     std::int16_t value_version) {
  auto key_bytes = encoded(key, key_version);
  if (!key_bytes) return std::nullopt;
  InternalRecord made{std::move(*key_bytes), std::nullopt};
  if (value == nullptr) return made;
  made.value = encoded(*value, value_version);
  return made.value ? std::optional(std::move(made)) : std::nullopt;
}

std::int16_t version_of(base::Bytes bytes) {
  return bytes.size() < kVersionBytes ? std::int16_t{-1} : base::load_big_endian<std::int16_t>(bytes.data());
}

template <class Read, protocol::Struct Key, protocol::Struct Value>
OffsetsTopicRecord read(const protocol::Record& record, std::int16_t key_version) {
  auto key = protocol::decode<Key>(record.key->subspan(kVersionBytes), key_version, false);
  if (!key) return UnknownRecord{key.error().sentence()};
  if (!record.value) return Read{std::move(*key), std::nullopt};
  const std::int16_t version = version_of(*record.value);
  if (version < 0 || version > kValueVersion) return UnknownRecord{fmt::format("its value has version {}", version)};
  auto value = protocol::decode<Value>(record.value->subspan(kVersionBytes), version, false);
  if (!value) return UnknownRecord{value.error().sentence()};
  return Read{std::move(*key), std::move(*value)};
}

}  // namespace

std::optional<InternalRecord> record_of(const OffsetCommitKey& key, const OffsetCommitValue* value) {
  const bool expires = value != nullptr && value->expire_timestamp >= 0;
  return record(key, kOffsetKeyVersion, value, expires ? kValueWithExpiryVersion : kValueVersion);
}

std::optional<InternalRecord> record_of(const GroupMetadataKey& key, const GroupMetadataValue* value) {
  return record(key, kGroupKeyVersion, value, kValueVersion);
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
