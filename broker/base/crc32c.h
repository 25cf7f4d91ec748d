// CRC-32C (Castagnoli), the checksum of record batches; RFC 3720 appendix B.4 has test vectors. ISA-L computes it with
// the processor's own instructions.
#pragma once

#include <cstdint>

#include "broker/base/bytes.h"

namespace iolab::base {

// `previous` is the checksum of the bytes before these, so that crc32c(ab) == crc32c(b, crc32c(a)).
std::uint32_t crc32c(Bytes bytes, std::uint32_t previous = 0);

}  // namespace iolab::base
