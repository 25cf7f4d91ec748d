// Records are written as they are added; only finish() knows what the header has to say.
#include "broker/protocol/batch_builder.h"

#include <algorithm>
#include <utility>

#include "broker/base/crc32c.h"
#include "broker/protocol/record_writer.h"

namespace iolab::protocol {

std::size_t BatchBuilder::most_bytes_of(const Entry& entry) {
  constexpr std::size_t kShortestDeltas = 2;
  const std::size_t body = record_body_size({entry.key, entry.value, entry.headers}, 0, 0);
  return kVarintBytes + body - kShortestDeltas + kVarlongBytes + kVarintBytes;
}

void BatchBuilder::add(const Entry& entry) {
  if (count_ == 0) base_timestamp_ = max_timestamp_ = entry.timestamp_ms;
  max_timestamp_ = std::max(max_timestamp_, entry.timestamp_ms);
  const auto timestamp_delta = static_cast<std::int64_t>(static_cast<std::uint64_t>(entry.timestamp_ms) -
                                                         static_cast<std::uint64_t>(base_timestamp_));
  append_record(records_, {entry.key, entry.value, entry.headers}, timestamp_delta, count_);
  ++count_;
}

std::vector<std::byte> BatchBuilder::finish() {
  std::vector<std::byte> batch(kBatchHeaderBytes);
  Compression codec = settings_.compression;
  if (codec != Compression::none) append_bytes(batch, compress(codec, records_));
  if (batch.size() == kBatchHeaderBytes) {  // not wanted, or not to be had
    codec = Compression::none;
    append_bytes(batch, records_);
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
