// A record batch of format 2, looked at where it lies: fixed fields at fixed places, records behind them.
//
//    0 base_offset 8        16 magic 1 (= 2)         35 max_timestamp 8     57 records_count 4
//    8 batch_length 4       17 crc 4                 43 producer_id 8       61 records, as one compressed
//   12 leader_epoch 4       21 attributes 2          51 producer_epoch 2       blob if attributes say so
//      not under the crc    23 last_offset_delta 4   53 base_sequence 4
//                           27 base_timestamp 8
//
// The CRC-32C covers byte 21 to the end, so a broker sets base offset and leader epoch without computing it again.
// batch_length counts what follows it. Invariant: a BatchView was made by first_batch(), so its fields lie inside its
// bytes; whether they tell the truth is what the checks below find out. Source: DefaultRecordBatch.java of Kafka.
#pragma once

#include <array>
#include <cstdint>
#include <expected>

#include "broker/base/bytes.h"
#include "broker/protocol/compression.h"
#include "broker/protocol/error_code.h"

namespace iolab::protocol {

inline constexpr std::size_t kBatchPrefixBytes = 12;  // base offset and length: what tells where the next batch starts
inline constexpr std::size_t kBatchHeaderBytes = 61;
inline constexpr std::size_t kBatchChangeableBytes = 16;  // all that a broker may change without a new CRC
inline constexpr std::size_t kBatchCrcStart = 21;
inline constexpr std::int16_t kDeleteHorizonBit = 0x40;  // of the attributes: see batch_rewriter.h

// Why a batch is refused. `code` is what a producer is told; `reason` a sentence without a period.
struct BatchFault {
  ErrorCode code = ErrorCode::corrupt_message;
  const char* reason = "";
};

// A stranger's sum of offsets or times may wrap around; Kafka's does too.
constexpr std::int64_t plus(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

class BatchView {
 public:
  // The whole batch, header included.
  base::Bytes bytes() const { return bytes_; }
  std::size_t size() const { return bytes_.size(); }
  // What follows the header, compressed or not.
  base::Bytes records() const { return bytes_.subspan(kBatchHeaderBytes); }

  std::int64_t base_offset() const { return at<std::int64_t>(0); }
  std::int32_t leader_epoch() const { return at<std::int32_t>(12); }
  std::uint32_t crc() const { return at<std::uint32_t>(17); }
  std::int16_t attributes() const { return at<std::int16_t>(21); }
  std::int32_t last_offset_delta() const { return at<std::int32_t>(23); }
  std::int64_t base_timestamp() const { return at<std::int64_t>(27); }
  std::int64_t max_timestamp() const { return at<std::int64_t>(35); }
  std::int64_t producer_id() const { return at<std::int64_t>(43); }     // -1: none
  std::int16_t producer_epoch() const { return at<std::int16_t>(51); }  // -1: none
  std::int32_t base_sequence() const { return at<std::int32_t>(53); }   // -1: none
  std::int32_t records_count() const { return at<std::int32_t>(57); }

  // The base offset is not under the checksum: garbage there wraps, and is for whoever knows the log to notice.
  std::int64_t last_offset() const { return plus(base_offset(), last_offset_delta()); }
  std::int64_t next_offset() const { return plus(last_offset(), 1); }
  std::int32_t last_sequence() const;  // after 2147483647 comes 0
  bool has_producer() const { return producer_id() >= 0; }

  int compression_bits() const { return attributes() & 7; }
  Compression compression() const { return static_cast<Compression>(compression_bits()); }  // checked by the checks
  bool is_log_append_time() const { return (attributes() & 0x08) != 0; }
  bool is_transactional() const { return (attributes() & 0x10) != 0; }
  bool is_control() const { return (attributes() & 0x20) != 0; }
  // Its base timestamp is the time after which its records without a value may go (KIP-534).
  bool has_delete_horizon() const { return (attributes() & kDeleteHorizonBit) != 0; }

  std::uint32_t computed_crc() const;

 private:
  friend std::expected<BatchView, BatchFault> first_batch(base::Bytes bytes);
  explicit BatchView(base::Bytes bytes) : bytes_(bytes) {}
  template <class T>
  T at(std::size_t offset) const {
    return base::load_big_endian<T>(bytes_.data() + offset);
  }
  base::Bytes bytes_;
};

// The size of the batch that starts with these (at least kBatchPrefixBytes) bytes, as it declares it itself. Below
// kBatchHeaderBytes: no batch starts here.
std::int64_t declared_batch_size(base::Bytes prefix);

// The batch at the start of `bytes`, which may hold more: it lies inside them whole and has format 2. Neither the CRC
// nor the counts are looked at. Readers of fetch responses end at the first fault: a response's tail may be cut.
std::expected<BatchView, BatchFault> first_batch(base::Bytes bytes);

// Is it what was once written? CRC, known codec, counts that are possible. For a log's recovery and for consumers: a
// compacted batch holds fewer records than offsets, and passes.
std::expected<void, BatchFault> check_stored(const BatchView& batch);

// May a client append this? `records` holds exactly one batch, undamaged, as many records as offsets, not empty, no
// control batch, no log-append time, timestamps and sequence numbers that are possible. The records inside are not
// decoded; check_records() (record_reader.h) does that.
std::expected<BatchView, BatchFault> check_produced(base::Bytes records);

// The first sixteen bytes as the log wants them. A writer writes these and then the batch from byte 16 on, so that the
// request's bytes are neither changed nor copied.
std::array<std::byte, kBatchChangeableBytes> changed_start(const BatchView& batch, std::int64_t base_offset,
                                                           std::int32_t leader_epoch);

// The same in place, on bytes that hold a batch.
void set_base_offset(base::MutableBytes batch, std::int64_t base_offset);
void set_leader_epoch(base::MutableBytes batch, std::int32_t leader_epoch);
// What a producer may have got wrong, and Kafka sets right when it appends. Computes the CRC again.
void set_max_timestamp(base::MutableBytes batch, std::int64_t timestamp_ms);
// message.timestamp.type=LogAppendTime: every record then has this time. Computes the CRC again.
void set_log_append_time(base::MutableBytes batch, std::int64_t timestamp_ms);

}  // namespace iolab::protocol
