// How coordinators write keys and values into their logs: a version of 16 bits, and then the fields that a struct
// declares, in the encoding that is not flexible. The topic's own header says which versions there are.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/core/internal_log.h"
#include "broker/protocol/codec.h"

namespace iolab::core {

// Nothing: some text is longer than the format can hold.
template <protocol::Struct M>
std::optional<std::vector<std::byte>> versioned_bytes(const M& message, std::int16_t version) {
  base::GatherBuffer out;
  out.append_big_endian(version);
  protocol::Encoder encoder(out, version, false);
  encoder.message(message);
  if (!encoder.ok()) return std::nullopt;
  return out.flat();
}

// A record to append; without a value it is a tombstone.
template <protocol::Struct Key, protocol::Struct Value>
std::optional<InternalRecord> versioned_record(const Key& key, std::int16_t key_version, const Value* value,
                                               std::int16_t value_version) {
  auto key_bytes = versioned_bytes(key, key_version);
  if (!key_bytes) return std::nullopt;
  InternalRecord made{std::move(*key_bytes), std::nullopt};
  if (value == nullptr) return made;
  made.value = versioned_bytes(*value, value_version);
  return made.value ? std::optional(std::move(made)) : std::nullopt;
}

// -1: there is none.
inline std::int16_t version_of(base::Bytes bytes) {
  return bytes.size() < sizeof(std::int16_t) ? std::int16_t{-1} : base::load_big_endian<std::int16_t>(bytes.data());
}

template <class Key, class Value>
struct KeyAndValue {
  Key key;
  std::optional<Value> value;  // nothing: the key is gone
};

// Of a record whose key has this version, and whose value has at most that one. The error says what is unknown or
// damaged about it; blobs are views into the record.
template <protocol::Struct Key, protocol::Struct Value>
std::expected<KeyAndValue<Key, Value>, std::string> read_versioned(const protocol::Record& record,
                                                                   std::int16_t key_version,
                                                                   std::int16_t last_value_version) {
  auto key = protocol::decode<Key>(record.key->subspan(sizeof(std::int16_t)), key_version, false);
  if (!key) return std::unexpected(key.error().sentence());
  if (!record.value) return KeyAndValue<Key, Value>{std::move(*key), std::nullopt};
  const std::int16_t version = version_of(*record.value);
  if (version < 0 || version > last_value_version) {
    return std::unexpected(fmt::format("its value has version {}", version));
  }
  auto value = protocol::decode<Value>(record.value->subspan(sizeof(std::int16_t)), version, false);
  if (!value) return std::unexpected(value.error().sentence());
  return KeyAndValue<Key, Value>{std::move(*key), std::move(*value)};
}

}  // namespace iolab::core
