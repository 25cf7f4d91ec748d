// How a message is declared: a struct with default values, and one function that names its fields in wire order.
//
//   struct Partition {
//     std::int32_t partition_index = 0;
//     std::int32_t leader_epoch = -1;
//     bool operator==(const Partition&) const = default;
//     static constexpr void fields(auto&& field) {
//       field("partition_index", &Partition::partition_index);
//       field("leader_epoch", &Partition::leader_epoch, since(7));
//     }
//   };
//
// Every visitor (encoder, decoder, sizer, printer, describer, sampler) walks that one declaration. The default of a
// field is the member's own initialiser; tagged fields are declared in the order of their tags. A std::optional may be
// null, in the versions that `nullable` names (all by default); a null elsewhere is written as an empty value.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "broker/base/bytes.h"

namespace iolab::protocol {

inline constexpr std::int16_t kEveryLaterVersion = std::numeric_limits<std::int16_t>::max();

// In which versions a field exists, whether it stands in line or in the tag section, and where it may be null.
struct Field {
  std::int16_t first = 0, last = kEveryLaterVersion;
  std::int16_t null_first = 0, null_last = kEveryLaterVersion;
  std::int32_t tag = -1;

  constexpr Field tagged(std::int32_t number) const { return {first, last, null_first, null_last, number}; }
  constexpr Field nullable(std::int16_t from, std::int16_t to = kEveryLaterVersion) const {
    return {first, last, from, to, tag};
  }
  constexpr bool in(std::int16_t version) const { return version >= first && version <= last; }
  constexpr bool in_line(std::int16_t version) const { return tag < 0 && in(version); }
  constexpr bool in_tags(std::int16_t version) const { return tag >= 0 && in(version); }
  constexpr bool null_in(std::int16_t version) const { return version >= null_first && version <= null_last; }
};

constexpr Field since(std::int16_t first) {
  return {.first = first};
}
constexpr Field between(std::int16_t first, std::int16_t last) {
  return {.first = first, .last = last};
}
constexpr Field nullable(std::int16_t first) {
  return {.null_first = first};
}

using Uuid = std::array<std::uint8_t, 16>;

// Bytes that are not copied: decoding makes a view into the request, encoding attaches them to what is sent. `owner`
// keeps them alive where the request's buffer does not. Compared by content.
struct Blob {
  base::Bytes bytes;
  std::shared_ptr<const void> owner;

  Blob() = default;
  Blob(base::Bytes view) : bytes(view) {}
  Blob(base::Bytes view, std::shared_ptr<const void> keeper) : bytes(view), owner(std::move(keeper)) {}
  bool operator==(const Blob& other) const { return base::equal(bytes, other.bytes); }
};

// The wire's type `records`: record batches, one after the other.
struct Records : Blob {
  using Blob::Blob;
  bool operator==(const Records& other) const = default;
};

// A visitor that does nothing: it lets the compiler ask whether a type declares fields.
struct IgnoreFields {
  template <class Member>
  constexpr void operator()(const char*, Member, Field = {}) const {}
};

template <class T>
concept Struct = requires { T::fields(IgnoreFields{}); };

template <class T>
inline constexpr bool kIsOptional = false;
template <class T>
inline constexpr bool kIsOptional<std::optional<T>> = true;
template <class T>
inline constexpr bool kIsVector = false;
template <class T>
inline constexpr bool kIsVector<std::vector<T>> = true;

template <class T>
concept Optional = kIsOptional<T>;
template <class T>
concept Array = kIsVector<T>;
template <class T>
concept BlobLike = std::derived_from<T, Blob>;
// Fixed width on the wire: integers, enumerations of a given width, bool as one byte, double as its IEEE bits.
template <class T>
concept Scalar = std::is_arithmetic_v<T> || std::is_enum_v<T>;

// What the fields of a message hold when nobody has set them.
template <Struct T>
const T& default_of() {
  static const T kDefault{};
  return kDefault;
}

}  // namespace iolab::protocol
