// Prints a declaration itself, one line for each field, so that it can be compared with what Kafka's own says.
//
//   topics array of struct v=all null=1+
//     topic_id uuid v=10+
//     name string v=all null=10+
//   allow_auto_topic_creation bool v=4+ default=true
//
// Versions are cut to those that the API speaks: "all", "4+", "8-10". A default that is zero, false or empty is left
// out. An array in front of a type says "array of"; the lines of a struct's own fields follow, indented.
#pragma once

#include <algorithm>
#include <string>

#include "broker/protocol/api.h"
#include "broker/protocol/field.h"

namespace iolab::protocol {

class Describer {
 public:
  explicit Describer(const Api& api) : api_(api) {}

  template <Struct M>
  void message() {
    M::fields([&]<class T>(const char* name, T M::* member, Field field = {}) {
      text_ += std::string(indent_, ' ') + name + ' ' + type_of<T>() + " v=" + versions(field.first, field.last);
      if (field.tag >= 0) text_ += " tag=" + std::to_string(field.tag);
      if constexpr (Optional<T>) {
        text_ += " null=" + versions(std::max(field.first, field.null_first), std::min(field.last, field.null_last));
      }
      text_ += default_of_field(default_of<M>().*member) + '\n';
      indent_ += 2;
      descend<T>();
      indent_ -= 2;
    });
  }
  std::string take() { return std::move(text_); }

 private:
  template <class T>
  static std::string type_of() {
    if constexpr (std::same_as<T, bool>)
      return "bool";
    else if constexpr (std::is_enum_v<T>)
      return type_of<std::underlying_type_t<T>>();
    else if constexpr (std::same_as<T, double>)
      return "f64";
    else if constexpr (Scalar<T>)
      return (std::is_signed_v<T> ? "i" : "u") + std::to_string(8 * sizeof(T));
    else if constexpr (std::same_as<T, Uuid>)
      return "uuid";
    else if constexpr (std::same_as<T, std::string>)
      return "string";
    else if constexpr (std::same_as<T, Records>)
      return "records";
    else if constexpr (BlobLike<T>)
      return "bytes";
    else if constexpr (Array<T>)
      return "array of " + type_of<typename T::value_type>();
    else if constexpr (Optional<T>)
      return type_of<typename T::value_type>();
    else
      return "struct";
  }

  template <class T>
  void descend() {
    if constexpr (Array<T> || Optional<T>)
      descend<typename T::value_type>();
    else if constexpr (Struct<T>)
      message<T>();
  }

  template <class T>
  static std::string default_of_field(const T& value) {
    if constexpr (std::same_as<T, bool>)
      return value ? " default=true" : "";
    else if constexpr (std::is_enum_v<T>)
      return default_of_field(static_cast<std::underlying_type_t<T>>(value));
    else if constexpr (Scalar<T>)
      return value == T{} ? "" : " default=" + std::to_string(value);
    else if constexpr (Optional<T>)
      return value ? default_of_field(*value) : " default=null";
    else if constexpr (std::same_as<T, std::string>)
      return value.empty() ? "" : " default=" + value;
    else
      return "";
  }

  std::string versions(std::int16_t first, std::int16_t last) const {
    first = std::max(first, api_.first);
    last = std::min(last, api_.last);
    if (first > last) return "none";
    if (last == api_.last) return first == api_.first ? "all" : std::to_string(first) + '+';
    return first == last ? std::to_string(first) : std::to_string(first) + '-' + std::to_string(last);
  }

  const Api& api_;
  std::size_t indent_ = 0;
  std::string text_;
};

template <Struct M>
std::string describe() {
  Describer describer(M::kApi);
  describer.message<M>();
  return describer.take();
}

}  // namespace iolab::protocol
