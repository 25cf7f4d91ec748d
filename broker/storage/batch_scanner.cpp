#include "broker/storage/batch_scanner.h"

#include <algorithm>

#include "broker/base/crc32c.h"

namespace iolab::storage {

const char* fault_of_header(const BatchHeader& header, std::int64_t expected_offset, std::int32_t leader_epoch,
                            std::int64_t bytes_left, std::int64_t gaps_below) {
  if (!is_plausible(header)) return "no record batch begins here";
  if (expected_offset != kAnyOffset && !may_follow(expected_offset, header.base_offset, gaps_below))
    return "the base offset is not the next one";
  if (header.leader_epoch < 0 || header.leader_epoch > leader_epoch) return "the leader epoch is impossible";
  if (header.bytes() > bytes_left) return "the batch is longer than what is left of the file";
  return nullptr;
}

BatchScanner::BatchScanner(const File& file, std::int64_t position, std::int64_t end, std::int64_t expected_offset,
                           std::int32_t leader_epoch, std::span<std::byte> buffer, std::int64_t gaps_below)
    : file_(file),
      position_(position),
      next_position_(position),
      end_(end),
      expected_offset_(expected_offset),
      leader_epoch_(leader_epoch),
      buffer_(buffer),
      gaps_below_(gaps_below) {}

Expected<BatchScanner::Step> BatchScanner::next() {
  if (damage_ != nullptr) return Step::damage;
  position_ = next_position_;
  const std::int64_t left = end_ - position_;
  if (left <= 0) return Step::end;
  const auto bytes = at(position_, kBatchHeaderBytes);
  if (!bytes) return std::unexpected(bytes.error());
  if (bytes->size() < kBatchHeaderBytes) {
    damage_ = "the file ends inside a batch header";
    return Step::damage;
  }
  header_ = decode_batch_header(*bytes);
  damage_ = fault_of_header(header_, expected_offset_, leader_epoch_, left, gaps_below_);
  if (damage_ != nullptr) return Step::damage;
  next_position_ = position_ + header_.bytes();
  expected_offset_ = header_.next_offset();
  return Step::batch;
}

Expected<bool> BatchScanner::checksum_matches() {
  std::uint32_t checksum = 0;
  for (std::int64_t position = position_ + static_cast<std::int64_t>(kBatchCrcStart); position < next_position_;) {
    const auto wanted =
        static_cast<std::size_t>(std::min(next_position_ - position, static_cast<std::int64_t>(buffer_.size())));
    const auto bytes = at(position, wanted);
    if (!bytes) return std::unexpected(bytes.error());
    if (bytes->size() < wanted) return false;
    checksum = base::crc32c(bytes->first(wanted), checksum);
    position += static_cast<std::int64_t>(wanted);
  }
  return checksum == header_.crc;
}

Expected<std::span<const std::byte>> BatchScanner::at(std::int64_t position, std::size_t bytes) {
  const std::int64_t skipped = position - buffer_position_;
  const bool present =
      skipped >= 0 && skipped + static_cast<std::int64_t>(bytes) <= static_cast<std::int64_t>(buffered_);
  if (!present) {
    const auto wanted = std::min(static_cast<std::int64_t>(buffer_.size()), end_ - position);
    const auto got = file_.read_at(position, buffer_.first(static_cast<std::size_t>(wanted)));
    if (!got) return std::unexpected(got.error());
    buffer_position_ = position;
    buffered_ = *got;
  }
  return std::span<const std::byte>(buffer_.first(buffered_))
      .subspan(static_cast<std::size_t>(position - buffer_position_));
}

}  // namespace iolab::storage
