#include "experiments/words/terminal.h"

#include <gtest/gtest.h>

#include <sstream>

namespace iolab::lab {
namespace {

TEST(Terminal, FoldsWithoutLosingOrJoiningWords) {
  SCOPED_TRACE("two words of a sentence run together, or a line is wider than the terminal");
  const std::string text = "null system call 124 ns and a wake-up on the other CPU";
  for (std::size_t width = 12; width < 60; ++width) {
    for (const std::size_t indent : {0, 4, 11}) {
      const auto lines = folded(text, width, indent, indent);
      std::istringstream stream(lines);
      std::string all;
      for (std::string line; std::getline(stream, line);) {
        EXPECT_LE(line.size(), std::max<std::size_t>(width, indent + 7)) << width << " " << indent;
      }
      std::istringstream words(lines);
      for (std::string word; words >> word;) all += (all.empty() ? "" : " ") + word;
      EXPECT_EQ(all, text);
    }
  }
}

TEST(Terminal, AlignsColumns) {
  SCOPED_TRACE("figures of one column do not stand under each other");
  const TextTable table{.headers = {{"model", "CPU/req"}},
                        .right = {false, true},
                        .rows = {{{"epoll", "4.05 µs"}, ""}, {{"io_uring", "12.5 µs"}, ""}, {{"sigio"}, "not here"}}};
  EXPECT_EQ(to_text(table, {}, 2),
            "  model     CPU/req\n"
            "  epoll     4.05 µs\n"
            "  io_uring  12.5 µs\n"
            "  sigio     not here\n");
}

TEST(Terminal, ChineseCharactersTakeTwoColumns) {
  SCOPED_TRACE("the columns of a Chinese table do not stand under each other");
  EXPECT_EQ(display_width("模型"), 4u);
  EXPECT_EQ(display_width("延迟，p99"), 9u);
  EXPECT_EQ(display_width("µs → █"), 6u);
  EXPECT_EQ(display_width("e\u0301"), 1u);  // a combining accent
  const TextTable table{.headers = {{"模型", "CPU/请求"}},
                        .right = {false, true},
                        .rows = {{{"epoll", "4.05"}, ""}, {{"select"}, "未运行"}}};
  EXPECT_EQ(to_text(table, {}, 2),
            "  模型    CPU/请求\n"
            "  epoll       4.05\n"
            "  select  未运行\n");
}

TEST(Terminal, FoldsChineseBetweenCharacters) {
  SCOPED_TRACE("a Chinese sentence runs out of the terminal, or a line begins with a full stop");
  const std::string text = "每个请求的系统调用次数（0 个空闲连接）：blocking 为 2.00；select 和 epoll 为 3.00。";
  for (std::size_t width = 14; width < 70; ++width) {
    std::istringstream stream(folded(text, width, 4, 4));
    std::string all;
    for (std::string line; std::getline(stream, line);) {
      EXPECT_LE(display_width(line), width);
      const auto start = line.find_first_not_of(' ');
      for (const auto* mark : {"，", "。", "；", "：", "）"})
        EXPECT_FALSE(line.substr(start).starts_with(mark)) << line;
      all += line.substr(all.empty() ? 0 : start);
    }
    std::string expected = text;
    std::erase(expected, ' ');
    std::erase(all, ' ');
    EXPECT_EQ(all, expected);
  }
}

}  // namespace
}  // namespace iolab::lab
