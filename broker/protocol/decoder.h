// Reads a message out of bytes that a stranger sent.
//
// Nothing is allocated on the word of a length: a count must fit into the bytes that are left, and the memory of all
// elements together is bounded. Text is copied; bytes and records become views into the input. The first fault sticks:
// every later read yields nothing, and fault() says what was wrong, in which field, at which byte.
#pragma once

#include <cstdio>
#include <expected>
#include <string>
#include <utility>

#include "broker/protocol/field.h"
#include "broker/protocol/sizer.h"

namespace iolab::protocol {

struct DecodeFault {
  const char* field = "";  // the innermost one that was being read
  const char* reason = "";
  std::size_t at_byte = 0;

  std::string sentence() const {
    return std::string(field) + ": " + reason + " (at byte " + std::to_string(at_byte) + ")";
  }
};

struct DecodeLimits {
  std::size_t element_bytes = 128u << 20;  // memory of all array elements of one message
  std::uint32_t tagged_fields = 100'000;   // in all of one message; each costs a walk over a declaration
};

class Decoder {
 public:
  Decoder(base::Bytes in, std::int16_t version, bool flexible, DecodeLimits limits = {})
      : in_(in), end_(in.size()), version_(version), flexible_(flexible), limits_(limits) {}

  bool ok() const { return ok_; }
  std::size_t left() const { return ok_ ? end_ - at_ : 0; }
  std::size_t position() const { return at_; }
  const DecodeFault& fault() const { return fault_; }

  template <Struct M>
  void message(M& message) {
    M::fields([&](const char* name, auto member, Field field = {}) {
      if (!ok_ || !field.in_line(version_)) return;
      field_ = name;
      value(message.*member, field.null_in(version_));
    });
    if (flexible_) tag_section(message);
  }

  // A tag section of which no tag is known: that of a header.
  void skip_tags() {
    NoFields nothing;
    tag_section(nothing);
  }

  template <class T>
  void value(T& value, bool may_be_null = true) {
    if (!ok_) return;
    if constexpr (std::same_as<T, bool>) {
      const base::Bytes raw = take(1);
      if (ok_) value = raw[0] != std::byte{0};
    } else if constexpr (std::is_enum_v<T>) {
      value = static_cast<T>(integer<std::underlying_type_t<T>>());
    } else if constexpr (std::same_as<T, double>) {
      value = std::bit_cast<double>(integer<std::uint64_t>());
    } else if constexpr (Scalar<T>) {
      value = integer<T>();
    } else if constexpr (std::same_as<T, Uuid>) {
      const base::Bytes raw = take(value.size());
      if (ok_) std::memcpy(value.data(), raw.data(), value.size());
    } else if constexpr (Optional<T>) {
      optional(value, may_be_null);
    } else if constexpr (Struct<T>) {
      message(value);
    } else {
      const std::int64_t count = length<T>();
      if (ok_ && count < 0) return fail("null where null is not allowed");
      if (ok_) contents(value, static_cast<std::size_t>(count));
    }
  }

  // Base 128, least significant group first, at most five bytes and 32 bits.
  std::uint32_t varint() {
    std::uint32_t number = 0;
    for (int shift = 0; shift < 35; shift += 7) {
      const base::Bytes raw = take(1);
      if (!ok_) return 0;
      const auto group = std::to_integer<std::uint32_t>(raw[0]);
      if (shift == 28 && group > 0x0f) break;
      number |= (group & 0x7f) << shift;
      if (group < 0x80) return number;
    }
    fail("a variable-length number of more than 32 bits");
    return 0;
  }

  void fail(const char* reason) {
    if (ok_) fault_ = {field_, reason, at_};
    ok_ = false;
  }

 private:
  struct NoFields {
    static constexpr void fields(auto&&) {}
  };

  base::Bytes take(std::size_t count) {
    if (count > left()) {
      fail("the message ends too early");
      return {};
    }
    const base::Bytes taken = in_.subspan(at_, count);
    at_ += count;
    return taken;
  }

  template <class T>
  T integer() {
    const base::Bytes raw = take(sizeof(T));
    return ok_ ? base::load_big_endian<T>(raw.data()) : T{};
  }

  // -1 for null.
  template <class T>
  std::int64_t length() {
    std::int64_t count = 0;
    if (flexible_)
      count = std::int64_t{varint()} - 1;
    else if constexpr (std::same_as<T, std::string>)
      count = integer<std::int16_t>();
    else
      count = integer<std::int32_t>();
    if (count < -1) fail("a negative length");
    return count;
  }

  void contents(std::string& text, std::size_t count) {
    const base::Bytes raw = take(count);
    if (ok_) text.assign(base::as_text(raw));
  }
  void contents(Blob& blob, std::size_t count) {
    const base::Bytes raw = take(count);
    if (ok_) blob.bytes = raw;
  }
  template <class T>
  void contents(std::vector<T>& array, std::size_t count) {
    if (count > left() / least_size<T>(version_, flexible_))
      return fail("more elements than the message has bytes for");
    if (count > limits_.element_bytes / sizeof(T)) return fail("more elements than a message may have");
    limits_.element_bytes -= count * sizeof(T);
    array.clear();
    array.resize(count);
    for (T& element : array) {
      value(element);
      if (!ok_) return;
    }
  }

  template <class T>
  void optional(std::optional<T>& value, bool may_be_null) {
    bool null = false;
    std::int64_t count = 0;
    if constexpr (Struct<T>) {
      null = integer<std::int8_t>() < 0;
    } else {
      count = length<T>();
      null = count < 0;
    }
    if (!ok_) return;
    if (null && !may_be_null) return fail("null where null is not allowed in this version");
    if (null) return value.reset();
    if constexpr (Struct<T>)
      message(value.emplace());
    else
      contents(value.emplace(), static_cast<std::size_t>(count));
  }

  // Unknown tags are skipped, whatever they hold. Tags ascend, so no field is set twice.
  template <Struct M>
  void tag_section(M& message) {
    field_ = "tagged fields";
    const std::uint32_t count = varint();
    if (count > left() / 2 || count > limits_.tagged_fields) return fail("more tagged fields than are believed");
    limits_.tagged_fields -= count;
    std::int64_t previous = -1;
    for (std::uint32_t i = 0; ok_ && i < count; ++i) {
      field_ = "tagged fields";
      const std::uint32_t tag = varint();
      const std::uint32_t bytes = varint();
      if (!ok_) return;
      if (tag <= previous) return fail("tags do not ascend");
      if (bytes > left()) return fail("a tagged field is longer than the message");
      previous = tag;
      tagged_field(message, tag, bytes);
    }
  }

  template <Struct M>
  void tagged_field(M& message, std::uint32_t tag, std::size_t bytes) {
    const std::size_t outer_end = std::exchange(end_, at_ + bytes);
    bool known = false;
    M::fields([&](const char* name, auto member, Field field = {}) {
      if (!field.in_tags(version_) || static_cast<std::uint32_t>(field.tag) != tag) return;
      known = true;
      field_ = name;
      value(message.*member, field.null_in(version_));
    });
    if (known && ok_ && at_ != end_) return fail("a tagged field with bytes left over");
    at_ = end_;
    end_ = outer_end;
  }

  base::Bytes in_;
  std::size_t at_ = 0, end_;
  std::int16_t version_;
  bool flexible_;
  bool ok_ = true;
  DecodeLimits limits_;
  const char* field_ = "";
  DecodeFault fault_;
};

// The whole of `body` as one message: bytes left over are a fault too.
template <Struct M>
std::expected<M, DecodeFault> decode(base::Bytes body, std::int16_t version, bool flexible, DecodeLimits limits = {}) {
  Decoder decoder(body, version, flexible, limits);
  std::expected<M, DecodeFault> message(std::in_place);
  decoder.message(*message);
  if (decoder.ok() && decoder.left() > 0) decoder.fail("bytes left over after the message");
  if (!decoder.ok()) return std::unexpected(decoder.fault());
  return message;
}

}  // namespace iolab::protocol
