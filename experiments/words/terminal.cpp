#include "experiments/words/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "experiments/words/characters.h"

namespace iolab::lab {

Terminal look_at_terminal(std::FILE* stream) {
  Terminal terminal;
  const int descriptor = fileno(stream);
  terminal.is_tty = isatty(descriptor) == 1;
  const char* kind = std::getenv("TERM");
  const char* no_color = std::getenv("NO_COLOR");
  const bool dumb = kind == nullptr || std::string_view(kind) == "dumb";
  terminal.color = terminal.is_tty && !dumb && (no_color == nullptr || *no_color == '\0');
  winsize size{};
  constexpr int kNarrowest = 40;
  if (terminal.is_tty && ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col >= kNarrowest) {
    terminal.width = size.ws_col;
  }
  return terminal;
}

std::string bold(const Terminal& terminal, std::string_view text) {
  return terminal.color ? fmt::format("\033[1m{}\033[0m", text) : std::string(text);
}

std::string dim(const Terminal& terminal, std::string_view text) {
  return terminal.color ? fmt::format("\033[2m{}\033[0m", text) : std::string(text);
}

std::size_t display_width(std::string_view text) {
  std::size_t columns = 0;
  for (const Character& character : characters(text)) columns += static_cast<std::size_t>(character.columns);
  return columns;
}

std::string padded(std::string_view text, std::size_t width, bool right) {
  const std::size_t used = display_width(text);
  const std::string space(width > used ? width - used : 0, ' ');
  return right ? space + std::string(text) : std::string(text) + space;
}

namespace {

// What may not be parted from the character before it: closing punctuation never begins a line, nor does what follows
// an opening bracket.
constexpr std::u32string_view kClosing = U"，。；：、！？）”’》】";
constexpr std::u32string_view kOpening = U"（“‘《【";

bool may_part(const Character& before, const Character& after) {
  if (kClosing.contains(after.code) || kOpening.contains(before.code)) return false;
  return before.wide() || after.wide();
}

// The pieces of a text between which a line may end: words, and inside of Chinese text every character.
struct Word {
  std::string text;
  std::size_t columns = 0;
  bool after_space = false;
};
std::vector<Word> words_of(std::string_view text) {
  std::vector<Word> list;
  const Character* before = nullptr;
  bool space = false;
  const auto all = characters(text);
  for (const Character& character : all) {
    if (character.code == ' ') {
      space = true;
      continue;
    }
    if (list.empty() || space || may_part(*before, character)) list.push_back({.text = {}, .after_space = space});
    list.back().text += character.bytes;
    list.back().columns += static_cast<std::size_t>(character.columns);
    before = &character;
    space = false;
  }
  return list;
}

}  // namespace

std::string folded(std::string_view text, std::size_t width, std::size_t indent, std::size_t column) {
  std::string lines;
  for (const Word& word : words_of(text)) {
    const std::size_t space = word.after_space ? 1 : 0;
    if (!lines.empty() && column + space + word.columns > width) {
      lines += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (!lines.empty() && word.after_space) {
      lines += ' ';
      ++column;
    }
    lines += word.text;
    column += word.columns;
  }
  return lines;
}

std::string to_text(const TextTable& table, const Terminal& terminal, std::size_t indent) {
  std::vector<std::size_t> widths(table.right.size(), 0);
  const auto measure = [&](const std::vector<std::string>& cells) {
    for (std::size_t i = 0; i < cells.size() && i < widths.size(); ++i) {
      widths[i] = std::max(widths[i], display_width(cells[i]));
    }
  };
  for (const auto& header : table.headers) measure(header);
  for (const auto& row : table.rows) measure(row.cells);
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string text(indent, ' ');
    for (std::size_t i = 0; i < cells.size() && i < widths.size(); ++i) {
      if (i > 0) text += "  ";
      text += padded(cells[i], widths[i], table.right[i]);
    }
    while (text.ends_with(' ')) text.pop_back();
    return text;
  };
  std::string text;
  for (const auto& header : table.headers) text += bold(terminal, line(header)) + "\n";
  for (const auto& row : table.rows) {
    auto content = line(row.cells);
    if (!row.note.empty()) {
      if (row.cells.size() == 1) content = std::string(indent, ' ') + padded(row.cells[0], widths[0]);
      const std::size_t start = display_width(content) + 2;
      const auto room = std::max<std::size_t>(static_cast<std::size_t>(terminal.width), start + 30);
      content += "  " + folded(row.note, room, start, start);
    }
    text += content + "\n";
  }
  return text;
}

}  // namespace iolab::lab
