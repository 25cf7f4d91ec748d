#include "experiments/terminal.h"

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

}  // namespace
}  // namespace iolab::lab
