// The header is copied from the old batch, and what has changed is put in its place.
#include "broker/protocol/batch_rewriter.h"

#include <algorithm>

#include "broker/base/crc32c.h"
#include "broker/protocol/record_writer.h"

namespace iolab::protocol {
namespace {

constexpr std::int16_t kCodecBits = 7;
constexpr std::size_t kLength = 8, kCrc = 17, kAttributes = 21, kBaseTimestamp = 27, kMaxTimestamp = 35, kCount = 57;

// Header and records, compressed if the codec has memory for it; everything but the CRC and what `attributes` says of
// the codec is left as the header has it.
std::vector<std::byte> assemble(base::Bytes header, base::Bytes records, std::int16_t attributes, Compression codec) {
  std::vector<std::byte> batch(header.begin(), header.begin() + kBatchHeaderBytes);
  if (codec != Compression::none) append_bytes(batch, compress(codec, records));
  if (batch.size() == kBatchHeaderBytes) {  // not wanted, or not to be had
    codec = Compression::none;
    append_bytes(batch, records);
  }
  attributes = static_cast<std::int16_t>((attributes & ~kCodecBits) | static_cast<int>(codec));
  base::store_big_endian(batch.data() + kAttributes, attributes);
  base::store_big_endian(batch.data() + kLength, static_cast<std::int32_t>(batch.size() - kBatchPrefixBytes));
  return batch;
}

void stamp_crc(std::vector<std::byte>& batch) {
  base::store_big_endian(batch.data() + kCrc, base::crc32c(base::Bytes(batch).subspan(kBatchCrcStart)));
}

std::int64_t minus(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}

}  // namespace

BatchRewriter::BatchRewriter(const BatchView& batch, std::optional<std::int64_t> delete_horizon_ms)
    : batch_(batch),
      attributes_(batch.attributes()),
      base_timestamp_(delete_horizon_ms.value_or(batch.base_timestamp())),
      max_timestamp_(batch.is_log_append_time() ? batch.max_timestamp() : -1) {
  if (delete_horizon_ms) attributes_ = static_cast<std::int16_t>(attributes_ | kDeleteHorizonBit);
}

void BatchRewriter::keep(const Record& record) {
  append_record(records_, {record.key, record.value, record.headers}, minus(record.timestamp_ms, base_timestamp_),
                static_cast<std::int32_t>(record.offset - batch_.base_offset()));
  max_timestamp_ = std::max(max_timestamp_, record.timestamp_ms);
  ++count_;
}

std::vector<std::byte> BatchRewriter::finish() {
  std::vector<std::byte> batch = assemble(batch_.bytes(), records_, attributes_, batch_.compression());
  base::store_big_endian(batch.data() + kBaseTimestamp, base_timestamp_);
  base::store_big_endian(batch.data() + kMaxTimestamp, max_timestamp_);
  base::store_big_endian(batch.data() + kCount, count_);
  stamp_crc(batch);
  return batch;
}

std::expected<std::vector<std::byte>, BatchFault> recompress(const BatchView& batch, Compression codec,
                                                             const DecompressionLimits& limits) {
  constexpr std::size_t kUnfoldBytes = 64 * 1024;
  std::vector<std::byte> plain;
  const auto decompressor = make_decompressor(batch.compression(), batch.records(), limits);
  const std::size_t most = limits.plain_bytes_of(batch.records().size());
  for (;;) {
    const std::size_t had = plain.size();
    plain.resize(had + kUnfoldBytes);
    const auto got = decompressor->read(base::MutableBytes(plain).subspan(had));
    if (!got) return std::unexpected(BatchFault{ErrorCode::corrupt_message, got.error()});
    plain.resize(had + *got);
    if (*got == 0) break;
    if (plain.size() > most)
      return std::unexpected(BatchFault{ErrorCode::message_too_large, "the batch unfolds to more than is allowed"});
  }
  std::vector<std::byte> changed = assemble(batch.bytes(), plain, batch.attributes(), codec);
  stamp_crc(changed);
  return changed;
}

}  // namespace iolab::protocol
