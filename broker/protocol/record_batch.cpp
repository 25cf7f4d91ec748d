// The checks follow Kafka's LogValidator and ProduceRequest.validateRecords in what they refuse and with which code.
#include "broker/protocol/record_batch.h"

#include <limits>

#include "broker/base/crc32c.h"

namespace iolab::protocol {
namespace {

constexpr std::byte kMagic{2};
constexpr std::size_t kMagicOffset = 16, kCrcOffset = 17, kAttributesOffset = 21, kMaxTimestampOffset = 35;
constexpr std::int16_t kLogAppendTimeBit = 0x08;

std::unexpected<BatchFault> refuse(ErrorCode code, const char* reason) {
  return std::unexpected(BatchFault{code, reason});
}

std::expected<void, BatchFault> check_producer_fields(const BatchView& batch) {
  if (batch.producer_id() < -1) return refuse(ErrorCode::invalid_record, "the producer id is negative");
  if (batch.has_producer() && (batch.producer_epoch() < 0 || batch.base_sequence() < 0)) {
    return refuse(ErrorCode::invalid_record, "the batch names a producer but no epoch or sequence");
  }
  if (batch.is_transactional() && !batch.has_producer()) {
    return refuse(ErrorCode::invalid_record, "the batch is transactional but names no producer");
  }
  return {};
}

std::expected<void, BatchFault> check_timestamps(const BatchView& batch) {
  if (batch.is_log_append_time()) {
    return refuse(ErrorCode::invalid_timestamp, "only a broker may set the log-append time");
  }
  if (batch.max_timestamp() < batch.base_timestamp()) {
    return refuse(ErrorCode::invalid_timestamp, "the largest timestamp is smaller than the first");
  }
  return {};
}

}  // namespace

std::int32_t BatchView::last_sequence() const {
  if (base_sequence() < 0) return -1;
  const std::int64_t last = std::int64_t{base_sequence()} + last_offset_delta();
  constexpr std::int64_t kSequences = std::int64_t{std::numeric_limits<std::int32_t>::max()} + 1;
  return static_cast<std::int32_t>(last % kSequences);
}

std::uint32_t BatchView::computed_crc() const {
  return base::crc32c(bytes_.subspan(kBatchCrcStart));
}

std::int64_t declared_batch_size(base::Bytes prefix) {
  return std::int64_t{base::load_big_endian<std::int32_t>(prefix.data() + 8)} +
         static_cast<std::int64_t>(kBatchPrefixBytes);
}

std::expected<BatchView, BatchFault> first_batch(base::Bytes bytes) {
  // The magic stands at the same place in every format: look at it before the length, which old formats may have short.
  if (bytes.size() <= kMagicOffset) return refuse(ErrorCode::corrupt_message, "too few bytes for a batch");
  if (bytes[kMagicOffset] < kMagic) {
    return refuse(ErrorCode::invalid_record, "a message format older than 2, which this broker does not keep");
  }
  if (bytes[kMagicOffset] > kMagic) return refuse(ErrorCode::corrupt_message, "an unknown message format");
  const std::int64_t size = declared_batch_size(bytes);
  if (size < static_cast<std::int64_t>(kBatchHeaderBytes)) {
    return refuse(ErrorCode::corrupt_message, "the batch's length is smaller than its header");
  }
  if (size > static_cast<std::int64_t>(bytes.size())) {
    return refuse(ErrorCode::corrupt_message, "the batch's length is larger than the bytes that are there");
  }
  return BatchView(bytes.first(static_cast<std::size_t>(size)));
}

std::expected<void, BatchFault> check_stored(const BatchView& batch) {
  if (batch.crc() != batch.computed_crc()) {
    return refuse(ErrorCode::corrupt_message, "the checksum does not match the bytes");
  }
  if (batch.compression_bits() >= kCompressionCount) {
    return refuse(ErrorCode::unsupported_compression_type, "an unknown compression codec");
  }
  if (batch.last_offset_delta() < 0 || batch.records_count() < 0 ||
      batch.records_count() > std::int64_t{batch.last_offset_delta()} + 1) {
    return refuse(ErrorCode::invalid_record, "the counts of records and offsets contradict each other");
  }
  return {};
}

std::expected<BatchView, BatchFault> check_produced(base::Bytes records) {
  if (records.empty()) return refuse(ErrorCode::invalid_record, "no batch at all");
  auto batch = first_batch(records);
  if (!batch) return batch;
  if (batch->size() != records.size()) {
    return refuse(ErrorCode::invalid_record, "more than one batch for one partition");
  }
  if (auto stored = check_stored(*batch); !stored) return std::unexpected(stored.error());
  if (batch->is_control()) return refuse(ErrorCode::invalid_record, "only a broker may write control batches");
  if (batch->records_count() == 0) return refuse(ErrorCode::invalid_record, "a batch without records");
  if (batch->records_count() != std::int64_t{batch->last_offset_delta()} + 1) {
    return refuse(ErrorCode::invalid_record, "the number of records is not the number of offsets");
  }
  if (auto producer = check_producer_fields(*batch); !producer) return std::unexpected(producer.error());
  if (auto timestamps = check_timestamps(*batch); !timestamps) return std::unexpected(timestamps.error());
  return batch;
}

std::array<std::byte, kBatchChangeableBytes> changed_start(const BatchView& batch, std::int64_t base_offset,
                                                           std::int32_t leader_epoch) {
  std::array<std::byte, kBatchChangeableBytes> start;
  std::memcpy(start.data(), batch.bytes().data(), start.size());
  set_base_offset(start, base_offset);
  set_leader_epoch(start, leader_epoch);
  return start;
}

void set_base_offset(base::MutableBytes batch, std::int64_t base_offset) {
  base::store_big_endian(batch.data(), base_offset);
}

void set_leader_epoch(base::MutableBytes batch, std::int32_t leader_epoch) {
  base::store_big_endian(batch.data() + kBatchPrefixBytes, leader_epoch);
}

void set_max_timestamp(base::MutableBytes batch, std::int64_t timestamp_ms) {
  base::store_big_endian(batch.data() + kMaxTimestampOffset, timestamp_ms);
  base::store_big_endian(batch.data() + kCrcOffset, base::crc32c(batch.subspan(kBatchCrcStart)));
}

void set_log_append_time(base::MutableBytes batch, std::int64_t timestamp_ms) {
  const auto attributes = base::load_big_endian<std::int16_t>(batch.data() + kAttributesOffset);
  base::store_big_endian(batch.data() + kAttributesOffset, static_cast<std::int16_t>(attributes | kLogAppendTimeBit));
  set_max_timestamp(batch, timestamp_ms);
}

}  // namespace iolab::protocol
