// Walks the batches of a segment file, header by header, in a buffer that the caller lends.
//
// A step checks everything that a header can tell: whole, plausible, at a possible offset, within the file. Checksums
// are verified on request only, because they cost a read of the whole batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "broker/storage/batch_header.h"
#include "broker/storage/file.h"

namespace iolab::storage {

inline constexpr std::int64_t kAnyOffset = -1;

// Whether a batch (or a file) may begin at `offset` where `expected_offset` was the next one: compaction leaves offsets
// out, and has done so nowhere at or above `gaps_below`.
constexpr bool may_follow(std::int64_t expected_offset, std::int64_t offset, std::int64_t gaps_below) {
  return offset == expected_offset || (offset > expected_offset && offset <= gaps_below);
}

// The one rule of which header may follow at `expected_offset` (or kAnyOffset), with `bytes_left` in the file. Returns
// what is wrong, or null.
const char* fault_of_header(const BatchHeader& header, std::int64_t expected_offset, std::int32_t leader_epoch,
                            std::int64_t bytes_left, std::int64_t gaps_below = 0);

class BatchScanner {
 public:
  enum class Step : std::uint8_t { batch, end, damage };

  // Scans [position, end) of `file`. `buffer` holds at least one header; its size is what one read asks for.
  BatchScanner(const File& file, std::int64_t position, std::int64_t end, std::int64_t expected_offset,
               std::int32_t leader_epoch, std::span<std::byte> buffer, std::int64_t gaps_below = 0);

  // On `batch`, header() and position() describe it; on `damage`, position() is where it begins and damage() says what
  // it is, and no further step is possible. An error is a failed read.
  Expected<Step> next();
  // Whether the current batch's checksum is right. The buffer may be used up by it.
  Expected<bool> checksum_matches();

  const BatchHeader& header() const { return header_; }
  std::int64_t position() const { return position_; }
  std::int64_t next_position() const { return next_position_; }
  // The offset that follows the batches seen so far.
  std::int64_t expected_offset() const { return expected_offset_; }
  const char* damage() const { return damage_; }

 private:
  // Makes at least `bytes` from `position` present, if the file has them, and returns what is present there.
  Expected<std::span<const std::byte>> at(std::int64_t position, std::size_t bytes);

  const File& file_;
  std::int64_t position_;
  std::int64_t next_position_;
  std::int64_t end_;
  std::int64_t expected_offset_;
  std::int32_t leader_epoch_;
  std::span<std::byte> buffer_;
  std::int64_t gaps_below_;
  std::int64_t buffer_position_ = 0;
  std::size_t buffered_ = 0;
  BatchHeader header_;
  const char* damage_ = nullptr;
};

}  // namespace iolab::storage
