#include "experiments/words/characters.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

namespace iolab::lab {
namespace {

using Range = std::pair<char32_t, char32_t>;

// The classes W and F as far as they hold letters and punctuation; emoji, which no report prints, are left out.
constexpr std::array kWide{
    Range{0x1100, 0x115F}, Range{0x2E80, 0x303E}, Range{0x3041, 0x4DBF},   Range{0x4E00, 0xA4CF},
    Range{0xA960, 0xA97F}, Range{0xAC00, 0xD7A3}, Range{0xF900, 0xFAFF},   Range{0xFE30, 0xFE6F},
    Range{0xFF01, 0xFF60}, Range{0xFFE0, 0xFFE6}, Range{0x20000, 0x3FFFD},
};
constexpr std::array kCombining{Range{0x0300, 0x036F}, Range{0x200B, 0x200F}, Range{0xFE00, 0xFE0F}};

bool within(const auto& ranges, char32_t code) {
  return std::ranges::any_of(ranges, [&](const Range& range) { return code >= range.first && code <= range.second; });
}

// How many bytes the character at the start of `text` has: what its first byte says, if the others follow.
std::size_t length_of_first(std::string_view text) {
  const int ones = std::countl_one(static_cast<unsigned char>(text.front()));
  const auto length = ones < 2 || ones > 4 ? std::size_t{1} : static_cast<std::size_t>(ones);
  if (length > text.size()) return 1;
  const auto continues = [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; };
  return std::ranges::all_of(text.substr(1, length - 1), continues) ? length : 1;
}

char32_t code_of(std::string_view bytes) {
  const auto first = static_cast<unsigned char>(bytes.front());
  if (bytes.size() == 1) return first;
  char32_t code = first & (0x7FU >> bytes.size());
  for (const char byte : bytes.substr(1)) code = (code << 6) | (static_cast<unsigned char>(byte) & 0x3FU);
  return code;
}

}  // namespace

std::vector<Character> characters(std::string_view text) {
  std::vector<Character> list;
  while (!text.empty()) {
    const auto bytes = text.substr(0, length_of_first(text));
    const char32_t code = code_of(bytes);
    list.push_back({bytes, code, within(kWide, code) ? 2 : within(kCombining, code) ? 0 : 1});
    text.remove_prefix(bytes.size());
  }
  return list;
}

}  // namespace iolab::lab
