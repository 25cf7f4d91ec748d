// The signed variable-length integers of records: zig-zag, then base 128, least significant group first.
//
// Only records use them; messages have the unsigned kind, in Encoder and Decoder.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "broker/base/bytes.h"

namespace iolab::protocol {

inline constexpr std::size_t kVarintBytes = 5, kVarlongBytes = 10;  // the longest forms

constexpr std::uint64_t zigzag(std::int64_t number) {
  return (static_cast<std::uint64_t>(number) << 1) ^ static_cast<std::uint64_t>(number >> 63);
}

inline void append_varlong(std::vector<std::byte>& out, std::int64_t number) {
  std::uint64_t left = zigzag(number);
  for (; left >= 0x80; left >>= 7) out.push_back(static_cast<std::byte>(left | 0x80));
  out.push_back(static_cast<std::byte>(left));
}

constexpr std::size_t size_of_varlong(std::int64_t number) {
  std::size_t bytes = 1;
  for (std::uint64_t left = zigzag(number); left >= 0x80; left >>= 7) ++bytes;
  return bytes;
}

// Takes a number off the front of `from`. Nothing: the bytes end first, or the number has more than `Bits` bits.
template <int Bits>
std::optional<std::int64_t> take_signed(base::Bytes& from) {
  constexpr std::size_t kMostBytes = (Bits + 6) / 7;
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < kMostBytes && i < from.size(); ++i) {
    const auto group = std::to_integer<std::uint64_t>(from[i]);
    const int shift = static_cast<int>(7 * i);
    if (i + 1 == kMostBytes && (group >> (Bits - shift)) != 0) return std::nullopt;
    number |= (group & 0x7f) << shift;
    if (group < 0x80) {
      from = from.subspan(i + 1);
      return static_cast<std::int64_t>(number >> 1) ^ -static_cast<std::int64_t>(number & 1);
    }
  }
  return std::nullopt;
}

inline std::optional<std::int32_t> take_varint(base::Bytes& from) {
  const auto number = take_signed<32>(from);
  if (!number) return std::nullopt;
  return static_cast<std::int32_t>(*number);
}
inline std::optional<std::int64_t> take_varlong(base::Bytes& from) {
  return take_signed<64>(from);
}

}  // namespace iolab::protocol
