// Offsets of the fields: Kafka's record batch v2; FORMAT.md repeats the table.
#include "broker/storage/batch_header.h"

#include <limits>

#include "broker/base/bytes.h"
#include "broker/base/crc32c.h"

namespace iolab::storage {

BatchHeader decode_batch_header(std::span<const std::byte> bytes) {
  using base::load_big_endian;
  const std::byte* from = bytes.data();
  BatchHeader header;
  header.base_offset = load_big_endian<std::int64_t>(from);
  header.length = load_big_endian<std::int32_t>(from + 8);
  header.leader_epoch = load_big_endian<std::int32_t>(from + 12);
  header.magic = load_big_endian<std::int8_t>(from + 16);
  header.crc = load_big_endian<std::uint32_t>(from + 17);
  header.attributes = load_big_endian<std::int16_t>(from + 21);
  header.last_offset_delta = load_big_endian<std::int32_t>(from + 23);
  header.base_timestamp_ms = load_big_endian<std::int64_t>(from + 27);
  header.max_timestamp_ms = load_big_endian<std::int64_t>(from + 35);
  header.producer_id = load_big_endian<std::int64_t>(from + 43);
  header.producer_epoch = load_big_endian<std::int16_t>(from + 51);
  header.base_sequence = load_big_endian<std::int32_t>(from + 53);
  header.record_count = load_big_endian<std::int32_t>(from + 57);
  return header;
}

bool is_plausible(const BatchHeader& header) {
  constexpr std::int8_t kMagic = 2;
  constexpr auto kLeastLength = static_cast<std::int32_t>(kBatchHeaderBytes - kBatchPrefixBytes);
  return header.magic == kMagic && header.length >= kLeastLength && header.base_offset >= 0 &&
         header.last_offset_delta >= 0 && header.record_count >= 0 &&
         header.base_offset <= std::numeric_limits<std::int64_t>::max() - 1 - header.last_offset_delta;
}

bool checksum_matches(std::span<const std::byte> batch) {
  if (batch.size() < kBatchHeaderBytes) return false;
  return base::crc32c(batch.subspan(kBatchCrcStart)) == base::load_big_endian<std::uint32_t>(batch.data() + 17);
}

}  // namespace iolab::storage
