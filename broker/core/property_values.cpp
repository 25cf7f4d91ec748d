#include "broker/core/property_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <utility>
#include <vector>

namespace iolab::core {
namespace {

using B = BrokerSettings;
using T = TopicSettings;
constexpr std::int64_t kLong = std::numeric_limits<std::int64_t>::max();

std::string_view unit_name(Unit unit) {
  switch (unit) {
    case Unit::none: return "";
    case Unit::bytes: return "bytes";
    case Unit::milliseconds: return "milliseconds";
    case Unit::minutes: return "minutes";
    case Unit::hours: return "hours";
  }
  return "";
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, changed}));
    }
  }
  return row[b.size()];
}

// "7d", "512k", "1GiB": what people write when they forget that Kafka's properties are plain numbers.
std::string plain_number_hint(std::string_view text, Unit unit) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end == text.data() + text.size()) return "";
  std::string suffix{end, text.data() + text.size()};
  std::ranges::transform(suffix, suffix.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  using Factor = std::pair<std::string_view, std::int64_t>;
  static constexpr std::array kTime{Factor{"ms", 1},       Factor{"s", 1000},      Factor{"m", 60'000},
                                    Factor{"min", 60'000}, Factor{"h", 3'600'000}, Factor{"d", 86'400'000}};
  static constexpr std::array kSize{Factor{"k", 1024},        Factor{"kb", 1024},        Factor{"kib", 1024},
                                    Factor{"m", 1024 * 1024}, Factor{"mb", 1024 * 1024}, Factor{"mib", 1024 * 1024},
                                    Factor{"g", 1024L << 20}, Factor{"gb", 1024L << 20}, Factor{"gib", 1024L << 20}};
  std::span<const Factor> factors;
  if (unit == Unit::milliseconds) factors = kTime;
  if (unit == Unit::bytes) factors = kSize;
  for (const auto& [name, factor] : factors) {
    std::int64_t product = 0;
    if (suffix == name && !__builtin_mul_overflow(number, factor, &product)) return fmt::format(" ({})", product);
  }
  return "";
}

std::expected<std::int64_t, std::string> parse_number(const Property& property, std::string_view shown,
                                                      std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string unit = property.unit == Unit::none ? "" : fmt::format(" of {}", unit_name(property.unit));
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) {
    return std::unexpected(fmt::format("{}={}: write a whole number{} without a unit{}", shown, text, unit,
                                       plain_number_hint(text, property.unit)));
  }
  if (number < property.least || number > property.most) {
    if (property.least == property.most) {
      return std::unexpected(fmt::format("{}={}: only {} is possible here", shown, text, property.least));
    }
    if (property.most == kLong) {
      return std::unexpected(fmt::format("{}={}: write {} or more{}", shown, text, property.least, unit));
    }
    return std::unexpected(
        fmt::format("{}={}: write a number{} from {} to {}", shown, text, unit, property.least, property.most));
  }
  return number;
}

bool is_choice(std::string_view choices, std::string_view text) {
  while (!choices.empty()) {
    const std::size_t bar = choices.find('|');
    if (choices.substr(0, bar) == text) return true;
    choices.remove_prefix(bar == std::string_view::npos ? choices.size() : bar + 1);
  }
  return false;
}

std::expected<double, std::string> parse_decimal(const Property& property, std::string_view shown,
                                                 std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  if (whole && number >= static_cast<double>(property.least) && number <= static_cast<double>(property.most)) {
    return number;
  }
  return std::unexpected(
      fmt::format("{}={}: write a number from {} to {}", shown, text, property.least, property.most));
}

// Of a list each element has to be a choice.
bool are_choices(const Property& property, std::string_view text) {
  if (property.type != PropertyType::list) return is_choice(property.choices, text);
  const auto elements = list_elements(text);
  return !elements.empty() && std::ranges::all_of(elements, [&](const std::string& element) {
    return is_choice(property.choices, element);
  });
}

}  // namespace

std::string what_else(std::string_view wanted, std::string_view Property::* kind) {
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(2, wanted.size() / 4) + 1;
  for (const Property& property : properties()) {
    if ((property.*kind).empty()) continue;
    const std::size_t distance = edit_distance(wanted, property.*kind);
    if (distance < best_distance) {
      best_distance = distance;
      best = property.*kind;
    }
  }
  if (!best.empty()) return fmt::format("; did you mean {}?", best);
  return "; `iolab broker --describe-protocol` lists the known ones";
}

std::expected<void, std::string> assign_property(BrokerSettings& broker, TopicSettings& topic, const Property& property,
                                                 std::string_view shown, std::string_view text) {
  if (!property.choices.empty() && !are_choices(property, text)) {
    std::string choices{property.choices};
    for (std::size_t bar; (bar = choices.find('|')) != std::string::npos;) choices.replace(bar, 1, " or ");
    return std::unexpected(fmt::format("{}={}: write {}", shown, text, choices));
  }
  const bool has_effect = !std::holds_alternative<WithoutEffect>(property.member);
  if (!has_effect) topic.without_effect.insert_or_assign(std::string{property.name}, std::string{text});
  if (property.type == PropertyType::boolean) {
    if (text != "true" && text != "false")
      return std::unexpected(fmt::format("{}={}: write true or false", shown, text));
    if (has_effect) broker.*std::get<bool B::*>(property.member) = text == "true";
    return {};
  }
  if (property.type == PropertyType::decimal) {
    const auto number = parse_decimal(property, shown, text);
    if (!number) return std::unexpected(number.error());
    topic.*std::get<double T::*>(property.member) = *number;
    return {};
  }
  if (property.type == PropertyType::string || property.type == PropertyType::list) {
    if (const auto* member = std::get_if<std::string B::*>(&property.member)) broker.** member = text;
    if (const auto* member = std::get_if<std::string T::*>(&property.member)) topic.** member = text;
    return {};
  }
  const auto number = parse_number(property, shown, text);
  if (!number) return std::unexpected(number.error());
  if (const auto* member = std::get_if<std::int64_t B::*>(&property.member)) broker.** member = *number;
  if (const auto* member = std::get_if<std::int64_t T::*>(&property.member)) topic.** member = *number;
  return {};
}

std::string member_text(const BrokerSettings& broker, const TopicSettings& topic, const Property& property) {
  if (const auto* flag = std::get_if<bool B::*>(&property.member)) return broker.**flag ? "true" : "false";
  if (const auto* text = std::get_if<std::string B::*>(&property.member)) return broker.**text;
  if (const auto* text = std::get_if<std::string T::*>(&property.member)) return topic.**text;
  if (const auto* number = std::get_if<double T::*>(&property.member)) return fmt::format("{}", topic.**number);
  if (std::holds_alternative<WithoutEffect>(property.member)) {
    const auto kept = topic.without_effect.find(property.name);
    return kept != topic.without_effect.end() ? kept->second : std::string{property.default_value};
  }
  std::int64_t number = kUnset;
  if (const auto* member = std::get_if<std::int64_t B::*>(&property.member)) number = broker.**member;
  if (const auto* member = std::get_if<std::int64_t T::*>(&property.member)) number = topic.**member;
  return number == kUnset ? "" : fmt::format("{}", number);
}

}  // namespace iolab::core
