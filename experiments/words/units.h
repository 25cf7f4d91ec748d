// Quantities as people write them: "3s", "64KiB", "20000/s" in, "3 s", "64 KiB", "12,345" out.
//
// A quantity without a unit is refused, because "measure: 3" has been read as seconds, milliseconds and minutes.
// Numbers are printed with three significant digits, which is more than any timing here can support.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace iolab::lab {

// The error is half a sentence to be put behind the name of the thing: `"3" has no unit: write "3s" or "3ms"`.
std::expected<std::chrono::nanoseconds, std::string> parse_duration(std::string_view text);  // us ms s m h
std::expected<std::uint64_t, std::string> parse_size(std::string_view text);                 // B KiB MiB GiB KB MB GB
std::expected<double, std::string> parse_rate(std::string_view text);                        // "20000/s", "20k/s"
std::expected<double, std::string> parse_percent(std::string_view text);                     // "5%" -> 0.05

std::string duration_text(std::chrono::nanoseconds duration);  // "1.5 s", "250 ms"
std::string clock_text(std::chrono::nanoseconds duration);     // "2:05", "1:02:05": for ETAs
std::string size_text(std::uint64_t bytes);                    // "100 B", "64 KiB"

std::string with_thousands(double value, int decimals = 0);       // "12,345.6"
std::string three_digits(double value);                           // "0.123" "1.23" "12.3" "123" "12,345"
std::string percent_text(double share);                           // 0.0312 -> "3.1 %"
std::string counted(std::uint64_t count, std::string_view noun);  // "1 trial", "2 trials"

// "a", "a and b", "a, b and c"
template <class Range>
std::string listed(const Range& words) {
  std::string text;
  std::size_t at = 0;
  for (const auto& word : words) {
    if (at > 0) text += at + 1 == words.size() ? " and " : ", ";
    text += word;
    ++at;
  }
  return text;
}

std::string ratio_text(double ratio);  // "3.72", "14"

}  // namespace iolab::lab
