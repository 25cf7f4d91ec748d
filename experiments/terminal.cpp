#include "experiments/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

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
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string padded(std::string_view text, std::size_t width, bool right) {
  const std::size_t used = display_width(text);
  const std::string space(width > used ? width - used : 0, ' ');
  return right ? space + std::string(text) : std::string(text) + space;
}

std::string folded(std::string_view text, std::size_t width, std::size_t indent, std::size_t column) {
  std::string lines;
  bool line_is_empty = true;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    const auto word = text.substr(0, end);
    const std::size_t length = display_width(word);
    if (!line_is_empty && column + 1 + length > width) {
      lines += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (!line_is_empty) {
      lines += ' ';
      ++column;
    }
    lines += word;
    column += length;
    line_is_empty = false;
    text.remove_prefix(std::min(end + 1, text.size()));
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
