// Any bytes as a record batch. Checks and reader must agree, unfold no more than they are allowed, and read back what a
// builder makes of the records they found.
//
// Input: one byte of repairs (1: the checksum, 2: the length), without which hardly any input would pass; then the
// batch.
#include <string>
#include <vector>

#include "broker/base/crc32c.h"
#include "broker/protocol/batch_builder.h"
#include "tests/fuzz/harness.h"

namespace {

using namespace iolab;
using namespace iolab::protocol;
using base::Bytes;

constexpr DecompressionLimits kLimits{.plain_bytes = 1u << 20, .ratio = 64, .floor_bytes = 64u << 10};

void repair(std::vector<std::byte>& batch, unsigned repairs) {
  if (batch.size() < kBatchHeaderBytes) return;
  if ((repairs & 2) != 0) base::store_big_endian(batch.data() + 8, static_cast<std::int32_t>(batch.size() - 12));
  if ((repairs & 1) != 0) base::store_big_endian(batch.data() + 17, base::crc32c(Bytes(batch).subspan(kBatchCrcStart)));
}

std::size_t size_of(const std::optional<Bytes>& bytes) {
  return bytes ? bytes->size() : 0;
}

// The records of a batch that passed every check, built into a batch once more.
void build_again(const BatchView& batch) {
  BatchBuilder builder;
  RecordReader reader(batch, kLimits);
  while (const Record* record = reader.next()) {
    builder.add({record->timestamp_ms, record->key, record->value, record->headers});
  }
  const std::vector<std::byte> built = builder.finish();
  const auto copy = first_batch(built);
  fuzz::promise(copy && check_stored(*copy), "a built batch is sound");
  RecordReader first(batch, kLimits), second(*copy);
  const Record* a = first.next();
  const Record* b = second.next();
  for (; a != nullptr && b != nullptr; a = first.next(), b = second.next()) {
    fuzz::promise(a->timestamp_ms == b->timestamp_ms && size_of(a->key) == size_of(b->key) &&
                      size_of(a->value) == size_of(b->value) && a->headers.size() == b->headers.size(),
                  "a built batch has the records that were put in");
  }
  fuzz::promise(a == nullptr && b == nullptr && !second.fault(), "and as many of them");
}

void read_all(const BatchView& batch) {
  RecordReader reader(batch, kLimits);
  std::int64_t count = 0;
  std::size_t plain_bytes = 0;
  while (const Record* record = reader.next()) {
    ++count;
    plain_bytes += size_of(record->key) + size_of(record->value);
    for (const RecordHeader& header : record->headers) plain_bytes += header.key.size() + size_of(header.value);
  }
  const bool compressed = batch.compression() != Compression::none;
  const std::size_t most = compressed ? kLimits.plain_bytes_of(batch.records().size()) : batch.records().size();
  fuzz::promise(plain_bytes <= most, "no more is unfolded than is allowed");
  fuzz::promise(reader.fault() || count == batch.records_count(), "all records are there, or there is a fault");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const Bytes input = std::as_bytes(std::span(data + 1, size - 1));
  std::vector<std::byte> bytes(input.begin(), input.end());
  repair(bytes, data[0]);

  if (const auto batch = first_batch(bytes)) {
    fuzz::promise(batch->size() <= bytes.size(), "a batch lies inside its bytes");
    if (check_stored(*batch)) read_all(*batch);
  }
  const auto produced = check_produced(bytes);
  // The planted bug: takes what a log may hold for what a producer may send.
  const auto taken = fuzz::kPlantedBug ? first_batch(bytes) : produced;
  if (!taken || !check_stored(*taken) || taken->records_count() == 0) return 0;
  fuzz::promise(std::int64_t{taken->last_offset_delta()} + 1 == taken->records_count(),
                "a produced batch has a record for each offset");
  if (produced && check_records(*produced, kLimits)) build_again(*produced);
  return 0;
}
