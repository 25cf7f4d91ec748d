// Bytes in memory and their big-endian integers: the only alphabet of the wire and of the log.
//
// A Bytes is a view and owns nothing; whoever stores one says what keeps it alive. Nothing here checks bounds: callers
// have compared sizes before they load or store.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace iolab::base {

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

inline Bytes as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};  // char may alias any object
}
inline bool equal(Bytes a, Bytes b) {
  return std::ranges::equal(a, b);
}

template <class T>
  requires std::is_integral_v<T>
constexpr T swap_to_big_endian(T value) {
  using Unsigned = std::make_unsigned_t<T>;
  if constexpr (std::endian::native == std::endian::big || sizeof(T) == 1) return value;
  if constexpr (sizeof(T) == 2) return static_cast<T>(__builtin_bswap16(static_cast<Unsigned>(value)));
  if constexpr (sizeof(T) == 4) return static_cast<T>(__builtin_bswap32(static_cast<Unsigned>(value)));
  if constexpr (sizeof(T) == 8) return static_cast<T>(__builtin_bswap64(static_cast<Unsigned>(value)));
}

template <class T>
T load_big_endian(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return swap_to_big_endian(value);
}

template <class T>
void store_big_endian(std::byte* to, T value) {
  value = swap_to_big_endian(value);
  std::memcpy(to, &value, sizeof value);
}

}  // namespace iolab::base
