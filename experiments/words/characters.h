// UTF-8 text as a terminal shows it: one character after the other, each with the columns that it takes. Chinese,
// Japanese and Korean characters and their punctuation take two (Unicode Standard Annex 11, East Asian Width: the
// classes W and F), combining marks none. Bytes that are no UTF-8 count as one column each.
#pragma once

#include <string_view>
#include <vector>

namespace iolab::lab {

struct Character {
  std::string_view bytes;  // of the text that was given
  char32_t code = 0;
  int columns = 1;
  bool wide() const { return columns == 2; }
};

std::vector<Character> characters(std::string_view text);

}  // namespace iolab::lab
