// Words and tables for a person at a terminal, or for a pipe behind it: colour and redrawing only where they can be
// seen, nothing said by colour alone, no line wider than the terminal.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace iolab::lab {

struct Terminal {
  bool is_tty = false;
  bool color = false;  // never with NO_COLOR, TERM=dumb or a pipe
  int width = 100;
};
Terminal look_at_terminal(std::FILE* stream);

std::string bold(const Terminal& terminal, std::string_view text);
std::string dim(const Terminal& terminal, std::string_view text);

// How many columns UTF-8 text takes: two for each Chinese character.
std::size_t display_width(std::string_view text);
std::string padded(std::string_view text, std::size_t width, bool right = false);

// Folds at spaces, and between Chinese characters, so that no line passes `width`; every line but the first, which
// starts at `column`, is indented.
std::string folded(std::string_view text, std::size_t width, std::size_t indent, std::size_t column = 0);

// A table in plain text: columns padded to their widest cell, two spaces between them.
struct TextTable {
  struct Row {
    std::vector<std::string> cells;
    std::string note;  // written after the cells that are there
  };
  std::vector<std::vector<std::string>> headers;  // one or more lines
  std::vector<bool> right;                        // alignment of each column
  std::vector<Row> rows;
};
std::string to_text(const TextTable& table, const Terminal& terminal, std::size_t indent = 2);

}  // namespace iolab::lab
