// The records of a batch, one after the other, unfolded only as far as they are read.
//
//   RecordReader reader(batch);
//   while (const Record* record = reader.next()) { ... }
//   if (reader.fault()) ...   // it ended too early
//
// A record that is not compressed is a view into the batch; a compressed one into the reader's window, which holds one
// record and what was decompressed along with it. Memory follows the bytes that exist, never the length that is
// declared.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "broker/protocol/record_batch.h"

namespace iolab::protocol {

struct RecordHeader {
  base::Bytes key;
  std::optional<base::Bytes> value;
};

// Views that hold until the reader's next step.
struct Record {
  std::int64_t offset = 0;
  std::int64_t timestamp_ms = 0;
  std::optional<base::Bytes> key, value;
  std::span<const RecordHeader> headers;
};

class RecordReader {
 public:
  // The batch's bytes must outlive the reader.
  explicit RecordReader(const BatchView& batch, const DecompressionLimits& limits = {});
  ~RecordReader();
  RecordReader(const RecordReader&) = delete;
  RecordReader& operator=(const RecordReader&) = delete;

  // Null: the end, or a fault. After the last record nothing may follow.
  const Record* next();
  const std::optional<BatchFault>& fault() const { return fault_; }

 private:
  const Record* fail(ErrorCode code, const char* reason);
  bool have(std::size_t bytes);  // makes that many bytes stand in the window, if there are as many
  bool unfold();                 // a little more of a compressed batch; false: the end, or a fault
  std::optional<std::size_t> read_record_length();
  bool read_record(base::Bytes body);
  bool read_headers(base::Bytes& body);

  std::int64_t base_offset_, base_timestamp_, append_timestamp_;
  std::int32_t records_left_;
  bool log_append_time_;
  std::unique_ptr<Decompressor> decompressor_;  // null: not compressed
  std::size_t may_unfold_bytes_ = 0;
  std::vector<std::byte> unfolded_;
  base::Bytes window_;  // what is there and not yet read
  Record record_;
  std::vector<RecordHeader> headers_;
  std::optional<BatchFault> fault_;
};

// The places, from 0 on, of the records that have no key.
std::vector<std::int32_t> records_without_key(const BatchView& batch, const DecompressionLimits& limits = {});

// Decodes every record of a batch that a client wants to append: as many as declared, offsets without a gap, nothing
// left over. Returns the largest timestamp, which may not be the declared one. check_produced() came first.
std::expected<std::int64_t, BatchFault> check_records(const BatchView& batch, const DecompressionLimits& limits = {});

}  // namespace iolab::protocol
