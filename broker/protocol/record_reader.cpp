// One window over plain bytes: the batch itself, or what has been decompressed of it so far and not yet been read.
#include "broker/protocol/record_reader.h"

#include <algorithm>
#include <limits>

#include "broker/protocol/varint.h"

namespace iolab::protocol {
namespace {

constexpr std::size_t kUnfoldBytes = 64 * 1024;
constexpr std::size_t kLeastHeaderBytes = 2;

// Takes `length varint, bytes` off the front. False: damaged. A length of -1 means null.
bool take_nullable(base::Bytes& from, std::optional<base::Bytes>& taken) {
  const auto length = take_varint(from);
  if (!length || *length < -1) return false;
  taken.reset();
  if (*length < 0) return true;
  const auto bytes = static_cast<std::size_t>(*length);
  if (bytes > from.size()) return false;
  taken = from.first(bytes);
  from = from.subspan(bytes);
  return true;
}

}  // namespace

RecordReader::RecordReader(const BatchView& batch, const DecompressionLimits& limits)
    : base_offset_(batch.base_offset()),
      base_timestamp_(batch.base_timestamp()),
      append_timestamp_(batch.max_timestamp()),
      records_left_(batch.records_count()),
      log_append_time_(batch.is_log_append_time()) {
  if (batch.compression_bits() >= kCompressionCount) {
    fail(ErrorCode::unsupported_compression_type, "an unknown compression codec");
  } else if (records_left_ < 0) {
    fail(ErrorCode::invalid_record, "a negative number of records");
  } else if (batch.compression() == Compression::none) {
    window_ = batch.records();
  } else {
    decompressor_ = make_decompressor(batch.compression(), batch.records(), limits);
    may_unfold_bytes_ = limits.plain_bytes_of(batch.records().size());
  }
}

RecordReader::~RecordReader() = default;

const Record* RecordReader::next() {
  if (fault_) return nullptr;
  if (records_left_ == 0) {
    if (have(1)) return fail(ErrorCode::invalid_record, "bytes left over after the last record");
    return nullptr;
  }
  const auto length = read_record_length();
  if (!length) return fail(ErrorCode::invalid_record, "a record without a valid length");
  if (!have(*length)) return fail(ErrorCode::invalid_record, "a record is longer than what is left of the batch");
  if (!read_record(window_.first(*length))) return fail(ErrorCode::invalid_record, "a record's fields do not fit it");
  window_ = window_.subspan(*length);
  --records_left_;
  return &record_;
}

const Record* RecordReader::fail(ErrorCode code, const char* reason) {
  if (!fault_) fault_ = BatchFault{code, reason};
  return nullptr;
}

bool RecordReader::have(std::size_t bytes) {
  while (window_.size() < bytes) {
    if (!unfold()) return false;
  }
  return true;
}

bool RecordReader::unfold() {
  if (!decompressor_ || fault_) return false;
  // What is not read yet moves to the front; records already handed out have been read by now. The window doubles with
  // a record that does not fit, so that a large record is not moved once for each piece.
  const std::size_t kept = window_.size();
  if (kept > 0) std::memmove(unfolded_.data(), window_.data(), kept);
  if (unfolded_.size() < kept + std::max(kUnfoldBytes, kept)) unfolded_.resize(kept + std::max(kUnfoldBytes, kept));
  window_ = base::Bytes(unfolded_).first(kept);
  const auto got = decompressor_->read(base::MutableBytes(unfolded_).subspan(kept));
  if (!got) {
    fail(ErrorCode::corrupt_message, got.error());
    return false;
  }
  if (*got > may_unfold_bytes_) {
    fail(ErrorCode::message_too_large, "the batch unfolds to more than is allowed");
    return false;
  }
  may_unfold_bytes_ -= *got;
  window_ = base::Bytes(unfolded_).first(kept + *got);
  return *got > 0;
}

std::optional<std::size_t> RecordReader::read_record_length() {
  have(kVarintBytes);  // or as many as there are
  if (fault_) return std::nullopt;
  const auto length = take_varint(window_);
  if (!length || *length < 0) return std::nullopt;
  return static_cast<std::size_t>(*length);
}

bool RecordReader::read_record(base::Bytes body) {
  if (body.empty()) return false;
  body = body.subspan(1);  // attributes: none are defined
  const auto timestamp_delta = take_varlong(body);
  if (!timestamp_delta) return false;
  const auto offset_delta = take_varint(body);
  if (!offset_delta || *offset_delta < 0) return false;
  if (!take_nullable(body, record_.key) || !take_nullable(body, record_.value)) return false;
  record_.offset = plus(base_offset_, *offset_delta);
  record_.timestamp_ms = log_append_time_ ? append_timestamp_ : plus(base_timestamp_, *timestamp_delta);
  return read_headers(body) && body.empty();
}

bool RecordReader::read_headers(base::Bytes& body) {
  headers_.clear();
  const auto count = take_varint(body);
  if (!count || *count < 0 || static_cast<std::size_t>(*count) > body.size() / kLeastHeaderBytes) return false;
  for (std::int32_t i = 0; i < *count; ++i) {
    std::optional<base::Bytes> key;
    RecordHeader header;
    if (!take_nullable(body, key) || !key || !take_nullable(body, header.value)) return false;
    header.key = *key;
    headers_.push_back(header);
  }
  record_.headers = headers_;
  return true;
}

std::vector<std::int32_t> records_without_key(const BatchView& batch, const DecompressionLimits& limits) {
  RecordReader reader(batch, limits);
  std::vector<std::int32_t> places;
  for (std::int32_t place = 0; const Record* record = reader.next(); ++place) {
    if (!record->key) places.push_back(place);
  }
  return places;
}

std::expected<std::int64_t, BatchFault> check_records(const BatchView& batch, const DecompressionLimits& limits) {
  RecordReader reader(batch, limits);
  std::int64_t count = 0;
  std::int64_t largest = std::numeric_limits<std::int64_t>::min();
  while (const Record* record = reader.next()) {
    if (record->offset != plus(batch.base_offset(), count++)) {
      return std::unexpected(BatchFault{ErrorCode::invalid_record, "the offsets of the records have a gap"});
    }
    largest = std::max(largest, record->timestamp_ms);
  }
  if (reader.fault()) return std::unexpected(*reader.fault());
  return count > 0 ? largest : batch.max_timestamp();
}

}  // namespace iolab::protocol
