// Builds one record batch: for clients, and for whatever the broker itself writes into a log.
//
//   BatchBuilder builder({.compression = Compression::lz4});
//   builder.add({.timestamp_ms = now, .value = base::as_bytes("hello")});
//   std::vector<std::byte> batch = builder.finish();
//
// If the codec's library has no memory, the batch is written uncompressed. Offsets start at 0 and follow each other;
// the broker that appends the batch sets the base offset.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "broker/protocol/record_reader.h"

namespace iolab::protocol {

class BatchBuilder {
 public:
  struct Settings {
    Compression compression = Compression::none;
    std::int64_t producer_id = -1;
    std::int16_t producer_epoch = -1;
    std::int32_t base_sequence = -1;
    bool transactional = false;
    bool control = false;  // of the broker's own, for its readers to act upon
  };

  // What is added; nothing is kept of it. A missing key or value is null, which is not the same as empty.
  struct Entry {
    std::int64_t timestamp_ms = 0;
    std::optional<base::Bytes> key, value;
    std::span<const RecordHeader> headers;
  };

  BatchBuilder() = default;
  explicit BatchBuilder(const Settings& settings) : settings_(settings) {}

  void add(const Entry& entry);
  std::int32_t records_count() const { return count_; }
  bool empty() const { return count_ == 0; }
  // Of the batch before compression; what add() of such an entry would at most add to it.
  std::size_t size_bytes() const { return kBatchHeaderBytes + records_.size(); }
  static std::size_t most_bytes_of(const Entry& entry);

  // The batch, with its CRC; the builder is then empty again, with the same settings. Not for an empty builder.
  std::vector<std::byte> finish();
  // For the next batch of an idempotent producer.
  void set_base_sequence(std::int32_t sequence) { settings_.base_sequence = sequence; }

 private:
  Settings settings_;
  std::vector<std::byte> records_;
  std::int32_t count_ = 0;
  std::int64_t base_timestamp_ = 0, max_timestamp_ = 0;
};

}  // namespace iolab::protocol
