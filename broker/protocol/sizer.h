// How many bytes a message will take, without writing it; and the least that any value of a type can take, which lets
// the decoder refuse a count before it believes it.
#pragma once

#include "broker/protocol/field.h"

namespace iolab::protocol {

constexpr std::size_t size_of_varint(std::uint32_t value) {
  std::size_t bytes = 1;
  for (; value >= 0x80; value >>= 7) ++bytes;
  return bytes;
}

class Sizer {
 public:
  Sizer(std::int16_t version, bool flexible) : version_(version), flexible_(flexible) {}

  template <Struct M>
  std::size_t message(const M& message) const {
    std::size_t bytes = 0;
    M::fields([&](const char*, auto member, Field field = {}) {
      if (field.in_line(version_)) bytes += value(message.*member);
    });
    return bytes + (flexible_ ? tag_section(message) : 0);
  }

  template <class T>
  std::size_t value(const T& value) const {
    if constexpr (Scalar<T>) {
      return sizeof(T);
    } else if constexpr (std::same_as<T, Uuid>) {
      return 16;
    } else if constexpr (std::same_as<T, std::string>) {
      return length<std::int16_t>(value.size()) + value.size();
    } else if constexpr (BlobLike<T>) {
      return length<std::int32_t>(value.bytes.size()) + value.bytes.size();
    } else if constexpr (Array<T>) {
      std::size_t bytes = length<std::int32_t>(value.size());
      for (const auto& element : value) bytes += this->value(element);
      return bytes;
    } else if constexpr (Optional<T>) {
      using Inner = typename T::value_type;
      if constexpr (Struct<Inner>)
        return 1 + (value ? this->value(*value) : 0);
      else
        return value ? this->value(*value) : this->value(Inner{});  // null takes as much as empty
    } else {
      return message(value);
    }
  }

 private:
  template <Struct M>
  std::size_t tag_section(const M& message) const {
    std::uint32_t count = 0;
    std::size_t bytes = 0;
    M::fields([&](const char*, auto member, Field field = {}) {
      if (!field.in_tags(version_) || message.*member == default_of<M>().*member) return;
      const std::size_t body = value(message.*member);
      ++count;
      bytes += size_of_varint(static_cast<std::uint32_t>(field.tag)) +
               size_of_varint(static_cast<std::uint32_t>(body)) + body;
    });
    return size_of_varint(count) + bytes;
  }

  template <class Wide>
  std::size_t length(std::size_t count) const {
    return flexible_ ? size_of_varint(static_cast<std::uint32_t>(count + 1)) : sizeof(Wide);
  }

  std::int16_t version_;
  bool flexible_;
};

template <class T>
constexpr std::size_t least_size(std::int16_t version, bool flexible) {
  if constexpr (Scalar<T>) {
    return sizeof(T);
  } else if constexpr (std::same_as<T, Uuid>) {
    return 16;
  } else if constexpr (std::same_as<T, std::string>) {
    return flexible ? 1 : 2;
  } else if constexpr (BlobLike<T> || Array<T>) {
    return flexible ? 1 : 4;
  } else if constexpr (Optional<T>) {
    return Struct<typename T::value_type> ? 1 : least_size<typename T::value_type>(version, flexible);
  } else {
    std::size_t bytes = flexible ? 1 : 0;
    T::fields([&]<class Member>(const char*, Member T::*, Field field = {}) {
      if (field.in_line(version)) bytes += least_size<Member>(version, flexible);
    });
    return bytes;
  }
}

}  // namespace iolab::protocol
