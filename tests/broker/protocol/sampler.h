// A visitor that invents messages: every field of a version gets a value that the version can carry, edges more often
// than chance would have it. The same seed gives the same message everywhere (no std distribution is used).
#pragma once

#include <limits>
#include <memory>
#include <random>
#include <string>

#include "broker/protocol/field.h"

namespace iolab::protocol {

class Sampler {
 public:
  Sampler(std::uint64_t seed, std::int16_t version) : random_(seed), version_(version) {}

  template <Struct M>
  M message() {
    M message;
    fill(message);
    return message;
  }

 private:
  static constexpr std::uint64_t kMostElements = 4;

  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }

  template <Struct M>
  void fill(M& message) {
    M::fields([&](const char*, auto member, Field field = {}) {
      if (!field.in(version_)) return;
      if (field.tag >= 0 && one_in(2)) return;  // its default, so it is left out
      value(message.*member, field.null_in(version_));
    });
  }

  template <class T>
  void value(T& value, bool may_be_null) {
    if constexpr (std::same_as<T, bool>) {
      value = one_in(2);
    } else if constexpr (std::is_enum_v<T>) {
      value = static_cast<T>(integer<std::underlying_type_t<T>>());
    } else if constexpr (std::same_as<T, double>) {
      value = static_cast<double>(integer<std::int64_t>()) / 7;
    } else if constexpr (Scalar<T>) {
      value = integer<T>();
    } else if constexpr (std::same_as<T, Uuid>) {
      for (auto& byte : value) byte = static_cast<std::uint8_t>(random_());
    } else if constexpr (std::same_as<T, std::string>) {
      value.resize(length());
      for (char& c : value) c = static_cast<char>(random_());
    } else if constexpr (BlobLike<T>) {
      auto bytes = std::make_shared<std::vector<std::byte>>(length());
      for (std::byte& byte : *bytes) byte = static_cast<std::byte>(random_());
      value = T(base::Bytes(*bytes), bytes);
    } else if constexpr (Array<T>) {
      value.resize(below(kMostElements));
      for (auto& element : value) this->value(element, false);
    } else if constexpr (Optional<T>) {
      if (may_be_null && one_in(3)) return value.reset();
      this->value(value.emplace(), false);
    } else {
      fill(value);
    }
  }

  template <class T>
  T integer() {
    constexpr T kEdges[] = {0, 1, static_cast<T>(-1), std::numeric_limits<T>::min(), std::numeric_limits<T>::max()};
    if (one_in(3)) return kEdges[below(std::size(kEdges))];
    return static_cast<T>(random_());
  }

  // Around the places where a length takes one byte more, and where bytes are attached instead of copied.
  std::size_t length() {
    constexpr std::size_t kEdges[] = {0, 1, 126, 127, 128, 1023, 1024, 16'382, 16'383, 32'767};
    return one_in(8) ? kEdges[below(std::size(kEdges))] : below(20);
  }

  std::mt19937_64 random_;
  std::int16_t version_;
};

}  // namespace iolab::protocol
