#include "experiments/words/units.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <span>
#include <utility>

namespace iolab::lab {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

struct Quantity {
  double number;
  std::string_view unit;
};

std::optional<Quantity> split(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc{} || !std::isfinite(number)) return std::nullopt;
  auto unit = text.substr(static_cast<std::size_t>(end - text.data()));
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  return Quantity{number, unit};
}

std::string unit_names(std::span<const Unit> units) {
  std::string names;
  for (std::size_t i = 0; i < units.size(); ++i) {
    if (i > 0) names += i + 1 == units.size() ? " or " : ", ";
    names += units[i].name;
  }
  return names;
}

// What people write for our units, in lower case: the first spelling that this quantity has a unit for.
std::string_view unit_meant(std::string_view unit, std::span<const Unit> units) {
  using Spelling = std::pair<std::string_view, std::string_view>;
  static constexpr std::array kSpellings{
      Spelling{"k", "KiB"},   Spelling{"kb", "KB"},   Spelling{"kib", "KiB"},  Spelling{"m", "MiB"},
      Spelling{"mb", "MB"},   Spelling{"mib", "MiB"}, Spelling{"g", "GiB"},    Spelling{"gb", "GB"},
      Spelling{"gib", "GiB"}, Spelling{"b", "B"},     Spelling{"byte", "B"},   Spelling{"bytes", "B"},
      Spelling{"sec", "s"},   Spelling{"secs", "s"},  Spelling{"second", "s"}, Spelling{"seconds", "s"},
      Spelling{"s", "s"},     Spelling{"msec", "ms"}, Spelling{"ms", "ms"},    Spelling{"usec", "us"},
      Spelling{"µs", "us"},   Spelling{"min", "m"},   Spelling{"mins", "m"},   Spelling{"minutes", "m"},
      Spelling{"h", "h"},     Spelling{"hours", "h"}, Spelling{"hz", "/s"},    Spelling{"rps", "/s"},
      Spelling{"k", "k/s"},   Spelling{"s", "/s"},    Spelling{"percent", "%"}};
  std::string lower(unit);
  std::ranges::transform(lower, lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  for (const auto& [written, meant] : kSpellings) {
    if (written == lower && std::ranges::find(units, meant, &Unit::name) != units.end()) return meant;
  }
  return {};
}

std::expected<double, std::string> parse(std::string_view text, std::span<const Unit> units, std::string_view what,
                                         std::string_view example) {
  const auto quantity = split(text);
  if (!quantity) return std::unexpected(fmt::format("\"{}\" is no {}: write for example \"{}\"", text, what, example));
  if (quantity->unit.empty()) {
    return std::unexpected(
        fmt::format("\"{}\" has no unit: write for example \"{}\" ({})", text, example, unit_names(units)));
  }
  for (const auto& unit : units) {
    if (quantity->unit != unit.name) continue;
    if (quantity->number < 0) return std::unexpected(fmt::format("\"{}\" is negative", text));
    return quantity->number * unit.factor;
  }
  const auto meant = unit_meant(quantity->unit, units);
  if (!meant.empty()) {
    const auto number = text.substr(0, text.size() - quantity->unit.size());
    return std::unexpected(
        fmt::format("\"{}\" has the unknown unit \"{}\": did you mean \"{}{}\"?", text, quantity->unit, number, meant));
  }
  return std::unexpected(
      fmt::format("\"{}\" has the unknown unit \"{}\": known are {}", text, quantity->unit, unit_names(units)));
}

}  // namespace

std::expected<std::chrono::nanoseconds, std::string> parse_duration(std::string_view text) {
  static constexpr std::array kUnits{Unit{"us", 1e3}, Unit{"ms", 1e6}, Unit{"s", 1e9}, Unit{"m", 60e9},
                                     Unit{"h", 3600e9}};
  const auto value = parse(text, kUnits, "duration", "3s");
  if (!value) return std::unexpected(value.error());
  if (*value > 9e18) return std::unexpected(fmt::format("\"{}\" is longer than 292 years", text));
  return std::chrono::nanoseconds(std::llround(*value));
}

std::expected<std::uint64_t, std::string> parse_size(std::string_view text) {
  static constexpr std::array kUnits{Unit{"B", 1},     Unit{"KiB", 1024}, Unit{"MiB", 1048576}, Unit{"GiB", 1073741824},
                                     Unit{"KB", 1000}, Unit{"MB", 1e6},   Unit{"GB", 1e9}};
  const auto value = parse(text, kUnits, "size", "64KiB");
  if (!value) return std::unexpected(value.error());
  if (*value > 9e18) return std::unexpected(fmt::format("\"{}\" is more than any memory holds", text));
  if (*value != std::floor(*value)) return std::unexpected(fmt::format("\"{}\" is not a whole number of bytes", text));
  return static_cast<std::uint64_t>(*value);
}

std::expected<double, std::string> parse_rate(std::string_view text) {
  static constexpr std::array kUnits{Unit{"/s", 1}, Unit{"k/s", 1e3}, Unit{"M/s", 1e6}, Unit{"/m", 1.0 / 60}};
  const auto value = parse(text, kUnits, "rate", "20000/s");
  if (value && *value == 0)
    return std::unexpected(fmt::format("\"{}\" sends nothing: the rate must be positive", text));
  return value;
}

std::expected<double, std::string> parse_percent(std::string_view text) {
  static constexpr std::array kUnits{Unit{"%", 0.01}};
  return parse(text, kUnits, "percentage", "5%");
}

std::string duration_text(std::chrono::nanoseconds duration) {
  const auto ns = static_cast<double>(duration.count());
  if (ns >= 3600e9 && duration % std::chrono::hours(1) == std::chrono::nanoseconds(0)) {
    return fmt::format("{} h", duration / std::chrono::hours(1));
  }
  if (ns >= 120e9) return clock_text(duration) + (ns >= 3600e9 ? " h" : " min");
  if (ns >= 1e9) return fmt::format("{:.3g} s", ns / 1e9);
  if (ns >= 1e6) return fmt::format("{:.3g} ms", ns / 1e6);
  if (ns >= 1e3) return fmt::format("{:.3g} us", ns / 1e3);
  return fmt::format("{} ns", duration.count());
}

std::string clock_text(std::chrono::nanoseconds duration) {
  const auto seconds = std::chrono::round<std::chrono::seconds>(duration).count();
  if (seconds >= 3600) return fmt::format("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
  return fmt::format("{}:{:02}", seconds / 60, seconds % 60);
}

std::string size_text(std::uint64_t bytes) {
  static constexpr std::array<std::string_view, 4> kNames{"B", "KiB", "MiB", "GiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < kNames.size()) {
    value /= 1024;
    ++unit;
  }
  if (value == std::floor(value)) return fmt::format("{} {}", with_thousands(value), kNames[unit]);
  return fmt::format("{} {}", three_digits(value), kNames[unit]);
}

std::string with_thousands(double value, int decimals) {
  auto text = fmt::format("{:.{}f}", value, decimals);
  auto at = text.find('.');
  if (at == std::string::npos) at = text.size();
  const std::size_t first = text.starts_with('-') ? 1 : 0;
  while (at > first + 3) {
    at -= 3;
    text.insert(at, 1, ',');
  }
  return text;
}

std::string three_digits(double value) {
  const double size = std::abs(value);
  // The border is where rounding would add a digit: 9.995 prints as 10.0, not as 10.00.
  if (size >= 99.95) return with_thousands(value, 0);
  if (size >= 9.995) return with_thousands(value, 1);
  if (size >= 0.9995 || size < 0.0005) return fmt::format("{:.2f}", size < 0.0005 ? 0.0 : value);
  return fmt::format("{:.3f}", value);
}

std::string percent_text(double share) {
  const double percent = share * 100;
  if (std::abs(percent) >= 9.95) return fmt::format("{:.0f} %", percent);
  return fmt::format("{:.1f} %", percent);
}

std::string counted(std::uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", with_thousands(static_cast<double>(count)), noun, count == 1 ? "" : "s");
}

std::string ratio_text(double ratio) {
  return ratio < 9.95 ? fmt::format("{:.2f}", ratio) : fmt::format("{:.0f}", ratio);
}

}  // namespace iolab::lab
