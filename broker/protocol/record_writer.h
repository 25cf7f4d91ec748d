// One record as a batch holds it, before compression: for whoever writes batches.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "broker/protocol/record_reader.h"
#include "broker/protocol/varint.h"

namespace iolab::protocol {

// What a record says, whatever its batch is. A missing key or value is null, which is not the same as empty.
struct RecordFields {
  std::optional<base::Bytes> key, value;
  std::span<const RecordHeader> headers;
};

inline std::size_t size_of_nullable(const std::optional<base::Bytes>& bytes) {
  return bytes ? size_of_varlong(static_cast<std::int64_t>(bytes->size())) + bytes->size() : size_of_varlong(-1);
}

// The record without its length.
inline std::size_t record_body_size(const RecordFields& record, std::int64_t timestamp_delta,
                                    std::int32_t offset_delta) {
  std::size_t bytes = 1 + size_of_varlong(timestamp_delta) + size_of_varlong(offset_delta) +
                      size_of_nullable(record.key) + size_of_nullable(record.value) +
                      size_of_varlong(static_cast<std::int64_t>(record.headers.size()));
  for (const RecordHeader& header : record.headers) {
    bytes += size_of_nullable(header.key) + size_of_nullable(header.value);
  }
  return bytes;
}

inline void append_bytes(std::vector<std::byte>& out, base::Bytes bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

inline void append_nullable(std::vector<std::byte>& out, const std::optional<base::Bytes>& bytes) {
  append_varlong(out, bytes ? static_cast<std::int64_t>(bytes->size()) : -1);
  if (bytes) append_bytes(out, *bytes);
}

inline void append_record(std::vector<std::byte>& out, const RecordFields& record, std::int64_t timestamp_delta,
                          std::int32_t offset_delta) {
  append_varlong(out, static_cast<std::int64_t>(record_body_size(record, timestamp_delta, offset_delta)));
  out.push_back(std::byte{0});  // attributes
  append_varlong(out, timestamp_delta);
  append_varlong(out, offset_delta);
  append_nullable(out, record.key);
  append_nullable(out, record.value);
  append_varlong(out, static_cast<std::int64_t>(record.headers.size()));
  for (const RecordHeader& header : record.headers) {
    append_nullable(out, header.key);
    append_nullable(out, header.value);
  }
}

}  // namespace iolab::protocol
