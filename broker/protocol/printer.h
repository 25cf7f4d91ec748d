// One message as one line of text, for people: logs of tests, and tools that show a conversation.
//
//   {transactional_id: null, acks: 1, topic_data: [{name: "orders", partition_data: [{index: 0, records: <93
//   bytes>}]}]}
//
// Only the fields of the version are shown. Not a format: nothing reads it back.
#pragma once

#include <string>
#include <string_view>

#include "broker/protocol/field.h"

namespace iolab::protocol {

class Printer {
 public:
  explicit Printer(std::int16_t version) : version_(version) {}

  template <Struct M>
  void message(const M& message) {
    text_ += '{';
    bool first = true;
    M::fields([&](const char* name, auto member, Field field = {}) {
      if (!field.in(version_)) return;
      if (!std::exchange(first, false)) text_ += ", ";
      text_ += name;
      text_ += ": ";
      value(message.*member);
    });
    text_ += '}';
  }
  std::string take() { return std::move(text_); }

 private:
  template <class T>
  void value(const T& value) {
    if constexpr (std::same_as<T, bool>) {
      text_ += value ? "true" : "false";
    } else if constexpr (std::is_enum_v<T>) {
      text_ += std::to_string(static_cast<std::underlying_type_t<T>>(value));
    } else if constexpr (Scalar<T>) {
      text_ += std::to_string(value);
    } else if constexpr (std::same_as<T, Uuid>) {
      for (const std::uint8_t byte : value) hex(byte);
    } else if constexpr (std::same_as<T, std::string>) {
      quoted(value);
    } else if constexpr (BlobLike<T>) {
      text_ += '<' + std::to_string(value.bytes.size()) + " bytes>";
    } else if constexpr (Array<T>) {
      text_ += '[';
      for (std::size_t i = 0; i < value.size(); ++i) {
        if (i > 0) text_ += ", ";
        this->value(value[i]);
      }
      text_ += ']';
    } else if constexpr (Optional<T>) {
      if (value) {
        this->value(*value);
      } else {
        text_ += "null";
      }
    } else {
      message(value);
    }
  }

  void quoted(std::string_view text) {
    text_ += '"';
    for (const char c : text) {
      if (const auto byte = static_cast<std::uint8_t>(c); byte < ' ' || byte == 0x7f) {
        text_ += "\\x";
        hex(byte);
        continue;
      }
      if (c == '"' || c == '\\') text_ += '\\';
      text_ += c;
    }
    text_ += '"';
  }

  void hex(std::uint8_t byte) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    text_ += kDigits[byte >> 4];
    text_ += kDigits[byte & 15];
  }

  std::int16_t version_;
  std::string text_;
};

template <Struct M>
std::string print(const M& message, std::int16_t version) {
  Printer printer(version);
  printer.message(message);
  return printer.take();
}

}  // namespace iolab::protocol
