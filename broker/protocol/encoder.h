// Writes a message into a gather buffer; records are attached, not copied.
//
// Whether strings, arrays and structs take the compact form is decided here, once, by `flexible`. What the wire cannot
// express (a string of more than 32767 bytes in an old version) makes ok() false for good; the caller rewinds.
#pragma once

#include <limits>
#include <utility>

#include "broker/base/gather_buffer.h"
#include "broker/protocol/field.h"
#include "broker/protocol/sizer.h"

namespace iolab::protocol {

class Encoder {
 public:
  Encoder(base::GatherBuffer& out, std::int16_t version, bool flexible)
      : out_(out), version_(version), flexible_(flexible) {}

  bool ok() const { return ok_; }

  template <Struct M>
  void message(const M& message) {
    M::fields([&](const char*, auto member, Field field = {}) {
      if (field.in_line(version_)) value(message.*member, field.null_in(version_));
    });
    if (flexible_) tag_section(message);
  }

  void varint(std::uint32_t number) {
    for (; number >= 0x80; number >>= 7) out_.append_byte(static_cast<std::uint8_t>(number | 0x80));
    out_.append_byte(static_cast<std::uint8_t>(number));
  }

  // Two bytes of length in every version: only the request header's client id.
  void old_string(const std::optional<std::string>& text) {
    const bool flexible = std::exchange(flexible_, false);
    value(text);
    flexible_ = flexible;
  }

  template <class T>
  void value(const T& value, bool may_be_null = true) {
    if constexpr (std::same_as<T, bool>) {
      out_.append_byte(value ? 1 : 0);
    } else if constexpr (std::is_enum_v<T>) {
      out_.append_big_endian(static_cast<std::underlying_type_t<T>>(value));
    } else if constexpr (std::same_as<T, double>) {
      out_.append_big_endian(std::bit_cast<std::uint64_t>(value));
    } else if constexpr (Scalar<T>) {
      out_.append_big_endian(value);
    } else if constexpr (std::same_as<T, Uuid>) {
      out_.append(std::as_bytes(std::span(value)));
    } else if constexpr (std::same_as<T, std::string>) {
      length<std::int16_t>(value.size());
      out_.append(base::as_bytes(value));
    } else if constexpr (BlobLike<T>) {
      length<std::int32_t>(value.bytes.size());
      out_.attach(value.bytes, value.owner);
    } else if constexpr (Array<T>) {
      length<std::int32_t>(value.size());
      for (const auto& element : value) this->value(element);
    } else if constexpr (Optional<T>) {
      optional(value, may_be_null);
    } else {
      message(value);
    }
  }

 private:
  template <class T>
  void optional(const std::optional<T>& value, bool may_be_null) {
    if constexpr (Struct<T>) out_.append_byte(value ? 1 : 0xff);
    if (value) return this->value(*value);
    if constexpr (Struct<T>)
      return;
    else if (!may_be_null)
      length_field<T>(0);
    else if (flexible_)
      varint(0);
    else if constexpr (std::same_as<T, std::string>)
      out_.append_big_endian(std::int16_t{-1});
    else
      out_.append_big_endian(std::int32_t{-1});
  }

  template <class T>
  void length_field(std::size_t count) {
    if constexpr (std::same_as<T, std::string>)
      length<std::int16_t>(count);
    else
      length<std::int32_t>(count);
  }

  template <class Wide>
  void length(std::size_t count) {
    const std::size_t most = flexible_ ? std::numeric_limits<std::int32_t>::max() : std::numeric_limits<Wide>::max();
    if (count > most)
      ok_ = false;
    else if (flexible_)
      varint(static_cast<std::uint32_t>(count + 1));
    else
      out_.append_big_endian(static_cast<Wide>(count));
  }

  template <Struct M>
  void tag_section(const M& message) {
    std::uint32_t count = 0;
    M::fields([&](const char*, auto member, Field field = {}) {
      if (field.in_tags(version_) && message.*member != default_of<M>().*member) ++count;
    });
    varint(count);
    if (count == 0) return;
    M::fields([&](const char*, auto member, Field field = {}) {
      if (!field.in_tags(version_) || message.*member == default_of<M>().*member) return;
      varint(static_cast<std::uint32_t>(field.tag));
      varint(static_cast<std::uint32_t>(Sizer(version_, flexible_).value(message.*member)));
      value(message.*member, field.null_in(version_));
    });
  }

  base::GatherBuffer& out_;
  std::int16_t version_;
  bool flexible_;
  bool ok_ = true;
};

}  // namespace iolab::protocol
