#include "broker/protocol/transaction_marker.h"

#include <array>

#include "broker/protocol/batch_builder.h"
#include "broker/protocol/record_reader.h"

namespace iolab::protocol {
namespace {

constexpr std::int16_t kVersion = 0, kAbort = 0, kCommit = 1;
constexpr std::size_t kKeyBytes = 4, kValueBytes = 6;
constexpr std::size_t kAfterVersion = sizeof kVersion;

}  // namespace

std::vector<std::byte> control_batch(const TransactionMarker& marker, std::int64_t wall_ms) {
  std::array<std::byte, kKeyBytes> key;
  base::store_big_endian(key.data(), kVersion);
  base::store_big_endian(key.data() + kAfterVersion, marker.commit ? kCommit : kAbort);
  std::array<std::byte, kValueBytes> value;
  base::store_big_endian(value.data(), kVersion);
  base::store_big_endian(value.data() + kAfterVersion, marker.coordinator_epoch);
  BatchBuilder builder({.producer_id = marker.producer_id,
                        .producer_epoch = marker.producer_epoch,
                        .transactional = true,
                        .control = true});
  builder.add({.timestamp_ms = wall_ms, .key = base::Bytes(key), .value = base::Bytes(value), .headers = {}});
  return builder.finish();
}

std::optional<TransactionMarker> marker_of(const BatchView& batch) {
  if (!batch.is_control() || !batch.has_producer()) return std::nullopt;
  RecordReader reader(batch);
  const Record* record = reader.next();
  if (record == nullptr || !record->key || record->key->size() < kKeyBytes) return std::nullopt;
  if (!record->value || record->value->size() < kValueBytes) return std::nullopt;
  const auto type = base::load_big_endian<std::int16_t>(record->key->data() + kAfterVersion);
  if (type != kAbort && type != kCommit) return std::nullopt;
  return TransactionMarker{
      .producer_id = batch.producer_id(),
      .producer_epoch = batch.producer_epoch(),
      .coordinator_epoch = base::load_big_endian<std::int32_t>(record->value->data() + kAfterVersion),
      .commit = type == kCommit};
}

}  // namespace iolab::protocol
