// ISA-L takes and gives the register without the inversions of the standard, and counts bytes in an int.
#include "broker/base/crc32c.h"

#include <isa-l/crc.h>

#include <algorithm>

namespace iolab::base {

std::uint32_t crc32c(Bytes bytes, std::uint32_t previous) {
  constexpr std::size_t kMostAtOnce = std::size_t{1} << 30;
  std::uint32_t state = ~previous;
  while (!bytes.empty()) {
    const Bytes part = bytes.first(std::min(bytes.size(), kMostAtOnce));
    // The library's prototype lacks a const; it only reads.
    auto* data = reinterpret_cast<unsigned char*>(const_cast<std::byte*>(part.data()));
    state = crc32_iscsi(data, static_cast<int>(part.size()), state);
    bytes = bytes.subspan(part.size());
  }
  return ~state;
}

}  // namespace iolab::base
