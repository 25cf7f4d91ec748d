// What can go wrong in storage, as a value. `fault` is for the program (which Kafka error code, does the partition go
// offline), `message` is for people: a whole sentence that names the file, what happened, and what to do now.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

namespace iolab::storage {

enum class StorageFault : std::uint8_t {
  io,            // a file call failed; the log it belongs to answers nothing but `offline` from then on
  no_space,      // ENOSPC, EDQUOT or EFBIG while appending: nothing was appended, the log stays usable
  corrupt,       // bytes that were acknowledged are damaged or missing: the partition must go offline
  offline,       // the log failed before; the message repeats why
  out_of_range,  // an offset below the start or above the end of the log
  refused,       // the data directory is in use, of a newer format, or of another node
  invalid_name,  // a topic name that may not become a path
  exists,
  not_found,
};

struct StorageError {
  StorageFault fault = StorageFault::io;
  std::string message;
};

template <class T>
using Expected = std::expected<T, StorageError>;

}  // namespace iolab::storage
