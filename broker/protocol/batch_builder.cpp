// Records are written as they are added; only finish() knows what the header has to say.
#include "broker/protocol/batch_builder.h"

#include <algorithm>
#include <utility>

#include "broker/base/crc32c.h"
#include "broker/protocol/varint.h"

namespace iolab::protocol {
namespace {

std::size_t size_of_nullable(const std::optional<base::Bytes>& bytes) {
  return bytes ? size_of_varlong(static_cast<std::int64_t>(bytes->size())) + bytes->size() : size_of_varlong(-1);
}

void append(std::vector<std::byte>& out, base::Bytes bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void append_nullable(std::vector<std::byte>& out, const std::optional<base::Bytes>& bytes) {
  append_varlong(out, bytes ? static_cast<std::int64_t>(bytes->size()) : -1);
  if (bytes) append(out, *bytes);
}

// The record without its length.
std::size_t body_size(const BatchBuilder::Entry& entry, std::int64_t timestamp_delta, std::int32_t offset_delta) {
  std::size_t bytes = 1 + size_of_varlong(timestamp_delta) + size_of_varlong(offset_delta) +
                      size_of_nullable(entry.key) + size_of_nullable(entry.value) +
                      size_of_varlong(static_cast<std::int64_t>(entry.headers.size()));
  for (const RecordHeader& header : entry.headers) {
    bytes += size_of_nullable(header.key) + size_of_nullable(header.value);
  }
  return bytes;
}

}  // namespace

std::size_t BatchBuilder::most_bytes_of(const Entry& entry) {
  constexpr std::size_t kShortestDeltas = 2;
  return kVarintBytes + body_size(entry, 0, 0) - kShortestDeltas + kVarlongBytes + kVarintBytes;
}

void BatchBuilder::add(const Entry& entry) {
  if (count_ == 0) base_timestamp_ = max_timestamp_ = entry.timestamp_ms;
  max_timestamp_ = std::max(max_timestamp_, entry.timestamp_ms);
  const auto timestamp_delta = static_cast<std::int64_t>(static_cast<std::uint64_t>(entry.timestamp_ms) -
                                                         static_cast<std::uint64_t>(base_timestamp_));
  append_varlong(records_, static_cast<std::int64_t>(body_size(entry, timestamp_delta, count_)));
  records_.push_back(std::byte{0});  // attributes
  append_varlong(records_, timestamp_delta);
  append_varlong(records_, count_);
  append_nullable(records_, entry.key);
  append_nullable(records_, entry.value);
  append_varlong(records_, static_cast<std::int64_t>(entry.headers.size()));
  for (const RecordHeader& header : entry.headers) {
    append_nullable(records_, header.key);
    append_nullable(records_, header.value);
  }
  ++count_;
}

std::vector<std::byte> BatchBuilder::finish() {
  std::vector<std::byte> batch(kBatchHeaderBytes);
  Compression codec = settings_.compression;
  if (codec != Compression::none) append(batch, compress(codec, records_));
  if (batch.size() == kBatchHeaderBytes) {  // not wanted, or not to be had
    codec = Compression::none;
    append(batch, records_);
  }
  const auto attributes = static_cast<std::int16_t>(static_cast<int>(codec) | (settings_.transactional ? 0x10 : 0) |
                                                    (settings_.control ? 0x20 : 0));
  std::byte* at = batch.data();
  const auto put = [&at](auto value) {
    base::store_big_endian(at, value);
    at += sizeof value;
  };
  put(std::int64_t{0});
  put(static_cast<std::int32_t>(batch.size() - kBatchPrefixBytes));
  put(std::int32_t{-1});
  put(std::int8_t{2});
  std::byte* const crc = at;
  put(std::uint32_t{0});
  put(attributes);
  put(count_ - 1);
  put(base_timestamp_);
  put(max_timestamp_);
  put(settings_.producer_id);
  put(settings_.producer_epoch);
  put(settings_.base_sequence);
  put(count_);
  base::store_big_endian(crc, base::crc32c(base::Bytes(batch).subspan(kBatchCrcStart)));
  records_.clear();
  count_ = 0;
  return batch;
}

}  // namespace iolab::protocol
