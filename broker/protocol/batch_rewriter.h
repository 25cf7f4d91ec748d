// A stored batch written anew: with some of its records (compaction), or in another codec (compression.type).
//
//   BatchRewriter rewriter(batch);
//   for (each record that stays) rewriter.keep(*record);
//   std::vector<std::byte> smaller = rewriter.finish();
//
// What says where the batch stands and whose it is stays as it was: base offset, last offset, leader epoch, producer
// id, epoch and base sequence, and the offsets and times of the records. So a batch may hold fewer records than
// offsets, which every reader of Kafka's format knows.
//
// A batch with records without a value (tombstones) may get a delete horizon: the time after which those may go. It
// stands where the base timestamp stands, attribute bit 6 says so, and the records' times count from it (KIP-534).
#pragma once

#include <optional>
#include <vector>

#include "broker/protocol/record_reader.h"

namespace iolab::protocol {

class BatchRewriter {
 public:
  // The batch's bytes must outlive the rewriter. With a horizon the new batch has that, else what the batch had.
  explicit BatchRewriter(const BatchView& batch, std::optional<std::int64_t> delete_horizon_ms = std::nullopt);

  // A record of that batch; in the order in which it holds them.
  void keep(const Record& record);
  bool empty() const { return count_ == 0; }
  // The new batch with its CRC, in the old one's codec (uncompressed if that has no memory). Not for an empty one.
  std::vector<std::byte> finish();

 private:
  BatchView batch_;
  std::int16_t attributes_;
  std::int64_t base_timestamp_;
  std::int64_t max_timestamp_;
  std::int32_t count_ = 0;
  std::vector<std::byte> records_;
};

// The same records in another codec. Fault: they cannot be unfolded.
std::expected<std::vector<std::byte>, BatchFault> recompress(const BatchView& batch, Compression codec,
                                                             const DecompressionLimits& limits = {});

}  // namespace iolab::protocol
