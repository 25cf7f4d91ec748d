// The 61 bytes in front of every record batch (Kafka's format v2), as storage needs them: to know where a batch ends,
// which offsets it holds, and whether it is whole. A protocol::BatchView looks at a whole batch in memory; this is a
// copy of the header alone, for walking a file without reading the records. FORMAT.md has the layout.
//
// The checksum covers everything from `attributes` on; base offset, length, leader epoch and magic are outside of it
// (so that a broker can stamp them) and have to be checked against what stands before the batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "broker/protocol/record_batch.h"

namespace iolab::storage {

using protocol::kBatchCrcStart;  // the attributes
using protocol::kBatchHeaderBytes;
using protocol::kBatchPrefixBytes;  // base offset and length: not counted by the length

struct BatchHeader {
  std::int64_t base_offset = 0;
  std::int32_t length = 0;  // of what follows the length field
  std::int32_t leader_epoch = 0;
  std::int8_t magic = 0;
  std::uint32_t crc = 0;
  std::int16_t attributes = 0;
  std::int32_t last_offset_delta = 0;
  std::int64_t base_timestamp_ms = 0;
  std::int64_t max_timestamp_ms = 0;
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = -1;
  std::int32_t base_sequence = -1;
  std::int32_t record_count = 0;

  std::int64_t bytes() const { return std::int64_t{length} + static_cast<std::int64_t>(kBatchPrefixBytes); }
  std::int64_t last_offset() const { return base_offset + last_offset_delta; }
  std::int64_t next_offset() const { return last_offset() + 1; }
  bool is_transactional() const { return (attributes & 0x10) != 0; }
  bool is_control() const { return (attributes & 0x20) != 0; }
};

// `bytes` must hold at least kBatchHeaderBytes. Nothing is checked.
BatchHeader decode_batch_header(std::span<const std::byte> bytes);
// Magic 2, a length that can hold the header, counts and deltas that can be true.
bool is_plausible(const BatchHeader& header);
// `batch` is the whole batch.
bool checksum_matches(std::span<const std::byte> batch);

}  // namespace iolab::storage
